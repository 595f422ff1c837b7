import type { ChannelName } from '#model'
import type { Channel, Network } from '#notify'
import type { Services } from '../services.ts'

/** A channel of the configuration; see `openChannel`. */
export async function openConfigured(
  services: Pick<Services, 'configuration' | 'clock' | 'secret' | 'readText' | 'version' | 'hostname'>,
  channel: ChannelName,
  network: Network,
  signal: AbortSignal,
): Promise<Channel> {
  const { openChannel } = await import('#notify')
  const { notify, organisation } = services.configuration
  return await openChannel(
    channel,
    { ...services, notify, ...(organisation !== undefined && { organisation }) },
    network,
    signal,
  )
}
