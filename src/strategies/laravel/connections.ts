import { posix } from 'node:path'

import { rawPathOf, type Host, type SourceFinding } from '#sources'
import type { FoundDatabase } from '../server-databases.ts'
import { findOutdatedCache } from './cached-settings.ts'
import { describeConnection, nameIt } from './describe-connection.ts'
import { findIn, isArray, type PhpArray, type PhpValue } from './php-value.ts'
import { findSetting, type LaravelSettings } from './settings.ts'

/** The databases that a Laravel application uses. */
export interface LaravelDatabases {
  readonly servers: readonly FoundDatabase[]
  /** Files of SQLite, absolute. */
  readonly sqlite: readonly string[]
  /** In words: connections that are not taken, and why. */
  readonly leavesOut: readonly string[]
  readonly findings: readonly SourceFinding[]
}

/**
 * Which connections an application uses: the default one, and every other one that is its own, because variables in
 * `.env` are about it alone or because its database is written out. The connections that every application has in its
 * settings and that only share the variables of the default one are none.
 */
export async function findLaravelDatabases(settings: LaravelSettings, host: Host): Promise<LaravelDatabases> {
  const found = { servers: [] as FoundDatabase[], sqlite: [] as string[], leavesOut: [] as string[] }
  const findings: SourceFinding[] = []
  const subject = settings.hasDatabaseFile ? `${settings.base}/config/database.php` : `${settings.base}/.env`
  const report = (text: string): void => void findings.push({ subject, severity: 'warning', text })
  const connections = findIn(settings.database, 'connections')
  const all = isArray(connections) ? connections.entries : new Map<string, PhpValue>()

  const take = async (name: string, connection: PhpArray, isDefault: boolean): Promise<void> => {
    const taken = describeConnection(name, connection, settings)
    for (const text of taken.troubles) report(text)
    if (taken.server) found.servers.push(taken.server)
    if (taken.sqlite === undefined) return
    const file = await findSqliteFile(taken.sqlite, settings.base, host)
    if (file !== undefined) found.sqlite.push(file)
    else if (isDefault)
      report(`The connection ${name} is the SQLite database ${taken.sqlite}, and there is no such file`)
  }

  const usual = findIn(settings.database, 'default')
  const fallback = typeof usual === 'string' ? all.get(usual) : undefined
  if (typeof usual !== 'string' || usual === '') {
    report(`The default connection is not known, so its database is not taken; ${nameIt}`)
  } else if (isArray(fallback)) await take(usual, fallback, true)
  else report(`The default connection ${usual} is not known, so its database is not taken; ${nameIt}`)

  const outdated = await findOutdatedCache(settings, isArray(fallback) ? fallback : undefined, host)
  if (outdated) findings.push(outdated)

  const shared = (isArray(fallback) && fallback.variables) || new Set<string>()
  for (const name of settings.ownConnections) {
    const connection = all.get(name)
    if (name === usual || !isArray(connection)) continue
    if (isItsOwn(connection, shared, settings.environment)) await take(name, connection, false)
    else if (!isStock(name)) found.leavesOut.push(`connection ${name}: nothing in .env is about it alone`)
  }
  if ([...environmentOf(settings, queueNames)].includes('redis')) {
    found.leavesOut.push('Redis: jobs that wait in its queues')
  }
  return { ...found, findings }
}

const queueNames = ['QUEUE_CONNECTION', 'QUEUE_DRIVER']

function environmentOf({ environment }: LaravelSettings, names: readonly string[]): string[] {
  return names.flatMap((name) => environment.get(name) ?? [])
}

function isStock(name: string): boolean {
  return ['sqlite', 'mysql', 'mariadb', 'pgsql', 'sqlsrv'].includes(name)
}

/** What tells one database from another. */
const placeKeys = ['url', 'host', 'database', 'unix_socket', 'read', 'write']

function isItsOwn(
  connection: PhpArray,
  shared: ReadonlySet<string>,
  environment: ReadonlyMap<string, string>,
): boolean {
  const variables = [...(connection.variables ?? [])]
  const isSet = (name: string): boolean => (environment.get(name) ?? '') !== ''
  if (variables.some((name) => !shared.has(name) && isSet(name) && isAboutPlace(name))) return true
  const hasPlace = placeKeys.some((key) => findSetting(connection, key) !== undefined)
  return variables.length === 0 && hasPlace && findSetting(connection, 'database') !== ':memory:'
}

/** An account or a certificate alone makes no other database. */
function isAboutPlace(variable: string): boolean {
  return /URL|DSN|HOST|DATABASE|NAME|SOCKET|DB$/i.test(variable) && !/SSL|USERNAME|PASSWORD/i.test(variable)
}

/** A relative path is tried where the application looks for it: from its own folder, and from that of the web server. */
async function findSqliteFile(path: string, base: string, host: Host): Promise<string | undefined> {
  const places = [posix.resolve(base, path), posix.resolve(base, 'public', path), posix.resolve(base, 'database', path)]
  for (const place of new Set(places)) if ((await host.kindAt(rawPathOf(place))) === 'file') return place
  return undefined
}
