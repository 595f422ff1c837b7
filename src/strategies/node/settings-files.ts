import type { FoundDatabase } from '../server-databases.ts'
import { driverOf } from './drivers.ts'

/** What a settings file says of a database, as far as it is written out or stands in the environment. */
export interface FoundSettings {
  readonly driver: FoundDatabase['driver']
  readonly url?: string | undefined
  readonly name?: string | undefined
  readonly host?: string | undefined
  readonly port?: string | undefined
  readonly socket?: string | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
}

type Environment = ReadonlyMap<string, string>

/** A file that is longer is none. Characters. */
const longestText = 1 << 18
const deepest = 8

/** Reads the databases in a JSON file: Sequelize's `config.json`, TypeORM's `ormconfig.json`, `config` and the like. */
export function readSettingsJson(text: string, environment: Environment): FoundSettings[] {
  if (text.length > longestText) return []
  try {
    return within(JSON.parse(text), environment, 0)
  } catch {
    return [] // because a file that is no JSON says nothing
  }
}

type Table = Readonly<Record<string, unknown>>

function within(value: unknown, environment: Environment, depth: number): FoundSettings[] {
  if (typeof value !== 'object' || value === null || depth > deepest) return []
  if (Array.isArray(value)) return value.flatMap((one) => within(one, environment, depth + 1))
  const table = value as Table
  // Because what stands beside `production` is for other machines.
  if (typeof table['production'] === 'object') return within(table['production'], environment, depth + 1)
  const settings = ofTable((key) => textOf(table[key]), table, environment)
  if (settings) return [settings]
  return Object.entries(table)
    .filter(([key]) => key !== 'development' && key !== 'test')
    .flatMap(([, one]) => within(one, environment, depth + 1))
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function ofTable(
  find: (key: string) => string | undefined,
  table: Table,
  environment: Environment,
): FoundSettings | undefined {
  const first = (...keys: readonly string[]): string | undefined =>
    keys.map(find).find((value) => value !== undefined && value !== '')
  const driver = driverOf(first('dialect', 'client', 'type', 'driver'))
  if (driver === undefined) return undefined
  const variable = find('use_env_variable')
  const connection = table['connection']
  if (typeof connection === 'string') return { driver, url: connection }
  if (typeof connection === 'object' && connection !== null) {
    return ofTable((key) => textOf((connection as Table)[key]) ?? find(key), {}, environment)
  }
  const url = variable === undefined ? first('url', 'connectionString') : environment.get(variable)
  const name = first('database', 'dbName')
  if (url === undefined && name === undefined) return undefined
  return {
    driver,
    url,
    name,
    host: first('host'),
    port: first('port'),
    socket: first('socketPath'),
    user: first('username', 'user'),
    password: first('password'),
  }
}

const value =
  /(?:process\.env(?:\.(\w+)|\[\s*['"](\w+)['"]\s*\])[!]?(?:\s*(?:\?\?|\|\|)\s*(?:(['"`])([^'"`$\n]*)\3|(\d+)))?|(['"`])([^'"`$\n]*)\6|(\d+))/
const called = new RegExp(
  `\\b(dialect|client|type|driver|url|connectionString|connection|database|dbName|host|port|socketPath|username|user|password)['"]?\\s*:\\s*(?:Number\\(|parseInt\\(|String\\()?${value.source}`,
  'g',
)

/** Reads what is written out in a settings file of code (Knex, TypeORM, Drizzle): literals, and variables of the environment. */
export function readSettingsCode(text: string, environment: Environment): FoundSettings[] {
  if (text.length > longestText) return []
  const plain = text.replace(/\/\*(?:[\s\S]*?\*\/|[\s\S]*$)|(^|[\s,;{])\/\/[^\n]*/g, '$1')
  const production = /\bproduction['"]?\s*:\s*\{/.exec(plain)
  const block = production ? blockFrom(plain, production.index) : plain
  const found = new Map<string, string>()
  for (const match of block.matchAll(called)) {
    const [, key, dotted, indexed, , fallback, number, , literal, plainNumber] = match
    const variable = dotted ?? indexed
    const text = variable === undefined ? (literal ?? plainNumber) : (environment.get(variable) ?? fallback ?? number)
    if (text !== undefined && !found.has(key!)) found.set(key!, text)
  }
  const connection = found.get('connection')
  const settings = ofTable((key) => found.get(key), connection === undefined ? {} : { connection }, environment)
  return settings ? [settings] : []
}

/** From the first brace after `at` to the one that closes it. */
function blockFrom(text: string, at: number): string {
  const open = text.indexOf('{', at)
  let depth = 0
  for (let end = open; end < text.length; end++) {
    if (text[end] === '{') depth++
    else if (text[end] === '}' && --depth === 0) return text.slice(open, end + 1)
  }
  return text.slice(open)
}
