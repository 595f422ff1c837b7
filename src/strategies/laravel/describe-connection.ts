import { AppError, Secret } from '#base'
import type { PlainAddress } from '#sources'
import { databaseOfUrl, isServerUrl, type FoundDatabase } from '../server-databases.ts'
import { findIn, isArray, isUnknown, textOfValue, valuesOf, type PhpArray } from './php-value.ts'
import { findSetting, isHidden, type LaravelSettings } from './settings.ts'

/** What to do about a setting that is not known. */
export const nameIt = 'name it under `databases`'

const drivers: Readonly<Record<string, FoundDatabase['driver']>> = {
  mysql: 'mysql',
  mariadb: 'mariadb',
  pgsql: 'postgresql',
}

/** A connection, as its settings describe it: a server, or a file of SQLite, or neither and why. */
export interface DescribedConnection {
  readonly server?: FoundDatabase
  readonly sqlite?: string
  readonly troubles: readonly string[]
}

/** What is understood of a connection; settings that only the running application knows are in `troubles`. */
export function describeConnection(name: string, connection: PhpArray, settings: LaravelSettings): DescribedConnection {
  const place = settings.hasDatabaseFile ? 'config/database.php' : '.env'
  const from = `connection ${name} of ${place}`
  const merged = writing(connection)
  if (isHidden(merged, 'url')) return trouble(`The url of the ${from} is only known when it runs; ${nameIt}`)
  const url = findSetting(merged, 'url')
  const isFile = url !== undefined && /^sqlite3?:/i.test(url)
  if (url !== undefined && !isFile && !isServerUrl(url)) {
    return trouble(
      `The url of the ${from} is not one of PostgreSQL, MySQL, MariaDB or SQLite; its database is not taken`,
    )
  }
  const driver = findSetting(merged, 'driver')
  if (isFile || (url === undefined && driver === 'sqlite')) {
    const file = isFile ? url.replace(/^sqlite3?:(?:\/\/(?:[^/]*\/)?)?/i, '') : findSetting(merged, 'database')
    if (file === ':memory:') return { troubles: [] }
    return file === undefined ? trouble(`The ${from} names no database; ${nameIt}`) : { sqlite: file, troubles: [] }
  }
  const known = drivers[driver ?? '']
  if (url === undefined && !known) {
    return trouble(
      `The ${from} has the driver ${driver ?? 'that nobody knows'}, which is not dumped; its database is not taken`,
    )
  }
  try {
    const ofUrl = url === undefined ? undefined : databaseOfUrl(url, from)
    const troubles = ['host', 'port', 'database', 'username', 'password', 'unix_socket']
      .filter((key) => isHidden(merged, key))
      .map((key) => `The ${key} of the ${from} is only known when it runs; ${nameIt}`)
    const database = ofUrl?.name ?? findSetting(merged, 'database')
    const kind = ofUrl?.driver ?? known!
    const address = { ...addressOf(merged, kind, settings), ...ofUrl?.address }
    // Because a socket of the settings goes before the host of the url, if it were left.
    if (ofUrl?.address.host !== undefined && ofUrl.address.socket === undefined) {
      const { socket: _, ...rest } = address
      return { server: named({ driver: kind, address: rest, from }, database), troubles }
    }
    return { server: named({ driver: kind, address, from }, database), troubles }
  } catch (thrown) {
    if (thrown instanceof AppError) return trouble(`The url of the ${from} cannot be used: ${thrown.message}`)
    throw thrown
  }
}

function named(database: Omit<FoundDatabase, 'name'>, name: string | undefined): FoundDatabase {
  return name === undefined ? database : { ...database, name }
}

function trouble(text: string): DescribedConnection {
  return { troubles: [text] }
}

/** Where an application writes to one server and reads from others, the truth is where it writes. */
function writing(connection: PhpArray): PhpArray {
  const write = findIn(connection, 'write')
  const read = findIn(connection, 'read')
  const side = [write, read].find((one) => isArray(one) && one.entries.size > 0)
  if (!isArray(side)) return connection
  const first = isArray(valuesOf(side)[0]) && side.entries.has('0') ? valuesOf(side)[0] : side
  if (!isArray(first)) return connection
  return { ...connection, entries: new Map([...connection.entries, ...first.entries]) }
}

function addressOf(connection: PhpArray, driver: FoundDatabase['driver'], settings: LaravelSettings): PlainAddress {
  const hosts = findIn(connection, 'host')
  const host = isArray(hosts) ? findSetting(valuesOf(hosts)[0]) : findSetting(hosts)
  const port = Number(findSetting(connection, 'port') ?? '')
  const socket = findSetting(connection, 'unix_socket') ?? (host?.startsWith('/') ? host : undefined)
  const user = findSetting(connection, 'username')
  const written = findIn(connection, 'password')
  const password = isUnknown(written) ? undefined : textOfValue(written)
  const tls = driver === 'postgresql' ? tlsOfPostgresql(connection) : tlsOfMysql(settings)
  // Because to MySQL's clients `localhost` is the socket, and every port is beside the point.
  const isSocket = socket !== undefined || (driver !== 'postgresql' && host === 'localhost')
  return {
    ...(host !== undefined && !isSocket && { host }),
    ...(port > 0 && port < 65536 && (!isSocket || driver === 'postgresql') && { port }),
    ...(socket !== undefined && { socket }),
    ...(user !== undefined && { user }),
    ...(password && { password: new Secret(password) }),
    ...(tls && { tls }),
  }
}

const modes: ReadonlySet<string> = new Set(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'])

function tlsOfPostgresql(connection: PhpArray): PlainAddress['tls'] {
  const mode = findSetting(connection, 'sslmode')
  if (mode === undefined || mode === 'prefer' || !modes.has(mode)) return undefined
  const authorities = findSetting(connection, 'sslrootcert')
  const certificate = findSetting(connection, 'sslcert')
  const key = findSetting(connection, 'sslkey')
  return {
    mode: mode as NonNullable<PlainAddress['tls']>['mode'],
    ...(authorities !== undefined && { authorities }),
    ...(certificate !== undefined && { certificate }),
    ...(key !== undefined && { key }),
  }
}

/** Every application has it in `options`, under a constant of PHP that is not known here. */
function tlsOfMysql({ environment }: LaravelSettings): PlainAddress['tls'] {
  const authorities = environment.get('MYSQL_ATTR_SSL_CA') ?? ''
  return authorities === '' ? undefined : { mode: 'verify-ca', authorities }
}
