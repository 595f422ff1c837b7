import { once } from 'node:events'
import type { AddressInfo } from 'node:net'

import { SMTPServer, type SMTPServerOptions } from 'smtp-server'

import type { Certificate } from './certificate.ts'

/** A mail as it came in. */
export interface ArrivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Header and body, undecoded. */
  readonly raw: string
  /** By lower-case name; of one that is there several times, the values with a line end between them. */
  readonly headers: ReadonlyMap<string, string>
  readonly isEncrypted: boolean
  /** Who logged in. */
  readonly user: string | undefined
}

export interface MailServerOptions {
  readonly certificate?: Certificate
  /** `none`: no TLS is offered; `starttls`; `tls`: from the first byte. */
  readonly tls?: 'none' | 'starttls' | 'tls'
  readonly user?: string
  readonly password?: string
  /** Refuses these recipients for good. */
  readonly unknown?: readonly string[]
}

/** A real SMTP server on a free port of this machine, that can be told to behave badly. */
export class MailServer {
  readonly arrived: ArrivedMail[] = []
  /** Passwords that were sent, right or wrong, and whether that was in the clear. */
  readonly logins: { readonly password: string; readonly isEncrypted: boolean }[] = []
  /** `busy`: 451, `refusing`: 550, `stalling`: never an answer; `cutting`: takes the mail and cuts the line. */
  behaviour: 'well' | 'busy' | 'refusing' | 'stalling' | 'cutting' = 'well'
  readonly port: number
  readonly #server: SMTPServer

  private constructor(server: SMTPServer) {
    this.#server = server
    this.port = (server.server.address() as AddressInfo).port
  }

  static async start(options: MailServerOptions = {}): Promise<MailServer> {
    const { certificate, tls = 'none', user, password } = options
    let self: MailServer | undefined
    const settings: SMTPServerOptions = {
      secure: tls === 'tls',
      ...(certificate && { key: certificate.key, cert: certificate.certificate }),
      disabledCommands: [...(tls === 'starttls' ? [] : ['STARTTLS']), ...(user === undefined ? ['AUTH'] : [])],
      authOptional: user === undefined,
      allowInsecureAuth: true,
      logger: false,
      onConnect: (_session, done) => {
        if (self?.behaviour !== 'stalling') done()
      },
      onAuth: ({ username, password: given }, session, done) => {
        self?.logins.push({ password: given ?? '', isEncrypted: session.secure })
        if (username === user && given === password) done(null, { user: username })
        else done(answer(535, '5.7.8 Error: authentication failed: UGFzc3dvcmQ6'))
      },
      onRcptTo: ({ address }, _session, done) => {
        done(options.unknown?.includes(address) ? answer(550, `5.1.1 <${address}> unknown`) : null)
      },
      onData: (stream, session, done) => {
        const parts: Buffer[] = []
        stream.on('data', (part: Buffer) => parts.push(part))
        stream.on('end', () => {
          const how = self?.behaviour
          if (how === 'busy') return done(answer(451, '4.7.1 Try again later'))
          if (how === 'refusing') return done(answer(550, '5.7.1 We do not want this'))
          const raw = Buffer.concat(parts).toString()
          const { mailFrom, rcptTo } = session.envelope
          self?.arrived.push({
            from: mailFrom ? mailFrom.address : '',
            to: rcptTo.map(({ address }) => address),
            raw,
            headers: headersOf(raw),
            isEncrypted: session.secure,
            user: session.user as string | undefined,
          })
          if (how === 'cutting') self?.cut()
          else done()
        })
      },
    }
    const server = new SMTPServer(settings)
    server.on('error', () => {}) // because a client that goes away in the middle is what some tests are about
    server.listen(0, '127.0.0.1')
    await once(server.server, 'listening')
    self = new MailServer(server)
    return self
  }

  /** Cuts every connection. */
  cut(): void {
    for (const connection of this.#server.connections) connection._socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut()
    await new Promise<void>((resolve) => this.#server.close(() => resolve()))
  }
}

function answer(responseCode: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode })
}

function headersOf(raw: string): Map<string, string> {
  const headers = new Map<string, string>()
  const [head = ''] = raw.split('\r\n\r\n')
  for (const line of head.replace(/\r\n[ \t]+/g, ' ').split('\r\n')) {
    const colon = line.indexOf(':')
    const [name, value] = [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before}\n${value}`)
  }
  return headers
}

/** The words of a header in which other letters are encoded. Source: RFC 2047. */
export function decodeWords(text: string): string {
  return text
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, encoding: string, words: string) =>
      encoding.toLowerCase() === 'b'
        ? Buffer.from(words, 'base64').toString('latin1')
        : words
            .replaceAll('_', ' ')
            .replace(/=([0-9A-F]{2})/g, (_hex, byte: string) => String.fromCharCode(Number.parseInt(byte, 16))),
    )
    .replace(/[\u0080-\u00ff]+/g, (bytes) => Buffer.from(bytes, 'latin1').toString())
}

/** A part of a mail, decoded. @param type - `text/plain` or `text/html`. */
export function partOf(raw: string, type: string): string {
  const part = raw.split(/\r\n--[^\r\n]+\r\n/).find((one) => one.toLowerCase().includes(`content-type: ${type}`)) ?? raw
  const end = part.indexOf('\r\n\r\n')
  const [head, body] = [part.slice(0, end).toLowerCase(), part.slice(end + 4)]
  if (head.includes('base64')) return Buffer.from(body, 'base64').toString()
  if (!head.includes('quoted-printable')) return body
  const bytes = body
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 16)))
  return Buffer.from(bytes, 'latin1').toString()
}
