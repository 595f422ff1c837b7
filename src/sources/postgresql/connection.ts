import { AppError, Secret } from '#base'
import { sourceError } from '../errors.ts'
import type { ProgramCall } from '../host/host.ts'
import { loadError } from '../load-errors.ts'
import { addressError, shownAddress, type PlainAddress } from '../server-address.ts'

/** One database of a server, as its client programs are told of it. */
export interface Target {
  readonly address: PlainAddress
  readonly database: string
}

const connectSeconds = 15
/** A server that has gone without a word is missed after two minutes. */
const keepAlive = { keepalives_idle: '60', keepalives_interval: '15', keepalives_count: '4' } as const

/**
 * A call of a client program. Where the server is stands in its last two arguments; the password is in a file without a
 * name, which libpq reads as a password file.
 *
 * @throws `source.address-invalid` for a password that no password file can hold.
 */
export function clientCall(target: Target, program: string, args: readonly string[]): ProgramCall {
  const { password } = target.address
  return {
    program,
    args: [...args, '--no-password', `--dbname=${connectionString(target)}`],
    // Words of the programs are read below, so they must be English.
    environment: { LC_ALL: 'C', ...(password && { PGPASSFILE: '/dev/fd/3' }) },
    ...(password && { secretFile: passwordFile(password) }),
  }
}

/**
 * What libpq reads as `name='value'` pairs. Every value is quoted, so that no name of a database is taken for a
 * connection string of its own.
 *
 * Source: postgresql.org/docs, "Connection Strings".
 */
export function connectionString({ address, database }: Target): string {
  const { tls } = address
  const host = address.socket ?? address.host
  const settings: Readonly<Record<string, string | undefined>> = {
    dbname: database,
    host,
    port: address.port?.toString(),
    user: address.user,
    sslmode: tls?.mode,
    sslrootcert: tls?.authorities,
    sslcert: tls?.certificate,
    sslkey: tls?.key,
    connect_timeout: String(connectSeconds),
    application_name: 'bewaar',
    ...keepAlive,
  }
  return Object.entries(settings)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${quoteValue(value)}`]))
    .join(' ')
}

export function quoteValue(value: string): string {
  return `'${value.replace(/['\\]/g, '\\$&')}'`
}

/** One line for every server: the file is made for one call. Source: postgresql.org/docs, "The Password File". */
function passwordFile(password: Secret): Secret {
  const text = password.reveal()
  if (/[\n\r\0]/.test(text)) {
    const reason = 'a password file cannot hold its password, in which there is a line feed, carriage return or NUL'
    throw addressError('source.address-invalid', { reason })
  }
  return new Secret(`*:*:*:*:${text.replace(/[:\\]/g, '\\$&')}\n`)
}

/** Everything that says that the server was not there, or did not let us in. */
const refusals =
  /connection to server|could not connect|could not translate host name|server closed the connection|terminating connection|password authentication failed|no pg_hba\.conf entry|no password supplied|role ".*" does not exist|too many (?:clients|connections)|remaining connection slots|is (?:starting up|shutting down)|not permitted to log in|permission denied for database|SSL (?:error|SYSCALL)|not currently accepting connections/i

/** libpq's and the server's words for a database that is not there. */
const noDatabase = /FATAL: +database ".*" does not exist/s

/**
 * What a client program's failure means before a dump has begun. Anything else than its failure is given back as it is.
 *
 * @returns `source.database-missing`, `source.server-unreachable` or `source.dump-incomplete`.
 */
export function connectionFault(thrown: unknown, target: Target): unknown {
  const stderr = stderrOf(thrown)
  if (stderr === undefined) return thrown
  const server = shownAddress(target.address)
  const { database } = target
  const reason = reasonOf(stderr, target)
  const cause = causeOf(thrown, target)
  if (noDatabase.test(stderr)) return sourceError('source.database-missing', { database, server }, cause)
  if (refusals.test(stderr)) return sourceError('source.server-unreachable', { server, reason }, cause)
  return sourceError('source.dump-incomplete', { database, reason }, cause)
}

/** What it means when a program fails that dumps. @returns as {@link connectionFault}, or what was thrown. */
export function dumpFault(thrown: unknown, target: Target): unknown {
  return workFault(thrown, target, (reason, cause) =>
    sourceError('source.dump-incomplete', { database: target.database, reason }, cause),
  )
}

/** What it means when a program fails that loads. @returns `source.load-failed` or as {@link connectionFault}. */
export function loadFault(thrown: unknown, target: Target): unknown {
  return workFault(thrown, target, (reason, cause) =>
    loadError('source.load-failed', { database: target.database, reason }, cause),
  )
}

function workFault(thrown: unknown, target: Target, raise: (reason: string, cause: unknown) => AppError): unknown {
  const stderr = stderrOf(thrown)
  if (stderr === undefined) return thrown
  if (/connection to server .* failed/i.test(stderr)) return connectionFault(thrown, target)
  return raise(`${outcomeOf(thrown)}: ${reasonOf(stderr, target)}`, causeOf(thrown, target))
}

/** Standard error of a program that failed; undefined for everything else that can be thrown. */
export function stderrOf(thrown: unknown): string | undefined {
  return thrown instanceof AppError && thrown.code === 'program.failed' ? String(thrown.facts['stderr']) : undefined
}

function outcomeOf(thrown: unknown): string {
  return thrown instanceof AppError ? String(thrown.facts['outcome']) : 'failed'
}

/** Longer reasons are lists of tables. */
const longestReason = 500

/** The words of a program on one line, without the SQL that it repeats and without a password. */
function reasonOf(stderr: string, { address }: Target): string {
  const lines = stderr.split('\n').map((line) => line.trim().replace(/^(?:psql|pg_\w+): (?:error: )?/, ''))
  const told = lines.filter((line) => line !== '' && !/^detail: (?:Query|Command) was: /.test(line)).join(' ')
  return scrub(told, address.password).slice(0, longestReason)
}

/** The first error, unless there is a password in it. */
function causeOf(thrown: unknown, { address }: Target): unknown {
  const text = stderrOf(thrown) ?? ''
  return scrub(text, address.password) === text ? thrown : undefined
}

function scrub(text: string, password: Secret | undefined): string {
  const hidden = password?.reveal() ?? ''
  return hidden === '' ? text : text.replaceAll(hidden, '***')
}
