import { promises as dns } from 'node:dns'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP, type LookupFunction } from 'node:net'

import { AppError, textOf } from '#base'
import { isLoopback, judgeAddress } from './addresses.ts'
import { notifyError } from './errors.ts'
import { oneLine } from './plain.ts'

/** All addresses of a host, in the order in which they are tried. */
export type Resolve = (host: string) => Promise<readonly string[]>

/** How messages leave this machine; a test puts something else in its place. */
export interface Network {
  /** Default: the resolver of the system. */
  readonly resolve?: Resolve
  /** Certificates in PEM that are trusted in place of the system's. */
  readonly authorities?: string
  /** For one request or mail in all. Default: ten seconds, of a mail thirty. */
  readonly timeoutMs?: number
}

export interface GuardedRequest {
  /** For errors; never the path of the address, which is often a secret. */
  readonly channel: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
  /** Also to private addresses, and without TLS to this machine. */
  readonly allowPrivate: boolean
}

export interface GuardedAnswer {
  readonly status: number
  /** The beginning, on one line; to be shown to a person who asked, and never to be logged whole. */
  readonly text: string
}

const timeoutMs = 10_000
const mostAnswerBytes = 16 * 1024

/**
 * Posts to an address that somebody else wrote, and can be led nowhere but there: by https alone (http only to this machine, when
 * private addresses are allowed), no redirect is followed, and the connection goes to the very addresses that were checked.
 *
 * One private address among those of a host is enough to refuse it. Addresses of links, of groups and of the metadata of clouds are
 * refused always.
 *
 * @throws `channel.invalid`, `channel.forbidden`, `channel.refused` (an answer that is not 2xx), `channel.unavailable`; the
 * reason of the signal.
 */
export async function post(asked: GuardedRequest, network: Network, signal: AbortSignal): Promise<GuardedAnswer> {
  signal.throwIfAborted()
  const deadline = AbortSignal.timeout(network.timeoutMs ?? timeoutMs)
  const either = AbortSignal.any([signal, deadline])
  const url = parseUrl(asked)
  const place = `${asked.channel} (${url.host})`
  try {
    const addresses = await checkedAddresses(url, asked.allowPrivate, place, network.resolve ?? systemResolve, either)
    const answer = await exchange(url, addresses, asked, network, either)
    return judge(answer, place)
  } catch (thrown) {
    signal.throwIfAborted()
    if (thrown instanceof AppError) throw thrown
    const reason = deadline.aborted ? 'it did not answer in time' : oneLine(textOf(thrown), 200)
    throw notifyError('channel.unavailable', { place, reason }, thrown)
  }
}

function parseUrl({ url: text, channel, allowPrivate }: GuardedRequest): URL {
  const invalid = (reason: string): AppError => notifyError('channel.invalid', { place: channel, reason })
  const url = URL.parse(text.trim())
  if (!url || url.hostname === '') throw invalid('it is not an address, such as https://hooks.example.org/…')
  if (url.username !== '' || url.password !== '') throw invalid('an address with a user in it is not possible')
  if (url.protocol === 'https:') return url
  if (url.protocol === 'http:' && allowPrivate && isLoopback(url.hostname)) return url
  throw notifyError('channel.forbidden', { place: `${channel} (${url.host})`, reason: 'it is not https://' })
}

async function checkedAddresses(
  url: URL,
  allowPrivate: boolean,
  place: string,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const addresses = isIP(host) === 0 ? await before(resolve(host), signal) : [host]
  if (addresses.length === 0) throw notifyError('channel.unavailable', { place, reason: 'its name leads nowhere' })
  for (const address of addresses) {
    const kind = judgeAddress(address)
    if (kind === 'public' || (kind === 'private' && allowPrivate)) continue
    const what = kind === 'private' ? 'a private address' : 'an address that no message may go to'
    throw notifyError('channel.forbidden', { place, reason: `${address} is ${what}` })
  }
  return addresses
}

export const systemResolve: Resolve = async (host) =>
  (await dns.lookup(host, { all: true })).map(({ address }) => address)

/** Because the resolver of the system cannot be stopped. */
export async function before<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const stop = (): void => reject(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', stop)
    work.catch(() => {}) // because it may fail after nobody waits for it any more
  }
}

async function exchange(
  url: URL,
  addresses: readonly string[],
  { headers, body }: GuardedRequest,
  { authorities }: Network,
  signal: AbortSignal,
): Promise<GuardedAnswer> {
  const isSecure = url.protocol === 'https:'
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const options: RequestOptions & { ca?: string; servername?: string } = {
    method: 'POST',
    protocol: url.protocol,
    host,
    ...(url.port !== '' && { port: Number(url.port) }),
    path: `${url.pathname}${url.search}`,
    headers: { ...headers, 'content-length': bytes.length, 'user-agent': 'bewaar' },
    // because a connection that was kept open, or a proxy of the environment, was not checked
    agent: false,
    lookup: onlyThese(addresses),
    signal,
    ...(isSecure && isIP(host) === 0 && { servername: host }),
    ...(isSecure && authorities !== undefined && { ca: authorities }),
  }
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = (isSecure ? httpsRequest : httpRequest)(options, resolve)
  request.on('error', reject)
  request.end(bytes)
  const response = await promise
  try {
    return { status: response.statusCode ?? 0, text: oneLine(await readSome(response), 300) }
  } finally {
    request.destroy()
  }
}

/** Answers the question of Node's connection with what was checked, whatever name it asks for. */
export function onlyThese(addresses: readonly string[]): LookupFunction {
  const found = addresses.map((address) => ({ address, family: isIP(address) }))
  return (_host, { all }, answer) => {
    if (all) answer(null, found)
    else answer(null, found[0]!.address, found[0]!.family)
  }
}

async function readSome(response: IncomingMessage): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response as AsyncIterable<Uint8Array>) {
    parts.push(part)
    size += part.length
    if (size >= mostAnswerBytes) break
  }
  return Buffer.concat(parts).subarray(0, mostAnswerBytes).toString()
}

function judge(answer: GuardedAnswer, place: string): GuardedAnswer {
  const { status, text } = answer
  if (status >= 200 && status < 300) return answer
  if (status >= 300 && status < 400) {
    throw notifyError('channel.refused', { place, reason: `${status}, a redirect, and none is followed` })
  }
  const mayPass = status === 408 || status === 425 || status === 429 || status >= 500
  const reason = `it answered ${status}${text === '' ? '' : `: ${text}`}`
  throw notifyError(mayPass ? 'channel.unavailable' : 'channel.refused', { place, reason })
}
