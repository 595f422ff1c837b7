import type { Secret } from '#base'
import { post, type Network } from './http.ts'

/** How far a run is. */
export type PingEvent = 'start' | 'success' | 'fail'

export interface PingRequest {
  /** Of the check: `https://hc-ping.com/<uuid>`. */
  readonly url: Secret
  readonly event: PingEvent
  /** Tells runs of one check apart, so that the time between start and end is measured: a UUID. */
  readonly run: string
  /** What happened, for people. */
  readonly log: string
  readonly allowPrivate: boolean
}

/** Source: healthchecks.io, "Pinging API": the first 100 kB of a body are kept. */
const mostLogBytes = 100_000

/** Sends one ping. @throws the errors of a channel. */
export async function sendPing(
  { url, event, run, log, allowPrivate }: PingRequest,
  network: Network,
  signal: AbortSignal,
): Promise<void> {
  const asked = {
    channel: 'ping',
    url: pingUrl(url.reveal(), event, run),
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    body: lastBytes(scrubbed(log)),
    allowPrivate,
  }
  await post(asked, network, signal)
}

function pingUrl(text: string, event: PingEvent, run: string): string {
  const url = URL.parse(text.trim())
  if (!url) return text // because the guard says what is wrong with it
  if (event !== 'success') url.pathname = `${url.pathname.replace(/\/$/, '')}/${event}`
  url.searchParams.set('rid', run)
  return url.href
}

/** The end is where it says why. */
function lastBytes(log: string): Uint8Array {
  const bytes = Buffer.from(log)
  if (bytes.length <= mostLogBytes) return bytes
  let from = bytes.length - mostLogBytes
  while ((bytes[from]! & 0xc0) === 0x80) from++
  return bytes.subarray(from)
}

/** What may be a secret in the words of another program: passwords in addresses, and values of what is called one. */
export function scrubbed(text: string): string {
  return text
    .replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s/@]+@/gi, '$1:***@')
    .replace(
      /(\b[\w-]*(?:password|passwd|secret|token|api[_-]?key|access[_-]?key)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&]+)/gi,
      '$1***',
    )
    .replace(/(\bauthorization:\s*(?:basic|bearer)\s+)\S+/gi, '$1***')
}
