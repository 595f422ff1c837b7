/**
 * Messages to people and machines: how they are written, in Dutch and English, and the channels that carry them. A channel
 * sends one message, or says why it could not; it must never decide who is told, or remember what was.
 */
export type { Channel, Gravity, Message, MessageKind, Receipt } from './channel.ts'
export { notifyError } from './errors.ts'
export type { Network, Resolve } from './http.ts'
export { composeAlarm, composeTest, type AlarmSetting } from './messages/alarm.ts'
export { composeReport, type ReportMessage } from './messages/report.ts'
export type { ReportSetting } from './messages/report-view.ts'
export { openChannel, type ChannelSetting } from './open-channel.ts'
export { oneLine } from './plain.ts'
export { sendPing, type PingEvent, type PingRequest } from './ping.ts'
