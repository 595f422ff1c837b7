import type { Secret } from '#base'
import { backendError } from '../errors.ts'
import type { Backend } from '../backend.ts'
import { Http1Transport } from './http1.ts'
import { createRestOver, restOver, type RestPlace } from './rest-backend.ts'
import type { Transport } from './transport.ts'

export interface RestOptions {
  /** `http://` or `https://`, the path that of the repository; no user, no password, no query. */
  readonly url: string
  readonly user?: string
  readonly password?: Secret
  /** Certificates in PEM that are trusted in place of the system's. */
  readonly ca?: string
  /** Default: 5; two more connections at most are for lists and locks. */
  readonly connections?: number
  /** How long a transfer may stand still. Default: 120 s. */
  readonly stallMs?: number
}

export const defaultConnections = 5
export const defaultStallMs = 120_000

/**
 * Opens a repository behind restic's REST protocol, version 2 with version 1 as what is fallen back to. Asks nothing of
 * the server: what is wrong with it is told by the first operation.
 *
 * Whether a file is whole, durable, and safe from a second writer or a removal is the server's promise and not ours:
 * docs/operate/rest.md says what which server gives.
 *
 * Source: restic, "REST Backend" (doc/100_references.rst).
 *
 * @throws `backend.request-invalid` for a URL that is none of this kind.
 */
export async function openRest(options: RestOptions): Promise<Backend> {
  return restOver(...wayTo(options))
}

/** The same, after the server has made the place. Repeating it is harmless. @throws as the operations of a backend. */
export async function createRest(options: RestOptions, signal?: AbortSignal): Promise<Backend> {
  return await createRestOver(...wayTo(options), signal)
}

/** The server, and where the repository is behind it. @throws as {@link openRest}. */
export function wayTo(options: RestOptions): [Transport, RestPlace] {
  const { user, password, ca, connections = defaultConnections, stallMs = defaultStallMs } = options
  const url = parseUrl(options.url)
  const path = url.pathname.endsWith('/') ? url.pathname : `${url.pathname}/`
  const login = Buffer.from(`${user ?? ''}:${password?.reveal() ?? ''}`).toString('base64')
  return [
    new Http1Transport(url, { connections, stallMs, ...(ca !== undefined && { ca }) }),
    {
      place: `rest:${url.origin}${path}`,
      path,
      connections,
      headers: user === undefined && password === undefined ? {} : { authorization: `Basic ${login}` },
    },
  ]
}

function parseUrl(text: string): URL {
  const url = URL.parse(text)
  const isOurs = url !== null && /^https?:$/.test(url.protocol) && url.search === '' && url.hash === ''
  if (isOurs && url.username === '' && url.password === '') return url
  // because what stands there may be a password, the text itself is not shown
  const what = 'a URL that is not http:// or https://, or has a user, a password or a query'
  throw backendError('backend.request-invalid', { what, place: `rest:${url?.host ?? ''}` })
}
