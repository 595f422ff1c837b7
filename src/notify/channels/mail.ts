import { connect, isIP, type LookupFunction, type Socket } from 'node:net'

import { AppError, textOf, type Secret } from '#base'
import { isLoopback } from '../addresses.ts'
import type { Channel, Message, Receipt } from '../channel.ts'
import { notifyError } from '../errors.ts'
import { before, onlyThese, systemResolve, type Network } from '../http.ts'
import { oneLine, plainLines } from '../plain.ts'

export interface MailOptions {
  /** `smtps://user@host:port`, TLS from the first byte; `smtp://…`, TLS by STARTTLS. */
  readonly smtp: string
  /** Default: the user in `smtp`. */
  readonly user?: string
  readonly password?: Secret
  /** Addresses without a name. */
  readonly from: string
  readonly to: readonly string[]
}

const timeoutMs = 30_000
/** Source: RFC 5322, section 2.1.1: a line of a header, folded by nodemailer; longer subjects are cut off by readers anyway. */
const longestSubject = 200
const mostReferences = 20

/**
 * Mail by SMTP. With a server that is not on this machine, nothing is sent before TLS with a valid certificate; on this machine
 * TLS is used when the server offers it.
 */
export function mailChannel(options: MailOptions, network: Network = {}): Channel {
  return { name: 'mail', send: (message, signal) => send(message, options, network, signal) }
}

async function send(message: Message, options: MailOptions, network: Network, signal: AbortSignal): Promise<Receipt> {
  signal.throwIfAborted()
  const deadline = AbortSignal.timeout(network.timeoutMs ?? timeoutMs)
  const either = AbortSignal.any([signal, deadline])
  const url = new URL(options.smtp)
  const place = `mail (${url.host})`
  try {
    const socket = await open(url, network, either)
    const end = (): void => void socket.destroy()
    either.addEventListener('abort', end, { once: true })
    try {
      return await before(deliver(message, options, url, socket, network), either)
    } finally {
      either.removeEventListener('abort', end)
      socket.destroy()
    }
  } catch (thrown) {
    signal.throwIfAborted()
    throw deadline.aborted
      ? notifyError('channel.unavailable', { place, reason: 'the server did not answer in time' }, thrown)
      : translated(thrown, place)
  }
}

async function open(url: URL, { resolve = systemResolve }: Network, signal: AbortSignal): Promise<Socket> {
  const host = hostOf(url)
  const addresses = isIP(host) === 0 ? await before(resolve(host), signal) : [host]
  const port = url.port !== '' ? Number(url.port) : url.protocol === 'smtps:' ? 465 : 587
  const lookup: LookupFunction = onlyThese(addresses)
  const socket = connect({ host, port, lookup })
  const { promise, resolve: connected, reject } = Promise.withResolvers<void>()
  socket.once('connect', connected)
  socket.once('error', reject)
  try {
    await before(promise, signal)
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    socket.off('error', reject)
    socket.on('error', () => {}) // because a connection that is given up may still fail, and nobody waits for it
  }
}

async function deliver(
  message: Message,
  { user, password, from, to }: MailOptions,
  url: URL,
  connection: Socket,
  { authorities }: Network,
): Promise<Receipt> {
  const { createTransport } = await import('nodemailer')
  const host = hostOf(url)
  const isSecure = url.protocol === 'smtps:'
  const isHere = isLoopback(host)
  const name = user ?? decodeURIComponent(url.username)
  const transport = createTransport({
    host,
    secure: isSecure,
    requireTLS: !isSecure && !isHere,
    connection,
    disableFileAccess: true,
    disableUrlAccess: true,
    tls: {
      minVersion: 'TLSv1.2',
      ...(isIP(host) === 0 && { servername: host }),
      ...(authorities !== undefined && { ca: authorities }),
      // because what stays on this machine is read by nobody, and its mail server often has a certificate of its own making
      rejectUnauthorized: !isHere || isSecure || authorities !== undefined,
    },
    ...(name !== '' && password && { auth: { user: name, pass: password.reveal() } }),
  })
  const domain = from.slice(from.lastIndexOf('@') + 1)
  const id = `<${message.id}@${domain}>`
  const thread = (message.about ?? []).slice(0, mostReferences).map((incident) => `<${incident}.opened@${domain}>`)
  const references = thread.filter((reference) => reference !== id)
  const info = await transport.sendMail({
    from: { name: 'Bewaar', address: from },
    to: to.map((address) => ({ name: '', address })),
    envelope: { from, to: [...to] },
    subject: oneLine(message.subject, longestSubject),
    text: plainLines(message.text, 1_000_000),
    ...(message.html !== undefined && { html: message.html }),
    messageId: id,
    date: new Date(message.at),
    ...(references.length > 0 && { references, inReplyTo: references[0]! }),
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
  })
  const answer = oneLine(info.response, 300)
  if (info.rejected.length === 0) return { answer }
  return {
    answer,
    warning: `The server refused ${info.rejected.length} of ${to.length} recipients: ${info.rejected.join(', ')}`,
  }
}

/** Literal addresses of IPv6 have brackets in a URL alone. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

function translated(thrown: unknown, place: string): AppError {
  if (thrown instanceof AppError) return thrown
  const { responseCode, response, code } = (thrown instanceof Error ? thrown : {}) as {
    responseCode?: number
    response?: string
    code?: string
  }
  const reason = oneLine(response ?? textOf(thrown), 300)
  const needsPerson = responseCode !== undefined ? responseCode >= 500 : code === 'ETLS' || isCertificateTrouble(thrown)
  return notifyError(needsPerson ? 'channel.refused' : 'channel.unavailable', { place, reason }, thrown)
}

function isCertificateTrouble(thrown: unknown): boolean {
  return /certificate|self[- ]signed|altnames|unable to verify/i.test(textOf(thrown))
}
