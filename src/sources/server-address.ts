import { defineErrors, Secret } from '#base'

export const addressError = defineErrors({
  'source.address-invalid': {
    kind: 'invalid',
    message: 'The address of the database server cannot be used: {reason}',
    hint: 'A URL is written as driver://user:password@host:port/database, with special characters of the password as %XX.',
  },
})

/** How far a connection is encrypted and whom it trusts, in PostgreSQL's words. MySQL's have the same meanings. */
export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full'

export interface TlsOptions {
  readonly mode: TlsMode
  /** Paths on the host of the source: the authorities that are trusted, the client's own certificate and its key. */
  readonly authorities?: string
  readonly certificate?: string
  readonly key?: string
}

/**
 * Where a database server is, as seen from the host of the source, and who asks. What is not given is what the server's
 * own programs take for granted.
 */
export interface ServerAddress {
  readonly host?: string
  readonly port?: number
  /** Absolute: PostgreSQL's folder of sockets, or the socket of MySQL. Goes before `host`. */
  readonly socket?: string
  readonly user?: string
  readonly password?: Secret
  /** Fills in what the other members leave open. A secret as a whole, because a password may be in it. */
  readonly url?: Secret
  readonly tls?: TlsOptions
}

/** A server's address without a URL. */
export type PlainAddress = Omit<ServerAddress, 'url'>

export interface ServerUrl {
  readonly driver: 'postgresql' | 'mysql' | 'mariadb'
  readonly address: PlainAddress
  readonly database?: string
}

/** Schemes that frameworks use: Laravel's aliases, Rails', SQLAlchemy's before its `+driver`. */
const drivers: Readonly<Record<string, ServerUrl['driver']>> = {
  postgres: 'postgresql',
  postgresql: 'postgresql',
  pgsql: 'postgresql',
  mysql: 'mysql',
  mysql2: 'mysql',
  mariadb: 'mariadb',
}

