/** What tests use of this room: the contract of a channel as a suite, and the other sides of channels: real servers on this machine. */
export { makeCertificate, type Certificate } from './suite/certificate.ts'
export { channelSuite, sampleMessage, type Arrived, type ChannelScene } from './suite/channel-suite.ts'
export { decodeWords, MailServer, partOf, type ArrivedMail, type MailServerOptions } from './suite/mail-server.ts'
export { Receiver, type ArrivedRequest } from './suite/receiver.ts'
