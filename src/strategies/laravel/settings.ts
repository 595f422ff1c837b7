import type { Host, SourceFinding } from '#sources'
import { rawPathOf } from '#sources'
import { readDotenv } from '../dotenv.ts'
import { readPhp } from './php-array.ts'
import { arrayOf, findIn, isArray, isUnknown, type PhpArray, type PhpValue } from './php-value.ts'

/** What a Laravel application's own settings say. */
export interface LaravelSettings {
  /** The application's folder, absolute. */
  readonly base: string
  /** The variables of its `.env`. */
  readonly environment: ReadonlyMap<string, string>
  /** What `config/database.php` and `config/filesystems.php` give, over the framework's defaults. */
  readonly database: PhpArray
  readonly filesystems: PhpArray
  /** False for the framework's defaults. */
  readonly hasDatabaseFile: boolean
  /** The connections that the application's own file names. */
  readonly ownConnections: readonly string[]
  readonly findings: readonly SourceFinding[]
}

/** Reads a Laravel application's `.env` and settings files, without running it. */
export async function readLaravelSettings(base: string, host: Host): Promise<LaravelSettings> {
  const findings: SourceFinding[] = []
  const report = (subject: string, text: string): void => void findings.push({ subject, severity: 'warning', text })

  const dotenv = await host.findText(rawPathOf(`${base}/.env`))
  if (dotenv === undefined) {
    report(`${base}/.env`, 'It is not there or cannot be read, so only the defaults of the settings are known')
  }
  const { values: environment, troubles } = readDotenv(dotenv ?? '')
  for (const { line, text } of troubles) report(`${base}/.env`, `Line ${line} could not be read: ${text}`)

  const read = async (name: string, defaults: PhpArray): Promise<SettingsFile> => {
    const folder = `${base}/config`
    const file = `${folder}/${name}`
    const source = await host.findText(rawPathOf(file))
    if (source === undefined) return { settings: defaults }
    const { value, troubles } = readPhp(source, { environment, base, folder })
    for (const { line, text } of troubles) report(file, `Line ${line}: ${text}`)
    if (isArray(value)) return { settings: withDefaults(value, defaults), own: value }
    if (troubles.length === 0) report(file, 'It returns something that is only known when it runs')
    return { settings: defaults, own: arrayOf([]) }
  }
  const database = await read('database.php', readDefaults(defaultDatabase, base, environment))
  const filesystems = await read('filesystems.php', readDefaults(defaultFilesystems, base, environment))
  const connections = findIn(database.own, 'connections')
  return {
    base,
    environment,
    database: database.settings,
    filesystems: filesystems.settings,
    hasDatabaseFile: database.own !== undefined,
    ownConnections: isArray(connections) ? [...connections.entries.keys()] : [],
    findings,
  }
}

interface SettingsFile {
  readonly settings: PhpArray
  /** What the file itself gives; absent when there is none. */
  readonly own?: PhpArray
}

/** As the framework does since version 11: what an application does not set is the framework's, disks and connections too. */
function withDefaults(settings: PhpArray, defaults: PhpArray): PhpArray {
  const entries = new Map(defaults.entries)
  for (const [key, value] of settings.entries) {
    const inner = entries.get(key)
    const isTable = (key === 'connections' || key === 'disks') && isArray(inner) && isArray(value)
    entries.set(key, isTable ? { ...value, entries: new Map([...inner.entries, ...value.entries]) } : value)
  }
  return arrayOf(entries, settings.isPartial)
}

function readDefaults(source: string, base: string, environment: ReadonlyMap<string, string>): PhpArray {
  const { value } = readPhp(source, { environment, base, folder: `${base}/config` })
  return isArray(value) ? value : arrayOf([])
}

/** A setting as text; undefined when it is empty, or when nobody knows it. */
export function findSetting(settings: PhpValue | undefined, ...keys: readonly string[]): string | undefined {
  const value = findIn(settings, ...keys)
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** True when there is a setting that only the running application knows. */
export function isHidden(settings: PhpValue | undefined, ...keys: readonly string[]): boolean {
  return isUnknown(findIn(settings, ...keys))
}

/** What matters of the framework's own settings, which a new application has no files for. */
const connection = `'url' => env('DB_URL'), 'host' => env('DB_HOST', '127.0.0.1'), 'database' => env('DB_DATABASE', 'laravel'),
  'username' => env('DB_USERNAME', 'root'), 'password' => env('DB_PASSWORD', ''), 'unix_socket' => env('DB_SOCKET', '')`

const defaultDatabase = `<?php return [
  'default' => env('DB_CONNECTION', 'sqlite'),
  'connections' => [
    'sqlite' => [
      'driver' => 'sqlite',
      'url' => env('DB_URL'),
      'database' => env('DB_DATABASE', database_path('database.sqlite')),
    ],
    'mysql' => ['driver' => 'mysql', 'port' => env('DB_PORT', '3306'), ${connection}],
    'mariadb' => ['driver' => 'mariadb', 'port' => env('DB_PORT', '3306'), ${connection}],
    'pgsql' => ['driver' => 'pgsql', 'port' => env('DB_PORT', '5432'), 'sslmode' => env('DB_SSLMODE', 'prefer'), ${connection}],
    'sqlsrv' => ['driver' => 'sqlsrv', 'port' => env('DB_PORT', '1433'), ${connection}],
  ],
];`

const defaultFilesystems = `<?php return [
  'default' => env('FILESYSTEM_DISK', 'local'),
  'disks' => [
    'local' => ['driver' => 'local', 'root' => storage_path('app/private')],
    'public' => ['driver' => 'local', 'root' => storage_path('app/public')],
    's3' => ['driver' => 's3', 'bucket' => env('AWS_BUCKET')],
  ],
];`
