import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'

import { exchange, type Answer, type Call, type Head, type Transport } from './transport.ts'

export interface Http1Options {
  /** Connections for the transfer of files; two more at most are for lists and locks. */
  readonly connections: number
  readonly stallMs: number
  /** Certificates in PEM that are trusted in place of the system's. */
  readonly ca?: string
}

/** Lists and locks have connections of their own, so that a list that is read slowly holds up no file, and no file a lock. */
const asideConnections = 2

/** HTTP/1.1 over connections that are kept open. Redirects are answers like any other: nothing is followed. */
export class Http1Transport implements Transport {
  readonly #origin: Pick<RequestOptions, 'protocol' | 'host' | 'port'>
  readonly #ask: typeof httpRequest
  readonly #agent: HttpAgent
  readonly #aside: HttpAgent
  readonly #stallMs: number
  #isDisposed = false

  /** @param url - its protocol, host and port are used. */
  constructor(url: URL, { connections, stallMs, ca }: Http1Options) {
    const isSecure = url.protocol === 'https:'
    // because a literal address of IPv6 has brackets in a URL alone
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
    this.#origin = { protocol: url.protocol, host, ...(url.port !== '' && { port: Number(url.port) }) }
    this.#ask = isSecure ? httpsRequest : httpRequest
    this.#stallMs = stallMs
    const agentOf = (maxSockets: number): HttpAgent => {
      const options = { keepAlive: true, maxSockets, scheduling: 'lifo' } as const
      return isSecure ? new HttpsAgent({ ...options, ...(ca !== undefined && { ca }) }) : new HttpAgent(options)
    }
    this.#agent = agentOf(connections)
    this.#aside = agentOf(asideConnections)
  }

  async ask({ method, path, headers, body, aside }: Call, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted()
    // because what still tidies up would leave a connection open
    if (this.#isDisposed) throw new Error('it was closed')
    const agent = aside ? this.#aside : this.#agent
    const request = this.#ask({ ...this.#origin, method, path, headers, agent })
    const head = new Promise<Head>((resolve, reject) => {
      request.once('response', (message: IncomingMessage) =>
        resolve({ status: message.statusCode ?? 0, headers: message.headers, body: message }),
      )
      request.on('error', reject)
      request.once('close', () => reject(new Error('the connection was closed without an answer')))
    })
    const begun = new Promise((resolve) => request.once('socket', resolve))
    return await exchange({ request, begun, head }, body, this.#stallMs, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    this.#agent.destroy()
    this.#aside.destroy()
  }
}
