import { pause, textOf } from '#base'
import type { Project } from '#model'
import type { Network, PingEvent } from '#notify'
import type { Services } from '../services.ts'

export type { PingEvent } from '#notify'

const attempts: Record<PingEvent, number> = { start: 1, success: 3, fail: 3 }
const waitMs = 2000

/**
 * Tells the address of the project, or the one for all, that a run begins, succeeded or failed. Without an address nothing happens.
 *
 * A run is never held up for long or harmed by it: an address that does not answer is a warning in the log. The beginning is tried once, the
 * end three times.
 *
 * @param log - what happened, for people; its last 100 kB are sent, and what looks like a password is not.
 * @throws the signal's reason only.
 */
export async function ping(
  services: Pick<Services, 'configuration' | 'catalog' | 'clock' | 'secret' | 'hostname'>,
  project: Project,
  event: PingEvent,
  log: string,
  signal: AbortSignal,
  network: Network = {},
): Promise<void> {
  const address = project.ping ?? services.configuration.notify.ping
  if (!address) return
  signal.throwIfAborted()
  try {
    const [{ sendPing }, url] = await Promise.all([import('#notify'), services.secret(address.url, signal)])
    const run = await runId(services.hostname, project.name)
    const asked = { url, event, run, log, allowPrivate: address.allowPrivate ?? false }
    for (let attempt = 1; ; attempt++) {
      try {
        await sendPing(asked, network, signal)
        return
      } catch (error) {
        if (attempt >= attempts[event]) throw error
        await pause(waitMs * attempt, signal)
      }
    }
  } catch (thrown) {
    signal.throwIfAborted()
    const text = `The ping (${event}) was not heard: ${textOf(thrown)}`
    const entry = { kind: 'alarm', level: 'warning', project: project.name, text } as const
    await services.catalog.log.add({ time: services.clock.now(), ...entry })
  }
}

/** The same for the start and the end of a run, because a project never runs twice at once; a UUID, as the protocol wants. */
async function runId(hostname: string, project: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${hostname}/${project}`))
  const hex = Buffer.from(digest).toString('hex')
  // Source: RFC 9562, section 5.8: version 8 is for whoever makes it.
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}
