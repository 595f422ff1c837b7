import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import type { Certificate } from './certificate.ts'

export interface ArrivedRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

/** A real HTTP or HTTPS server on a free port of this machine, that keeps what it gets and answers as it is told. */
export class Receiver {
  readonly arrived: ArrivedRequest[] = []
  /** `stalling`: never an answer; `endless`: an answer without an end; a number: that status. */
  behaviour: 'stalling' | 'endless' | 'cutting' | number = 200
  /** Of each answer. */
  text = 'ok'
  headers: Readonly<Record<string, string>> = {}
  readonly port: number
  readonly #server: ReturnType<typeof createServer>

  private constructor(server: ReturnType<typeof createServer>) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  static async start(certificate?: Certificate): Promise<Receiver> {
    let self: Receiver | undefined
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const { method = '', url: path = '', headers } = request
        self?.arrived.push({ method, path, headers, body: Buffer.concat(parts).toString() })
        self?.answer(response)
      })
    }
    const server = certificate
      ? createSecureServer({ key: certificate.key, cert: certificate.certificate }, listener)
      : createServer(listener)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    self = new Receiver(server)
    return self
  }

  answer(response: ServerResponse): void {
    const how = this.behaviour
    if (how === 'stalling') return
    if (how === 'cutting') return void response.destroy()
    if (how === 'endless') {
      response.on('error', () => {})
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
        response.once('drain', more)
      }
      return more()
    }
    response.writeHead(how, this.headers).end(this.text)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}