const shape =
  /^(?<scheme>[a-z][a-z0-9]*)(?:\+\w+)?:\/\/(?:(?<account>[^/?#]*)@)?(?<host>\[[^\]]*\]|[^:/?#@]*)(?::(?<port>\d*))?(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?(?:#.*)?$/is

/**
 * Takes a URL apart as PostgreSQL's and MySQL's clients and the frameworks around them do: everything percent-decoded,
 * an `@` in the password forgiven, sockets by `?host=/folder`, `?socket=/path` or a percent-encoded host, TLS by
 * `sslmode`, `ssl-mode`, `sslaccept` or `ssl`.
 *
 * @throws `source.address-invalid`, whose text never holds a part of the URL.
 *
 * Source: postgresql.org/docs, "Connection URIs"; dev.mysql.com/doc/refman, "Connecting Using URI-Like Strings".
 */
export function parseServerUrl(url: Secret): ServerUrl {
  const parts = shape.exec(url.reveal().trim())?.groups
  if (!parts) throw addressError('source.address-invalid', { reason: 'it has not the form of a URL' })
  const driver = drivers[parts['scheme']!.toLowerCase()]
  if (!driver) throw addressError('source.address-invalid', { reason: 'its scheme is neither PostgreSQL nor MySQL' })

  const query = parseQuery(parts['query'] ?? '')
  const [user, password] = splitOnce(parts['account'] ?? '', ':').map(decode) as [string, string?]
  const host = query.get('host') ?? decode(parts['host']!.replace(/^\[|\]$/g, ''))
  const port = parts['port'] || query.get('port')
  if (port !== undefined && !isPort(port)) throw addressError('source.address-invalid', { reason: 'its port is none' })
  if (host.includes(',')) throw addressError('source.address-invalid', { reason: 'it names several hosts' })

  const socket = query.get('socket') ?? query.get('unix_socket') ?? (host.startsWith('/') ? host : undefined)
  const givenPassword = password ?? query.get('password')
  const database = decode(parts['path'] ?? '') || (query.get('dbname') ?? '')
  const tls = parseTls(query)
  return {
    driver,
    address: {
      ...(host !== '' && !host.startsWith('/') && { host }),
      ...(port !== undefined && { port: Number(port) }),
      ...(socket !== undefined && { socket }),
      ...((user || query.get('user')) && { user: user || query.get('user')! }),
      ...(givenPassword && { password: new Secret(givenPassword) }),
      ...(tls && { tls }),
    },
    ...(database !== '' && { database }),
  }
}

/** The address with what its URL says in place of the URL. @throws `source.address-invalid`. */
export function plainAddress({ url, ...given }: ServerAddress): PlainAddress {
  if (url === undefined) return given
  const { address } = parseServerUrl(url)
  // A host that is given means that host, and not the socket of the URL.
  const { socket, ...others } = address
  return { ...others, ...(socket !== undefined && given.host === undefined && { socket }), ...given }
}

/** For people: `db.example.org:5433`, `/run/postgresql`, and nothing that is secret. */
export function shownAddress(address: PlainAddress): string {
  if (address.socket !== undefined) return address.socket
  const host = address.host ?? 'the local server'
  return address.port === undefined ? host : `${host}:${address.port}`
}

/**
 * The name of a database's file in the snapshot, such as `shop.sql`. Different databases have different names: `/`, `%`,
 * control characters and a leading dot are written as %XX, by byte.
 */
export function databaseFile(name: string, extension: string): string {
  // eslint-disable-next-line no-control-regex
  const escaped = name.replace(/[/%\u0000-\u001f\u007f-\u009f]|^\./g, (char) =>
    [...Buffer.from(char)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )
  return `${escaped}.${extension}`
}

function parseQuery(text: string): ReadonlyMap<string, string> {
  const pairs = text.split('&').filter((pair) => pair !== '')
  return new Map(
    pairs.map((pair) => {
      const [key, value = ''] = splitOnce(pair, '=')
      return [decode(key!).toLowerCase(), decode(value)]
    }),
  )
}

const modes: Readonly<Record<string, TlsMode>> = {
  disable: 'disable',
  disabled: 'disable',
  allow: 'prefer',
  prefer: 'prefer',
  preferred: 'prefer',
  require: 'require',
  required: 'require',
  'verify-ca': 'verify-ca',
  verify_ca: 'verify-ca',
  'verify-full': 'verify-full',
  verify_identity: 'verify-full',
}

function parseTls(query: ReadonlyMap<string, string>): TlsOptions | undefined {
  const mode = parseTlsMode(query)
  const key = query.get('sslkey') ?? query.get('ssl-key')
  const certificate = query.get('sslcert') ?? query.get('ssl-cert')
  const authorities = query.get('sslrootcert') ?? query.get('sslca') ?? query.get('ssl-ca')
  // Prisma calls the authorities `sslcert`; a client's own certificate is of no use without its key.
  const isAuthorities = certificate !== undefined && key === undefined && authorities === undefined
  const trusted = isAuthorities ? certificate : authorities
  if (mode === undefined && trusted === undefined && certificate === undefined) return undefined
  return {
    mode: mode ?? 'require',
    ...(trusted !== undefined && { authorities: trusted }),
    ...(certificate !== undefined && key !== undefined && { certificate, key }),
  }
}

function parseTlsMode(query: ReadonlyMap<string, string>): TlsMode | undefined {
  const named = query.get('sslmode') ?? query.get('ssl-mode')
  if (named !== undefined) {
    const mode = modes[named.toLowerCase()]
    if (!mode) throw addressError('source.address-invalid', { reason: 'it names no known mode of TLS' })
    // Prisma's `sslaccept=strict` asks for the certificate to be right in every mode that encrypts.
    return mode !== 'disable' && query.get('sslaccept') === 'strict' ? 'verify-full' : mode
  }
  if (query.has('sslaccept')) return query.get('sslaccept') === 'strict' ? 'verify-full' : 'require'
  const ssl = query.get('ssl')?.toLowerCase()
  if (ssl === undefined) return undefined
  return ssl === 'false' || ssl === '0' || ssl === 'no' ? 'disable' : 'require'
}

function isPort(text: string): boolean {
  return /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65536
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)]
}

/** Leaves a `%` alone that begins no escape, as PHP does: passwords are often written without escaping. */
function decode(text: string): string
function decode(text: string | undefined): string | undefined
function decode(text: string | undefined): string | undefined {
  return text?.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => Buffer.from(escapes.replaceAll('%', ''), 'hex').toString())
}
