import { AppError, textOf } from '#base'
import { channelNames, type ChannelName, type Configuration, type Delivery } from '#model'
import type { Message, Network } from '#notify'
import type { Services } from '../services.ts'
import { openConfigured } from './open-configured.ts'

/** What became of one message at one channel. */
export interface Sending {
  readonly channel: ChannelName
  /** `before`: it was sent with the same id already, or is being sent at this moment. */
  readonly status: 'sent' | 'before' | 'failed'
  /** What the other side said, or why it failed; one line. */
  readonly answer: string
  /** What a person can do about a failure. */
  readonly hint?: string
}

export type AlarmServices = Pick<
  Services,
  'configuration' | 'catalog' | 'clock' | 'secret' | 'readText' | 'version' | 'hostname'
>

/** How long others leave alone what one process is sending. */
export const claimMs = 15 * 60_000

/** The channels of the configuration, in a fixed order. */
export function channelsOf({ notify }: Configuration): readonly ChannelName[] {
  return channelNames.filter((name) => notify[name] !== undefined)
}

/**
 * Sends a composed message once to every channel that takes reports: whole by mail and webhook, its short form to Slack, Discord
 * and ntfy; Sentry takes none. It is recorded by its id: who calls again with the same id reaches only the channels that it did not
 * reach before.
 *
 * @throws errors of the catalog; the signal's reason. A channel that fails is in the result, and is not tried again by itself.
 */
export async function sendMessage(
  services: AlarmServices,
  message: Message,
  signal: AbortSignal,
  network: Network = {},
): Promise<readonly Sending[]> {
  const channels = channelsOf(services.configuration).filter((name) => name !== 'sentry')
  return await Promise.all(channels.map((channel) => sendOnce(services, channel, message, network, signal)))
}

async function sendOnce(
  services: AlarmServices,
  channel: ChannelName,
  message: Message,
  network: Network,
  signal: AbortSignal,
): Promise<Sending> {
  const { deliveries } = services.catalog
  const now = services.clock.now()
  const planned = { about: message.id, notice: 'report', channel, criticality: 'low' } as const
  const [claimed] = await deliveries.claim([planned], now, now + claimMs)
  if (!claimed) return { channel, status: 'before', answer: 'it was sent before' }
  const sending = await attempt(services, channel, [claimed], message, network, signal)
  if (sending.error) {
    await deliveries.failed(channel, [claimed], { at: services.clock.now(), nextAt: 0, error: sending.error.message })
    return { channel, status: 'failed', answer: sending.error.message, hint: sending.error.hint }
  }
  return { channel, status: 'sent', answer: sending.answer }
}

/** One attempt to send what was claimed: recorded when it worked, given back when the signal ended it. */
export async function attempt(
  services: AlarmServices,
  channel: ChannelName,
  claimed: readonly Pick<Delivery, 'about' | 'notice' | 'channel' | 'criticality'>[],
  message: Message,
  network: Network,
  signal: AbortSignal,
): Promise<{ readonly answer: string; readonly error?: AppError }> {
  const { catalog, clock } = services
  try {
    const open = await openConfigured(services, channel, network, signal)
    await catalog.deliveries.attempt(claimed, message.id)
    const { answer, warning } = await open.send(message, signal)
    await catalog.deliveries.sent(claimed, clock.now())
    if (warning !== undefined) {
      await catalog.log.add({ time: clock.now(), kind: 'alarm', level: 'warning', text: `${channel}: ${warning}` })
    }
    return { answer: warning === undefined ? answer : `${answer}. ${warning}` }
  } catch (thrown) {
    if (signal.aborted || !(thrown instanceof AppError)) {
      await catalog.deliveries.release(claimed)
      signal.throwIfAborted()
      throw thrown
    }
    return { answer: textOf(thrown), error: thrown }
  }
}
