import { AppError, Secret } from '#base'
import { rawPathOf, type Host, type PlainAddress, type SourceFinding } from '#sources'
import { readDotenv } from '../dotenv.ts'
import { databaseOfUrl, isServerUrl, serverOf, type FoundDatabase } from '../server-databases.ts'
import { driverOf } from './drivers.ts'
import { readPrisma } from './prisma.ts'
import { readSettingsCode, readSettingsJson, type FoundSettings } from './settings-files.ts'

export interface NodeDatabases {
  readonly servers: readonly FoundDatabase[]
  readonly findings: readonly SourceFinding[]
}

interface Candidate extends FoundDatabase {
  readonly isUrl: boolean
}

/** Later ones win, as in most programs that read several. */
const dotenvFiles = ['.env', '.env.production', '.env.local', '.env.production.local']

const codeFiles = [
  'knexfile',
  'data-source',
  'src/data-source',
  'ormconfig',
  'drizzle.config',
  'mikro-orm.config',
].flatMap((name) => ['js', 'ts', 'cjs', 'mjs'].map((extension) => `${name}.${extension}`))
const jsonFiles = [
  'ormconfig.json',
  'config/config.json',
  'config/database.json',
  'config/production.json',
  'config/default.json',
]

/** Variables of databases that are made and thrown away, or are copies of others. */
const passing = /TEST|SHADOW|EXAMPLE|REPLICA|READ_?ONLY/i

/**
 * The databases on servers that a Node.js application's settings name: URLs in `.env`, single variables (`PGHOST`,
 * `DB_HOST` …), Prisma's schema, and what Knex, TypeORM and Sequelize write out in their settings files.
 */
export async function findNodeDatabases(path: string, host: Host): Promise<NodeDatabases> {
  const read = (name: string): Promise<string | undefined> => host.findText(rawPathOf(`${path}/${name}`))
  const environment = new Map<string, string>()
  for (const name of dotenvFiles) {
    for (const [key, value] of readDotenv((await read(name)) ?? '', 'node').values) environment.set(key, value)
  }
  const findings: SourceFinding[] = []
  const found: Candidate[] = []
  const report = (file: string, text: string): void =>
    void findings.push({ subject: `${path}/${file}`, severity: 'warning', text })
  const addUrl = (url: string, file: string, from: string): void => {
    try {
      found.push({ ...databaseOfUrl(url, from), isUrl: true })
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      report(file, `The ${from} cannot be used, and its database is not taken: ${thrown.message}`)
    }
  }

  const prisma = await readPrisma(path, host)
  const spoken = new Set(prisma?.variables)
  if (prisma?.isServer) {
    // Because a dump through a pool of connections fails, and `directUrl` is there for what must not go through one.
    const url = [prisma.directUrl, prisma.url].map((one) => valueOf(one, environment)).find((one) => one !== undefined)
    if (url === undefined) report(prisma.file, 'The url of its datasource is not in .env, so its database is not taken')
    else addUrl(url, prisma.file, `url of ${prisma.file}`)
  }
  for (const [name, value] of environment) {
    if (!spoken.has(name) && !passing.test(name) && isServerUrl(value)) addUrl(value, '.env', `${name} of .env`)
  }
  const single = ofVariables(environment)
  if (single) found.push({ ...single, isUrl: false })
  for (const file of [...jsonFiles, ...codeFiles]) {
    const text = await read(file)
    if (text === undefined) continue
    const all = file.endsWith('.json') ? readSettingsJson(text, environment) : readSettingsCode(text, environment)
    for (const settings of all) {
      if (settings.url !== undefined && isServerUrl(settings.url)) addUrl(settings.url, file, `url of ${file}`)
      else if (settings.url === undefined) found.push({ ...ofSettings(settings, file), isUrl: false })
    }
  }
  return { servers: different(found), findings }
}

function valueOf(
  setting: { readonly variable: string } | { readonly text: string } | undefined,
  environment: ReadonlyMap<string, string>,
): string | undefined {
  if (setting === undefined) return undefined
  return 'text' in setting ? setting.text : environment.get(setting.variable)
}

/** What the clients themselves and most examples call them. */
const variables = [
  { driver: 'postgresql', prefixes: ['PG', 'POSTGRES_', 'POSTGRESQL_'] },
  { driver: 'mysql', prefixes: ['MYSQL_'] },
  { driver: 'mariadb', prefixes: ['MARIADB_'] },
  { driver: undefined, prefixes: ['DB_', 'DATABASE_', 'TYPEORM_'] },
] as const

function ofVariables(environment: ReadonlyMap<string, string>): FoundDatabase | undefined {
  for (const { driver, prefixes } of variables) {
    for (const prefix of prefixes) {
      const find = (...names: readonly string[]): string | undefined =>
        names.map((name) => environment.get(prefix + name)).find((value) => value !== undefined && value !== '')
      const name = find('DATABASE', 'NAME', 'DB', 'DBNAME', 'DB_NAME')
      const kind = driver ?? driverOf(find('DIALECT', 'CLIENT', 'TYPE', 'DRIVER', 'CONNECTION', 'ENGINE'))
      if (name === undefined || kind === undefined || isServerUrl(name)) continue
      const password = find('PASSWORD', 'PASS')
      const settings = { driver: kind, name, host: find('HOST', 'HOSTNAME', 'SERVER'), port: find('PORT') }
      return ofSettings({ ...settings, user: find('USER', 'USERNAME'), password }, '.env')
    }
  }
  return undefined
}

function ofSettings(settings: FoundSettings, file: string): FoundDatabase {
  const { driver, name, host, port, user, password, socket } = settings
  const number = Number(port ?? '')
  const folder = host?.startsWith('/') ? host : socket
  const address: PlainAddress = {
    ...(host !== undefined && folder === undefined && { host }),
    ...(Number.isInteger(number) && number > 0 && number < 65536 && { port: number }),
    ...(folder !== undefined && { socket: folder }),
    ...(user !== undefined && { user }),
    ...(password !== undefined && password !== '' && { password: new Secret(password) }),
  }
  return { driver, address, from: `settings of ${file}`, ...(name !== undefined && { name }) }
}

/** A database is often told in several places; a URL says which server it means, so what else has its name is the same. */
function different(found: readonly Candidate[]): FoundDatabase[] {
  const seen = new Set<string>()
  return found.filter((database) => {
    const byName = `${database.driver === 'postgresql' ? 'postgresql' : 'mysql'} ${database.name ?? ''}`
    const byPlace = `${serverOf(database)} ${database.name ?? ''}`
    const isKnown = seen.has(database.isUrl ? byPlace : byName)
    seen.add(byName).add(byPlace)
    return !isKnown
  })
}
