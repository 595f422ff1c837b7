import { AppError, randomHex } from '#base'
import type { ChannelName } from '#model'
import { composeTest, notifyError, type Network } from '#notify'
import { openConfigured } from './open-configured.ts'
import { channelsOf, type AlarmServices, type Sending } from './send-message.ts'

/**
 * Sends a message that says that it is a test, to one channel or to all, and says what each answered.
 *
 * @throws `channel.missing` when the configuration has no such channel, or none at all; the signal's reason.
 */
export async function testChannels(
  services: AlarmServices,
  only: ChannelName | undefined,
  signal: AbortSignal,
  network: Network = {},
): Promise<readonly Sending[]> {
  const known = channelsOf(services.configuration)
  if (known.length === 0 || (only !== undefined && !known.includes(only))) {
    const channels = known.length === 0 ? 'none' : known.join(', ')
    throw notifyError('channel.missing', { channel: only ?? 'to tell anybody', channels })
  }
  const chosen = only === undefined ? known : [only]
  return await Promise.all(chosen.map((channel) => testOne(services, channel, network, signal)))
}

async function testOne(
  services: AlarmServices,
  channel: ChannelName,
  network: Network,
  signal: AbortSignal,
): Promise<Sending> {
  const { catalog, clock, configuration, version } = services
  try {
    const open = await openConfigured(services, channel, network, signal)
    const message = await composeTest(`test-${randomHex(6)}`, { configuration, version, now: clock.now() })
    const { answer, warning } = await open.send(message, signal)
    await catalog.deliveries.works(channel)
    return { channel, status: 'sent', answer: warning === undefined ? answer : `${answer}. ${warning}` }
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    await catalog.deliveries.failed(channel, [], { at: clock.now(), nextAt: undefined, error: thrown.message })
    return { channel, status: 'failed', answer: thrown.message, hint: thrown.hint }
  }
}
