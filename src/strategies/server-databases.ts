import { Secret } from '#base'
import {
  databaseFile,
  parseServerUrl,
  plainAddress,
  shownAddress,
  type PlainAddress,
  type PlannedSource,
  type ServerAddress,
} from '#sources'
import { strategyError } from './errors.ts'
import type { ProjectContent, ServerDatabase } from './strategy.ts'

/** A database on a server, as a project's own settings tell of it. */
export interface FoundDatabase {
  readonly driver: ServerDatabase['driver']
  readonly address: PlainAddress
  readonly name?: string
  /** Where it is told, for people: `connection pgsql of config/database.php`. */
  readonly from: string
}

/** A database that a run dumps. */
interface WantedDatabase extends FoundDatabase {
  readonly name: string
  readonly format: 'plain' | 'custom'
  readonly leaveOutSchemas: readonly string[]
}

/** A database that a URL names; the driver is the URL's. @throws `source.address-invalid`. */
export function databaseOfUrl(url: string, from: string): FoundDatabase {
  const { driver, address, database } = parseServerUrl(new Secret(url))
  return { driver, address, from, ...(database !== undefined && { name: database }) }
}

/** True for a text that is the URL of a server this version can dump. */
export function isServerUrl(text: string): boolean {
  return /^(?:postgres(?:ql)?|pgsql|mysql2?|mariadb)(?:\+\w+)?:\/\/\S+$/i.test(text)
}

/**
 * The sources for the databases that a project's settings name, with what the configuration says about them.
 *
 * An entry of the configuration is about the found database of its driver with its name, or else about the first one
 * that no other entry is about; one with another name is a further database on the same server, unless it says where it is.
 *
 * @throws `strategy.database-unnamed` when nobody says what a database is called; `source.address-invalid`.
 */
export function planServerDatabases(
  project: string,
  found: readonly FoundDatabase[],
  configured: readonly ServerDatabase[],
): PlannedSource[] {
  const wanted = mergeDatabases(found, configured).map((database): WantedDatabase => {
    const { name, driver, from } = database
    if (name === undefined) throw strategyError('strategy.database-unnamed', { driver, from, path: project })
    return { ...database, name }
  })
  const different = new Map(wanted.map((database) => [`${serverOf(database)} ${database.name}`, database]))
  return sourcesOf([...different.values()])
}

type Merged = FoundDatabase & Pick<WantedDatabase, 'format' | 'leaveOutSchemas'>

function mergeDatabases(found: readonly FoundDatabase[], configured: readonly ServerDatabase[]): Merged[] {
  const about = new Map<FoundDatabase, ServerDatabase>()
  const further: ServerDatabase[] = []
  for (const entry of configured) {
    const open = found.filter((one) => familyOf(one.driver) === familyOf(entry.driver) && !about.has(one))
    const name = nameOf(entry)
    const match = open.find((one) => one.name === name || name === undefined || one.name === undefined)
    if (match) about.set(match, entry)
    else further.push(entry)
  }
  return [
    ...found.map((one) => merge(one, about.get(one))),
    ...further.map((entry) => {
      const sameServer = found.find(({ driver }) => familyOf(driver) === familyOf(entry.driver))
      const { driver } = entry
      return merge({ driver, address: sameServer?.address ?? {}, from: 'the configuration' }, entry)
    }),
  ]
}

function nameOf(entry: ServerDatabase): string | undefined {
  return entry.name ?? (entry.url && parseServerUrl(entry.url).database)
}

function merge(found: FoundDatabase, entry: ServerDatabase | undefined): Merged {
  if (!entry) return { ...found, format: 'plain', leaveOutSchemas: [] }
  const { driver, url, host, port, socket, user, password, tls } = entry
  const given: ServerAddress = {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port }),
    ...(socket !== undefined && { socket }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
    ...(url !== undefined && { url }),
  }
  const name = nameOf(entry) ?? found.name
  return {
    driver,
    address: url ? plainAddress(given) : { ...without(found.address, given), ...given },
    from: found.from,
    ...(name !== undefined && { name }),
    format: entry.driver === 'postgresql' ? entry.format : 'plain',
    leaveOutSchemas: entry.driver === 'postgresql' ? entry.leaveOutSchemas : [],
  }
}

/** A host that is given means that host: neither the socket nor the port of another one. */
function without(address: PlainAddress, given: ServerAddress): PlainAddress {
  const { host, port, socket: _, ...rest } = address
  if (given.socket !== undefined) return rest
  if (given.host !== undefined) return { ...rest, ...(given.host === host && port !== undefined && { port }) }
  return address
}

function familyOf(driver: ServerDatabase['driver']): 'postgresql' | 'mysql' {
  return driver === 'postgresql' ? 'postgresql' : 'mysql'
}

/** The same text for the same server. */
export function serverOf({ driver, address }: Pick<FoundDatabase, 'driver' | 'address'>): string {
  const port = address.port ?? (driver === 'postgresql' ? 5432 : 3306)
  const place = address.socket ?? address.host ?? 'localhost'
  return `${familyOf(driver)} ${place === 'localhost' ? '127.0.0.1' : place} ${address.socket === undefined ? port : ''}`
}

/** One source for each account of a server and format; the globals of a server are taken once. */
function sourcesOf(wanted: readonly WantedDatabase[]): PlannedSource[] {
  const files = new Set<string>()
  const globals = new Map<string, string>()
  const groups = Map.groupBy(wanted, (one) =>
    [serverOf(one), one.address.user ?? '', one.format, ...one.leaveOutSchemas].join('\n'),
  )
  return [...groups.values()].map((group): PlannedSource => {
    const [first] = group as [WantedDatabase, ...WantedDatabase[]]
    const server = serverOf(first)
    const { driver, address: connection, format, leaveOutSchemas } = first
    const databases = group.map((one) => ({
      name: one.name,
      at: freeFile(files, one, databaseFile(one.name, format === 'custom' ? 'dump' : 'sql')),
    }))
    const isFirst = !globals.has(server)
    if (isFirst) globals.set(server, freeFile(files, first, 'globals.sql'))
    const at = globals.get(server)!
    if (driver !== 'postgresql') {
      return { kind: 'mysql', options: { connection, databases, driver, ...(isFirst && { grants: at }) } }
    }
    return {
      kind: 'postgresql',
      options: {
        connection,
        databases,
        format,
        ...(leaveOutSchemas.length > 0 && { leaveOutSchemas }),
        ...(isFirst && { globals: at }),
      },
    }
  })
}

/** `database/shop.sql`; a second one of that name says of which server it is. */
function freeFile(taken: Set<string>, { driver, address }: FoundDatabase, file: string): string {
  const dot = file.lastIndexOf('.')
  const place = shownAddress(address)
    .replace(/[^\w.-]+/g, '-')
    .replace(/^-+/, '')
  const named = ['', `-${driver}`, `-${place}`].map((suffix) => file.slice(0, dot) + suffix + file.slice(dot))
  for (let count = 0; ; count++) {
    const name = named[count] ?? `${file.slice(0, dot)}-${count}${file.slice(dot)}`
    // Because file systems that know no upper case would put two databases into one file.
    if (taken.has(name.toLowerCase())) continue
    taken.add(name.toLowerCase())
    return `database/${name}`
  }
}

/** The databases on servers that the configuration names for a project. */
export function serversOf({ databases }: ProjectContent): ServerDatabase[] {
  return (databases ?? []).filter((database): database is ServerDatabase => !('path' in database))
}
