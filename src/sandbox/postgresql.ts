import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { collect, pause, randomBytes, runProgram, streamProgram, textOf } from '#base'
import { asAccount, confined, confinedAccounts, findAccount, giveTo, type Account } from './account.ts'
import { sandboxError } from './errors.ts'
import { feedProgram } from './feed-program.ts'
import { processesIn, sendSignal, waitUntil } from './processes.ts'

export interface PostgresqlSettings {
  /**
   * Where its own folder is made. The server's account must be able to enter it, and a socket's path has at most 107
   * bytes, so it must be short. Default: the system's folder for temporary files.
   */
  readonly folder?: string
  /** Settings of the server in addition to those that make it quick. */
  readonly settings?: Readonly<Record<string, string>>
  /** Of this major version, or the nearest newer one that is installed. Default: the newest. */
  readonly major?: number
  /**
   * For foreign data: no network at all, the server and its clients run as an account that owns nothing else, and the superuser
   * has a name that no dump has.
   */
  readonly isConfined?: boolean
}

/** A PostgreSQL server of one test. Data is lost when the machine stops, but not when the server is killed. */
export interface PostgresqlServer extends AsyncDisposable {
  /** Here one connects as anyone without a password; only the account of the server and root can enter it. */
  readonly socketFolder: string
  /** On 127.0.0.1, where a password is asked for (SCRAM). */
  readonly port: number
  readonly superuser: string
  /** As the server says it: `15.18`. */
  readonly version: string
  /** Of its programs, such as `psql`. */
  readonly programFolder: string
  /** Of the server's first process. */
  readonly processId: number
  /**
   * Runs SQL as the superuser, statement by statement, and stops at the first that fails.
   *
   * @returns what `psql` writes, without headings and alignment.
   */
  run(sql: string, database?: string): Promise<string>
  /**
   * Plays a dump into a database that is there and empty, and stops at the first statement that fails.
   *
   * @throws `program.failed` with the words of `psql` or `pg_restore`.
   */
  load(
    dump: AsyncIterable<Uint8Array>,
    database: string,
    format: 'plain' | 'custom',
    signal?: AbortSignal,
  ): Promise<void>
  /** Ends the server and waits until all of it is gone: SIGKILL (default), SIGQUIT at once, SIGINT in order. */
  kill(signal?: 'SIGKILL' | 'SIGQUIT' | 'SIGINT'): Promise<void>
  /** Starts it again after `kill`, with its data, on the same port. */
  restart(): Promise<void>
}

const usualSuperuser = 'postgres'
/** No globals of a dump change or drop it. */
const confinedSuperuser = 'bewaar_sandbox'
/** Every server has it. */
const ownDatabase = 'postgres'
const startPatienceMs = 60_000
const stopPatienceMs = 10_000

/** Speed for safety: what is lost in a power cut is thrown away anyhow. */
const quick: Readonly<Record<string, string>> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  wal_level: 'minimal',
  max_wal_senders: '0',
  autovacuum: 'off',
  max_connections: '50',
  shared_buffers: '64MB',
  log_min_messages: 'fatal',
}

/** A statement of foreign data that goes on for ever is ended. */
const careful: Readonly<Record<string, string>> = { statement_timeout: '6h', max_wal_size: '256MB', jit: 'off' }

/** True when the programs of the server are on this machine. */
export function isPostgresqlInstalled(): boolean {
  return findProgramFolder() !== undefined
}

/**
 * Starts a PostgreSQL server that nobody else can know, with the newest programs of this machine. It answers when this
 * returns. Locale `C.UTF-8`, encoding UTF8; a database of another encoding is made from `template0` with locale `C`.
 *
 * @throws `sandbox.missing`; `sandbox.unstartable` with the server's own words.
 */
export async function startPostgresql(
  options: PostgresqlSettings = {},
  signal?: AbortSignal,
): Promise<PostgresqlServer> {
  const { major, isConfined = false } = options
  const programFolder = major === undefined ? findProgramFolder() : await findProgramsOf(major)
  if (programFolder === undefined) {
    const server = major === undefined ? 'PostgreSQL' : `PostgreSQL ${major} or newer`
    throw sandboxError('sandbox.missing', { server, package: `postgresql${major === undefined ? '' : `-${major}`}` })
  }
  const account = findAccount(isConfined ? confinedAccounts : ['postgres', 'nobody'])
  const superuser = isConfined ? confinedSuperuser : usualSuperuser
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'bewaar-pg-'))
  const settings = { ...quick, ...(isConfined && careful), ...options.settings }
  const place: Place = { folder, programFolder, account, settings, superuser, isConfined }
  try {
    giveTo(account, folder)
    await initialise(place, signal)
    const first = await launchOnFreePort(place, signal)
    return new Server(place, first)
  } catch (thrown) {
    rmSync(folder, { recursive: true, force: true })
    throw thrown
  }
}

interface Place {
  readonly folder: string
  readonly programFolder: string
  readonly account: Account | undefined
  readonly settings: Readonly<Record<string, string>>
  readonly superuser: string
  readonly isConfined: boolean
}

interface Launched {
  readonly port: number
  readonly version: string
  readonly processId: number
  /** Settles when the server's first process has ended, with what it said last when it did not end well. */
  readonly ended: Promise<string | undefined>
}

class Server implements PostgresqlServer {
  readonly socketFolder: string
  readonly port: number
  readonly superuser: string
  readonly version: string
  readonly programFolder: string
  readonly #place: Place
  #launched: Launched

  constructor(place: Place, launched: Launched) {
    this.socketFolder = place.folder
    this.port = launched.port
    this.superuser = place.superuser
    this.version = launched.version
    this.programFolder = place.programFolder
    this.#place = place
    this.#launched = launched
  }

  get processId(): number {
    return this.#launched.processId
  }

  run(sql: string, database = ownDatabase): Promise<string> {
    return ask(this.#place, this.port, sql, database)
  }

  async load(
    dump: AsyncIterable<Uint8Array>,
    database: string,
    format: 'plain' | 'custom',
    signal?: AbortSignal,
  ): Promise<void> {
    const target = `--dbname=${connectionTo(this.#place, this.port, database)}`
    const call =
      format === 'plain'
        ? clientOf(this.#place, 'psql', ['-X', '-q', '-v', 'ON_ERROR_STOP=1', target, '-f', '-'])
        : clientOf(this.#place, 'pg_restore', ['--exit-on-error', target])
    await feedProgram(call, { cwd: this.#place.folder, env: environment() }, dump, signal)
  }

  async kill(signal: 'SIGKILL' | 'SIGQUIT' | 'SIGINT' = 'SIGKILL'): Promise<void> {
    await stop(this.#place, this.#launched, [signal, 'SIGQUIT', 'SIGKILL'])
  }

  async restart(): Promise<void> {
    rmSync(join(dataOf(this.#place), 'postmaster.pid'), { force: true })
    this.#launched = await launch(this.#place, this.port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stop(this.#place, this.#launched, ['SIGINT', 'SIGQUIT', 'SIGKILL'])
    rmSync(this.#place.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function initialise(place: Place, signal?: AbortSignal): Promise<void> {
  const rules = ['--auth-local=trust', '--auth-host=scram-sha-256', `--username=${place.superuser}`]
  const words = ['--encoding=UTF8', '--locale=C.UTF-8', '--no-sync', `--pgdata=${dataOf(place)}`]
  const initdb = join(place.programFolder, 'initdb')
  const call = wrapped(place, initdb, [...rules, ...words])
  try {
    await runProgram(call.program, call.args, { cwd: place.folder, env: environment() }, signal)
  } catch (thrown) {
    throw unstartable(place, textOf(thrown))
  }
}

/** A port is free until somebody else is quicker, so another is tried when the server cannot have it. */
async function launchOnFreePort(place: Place, signal?: AbortSignal): Promise<Launched> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await launch(place, choosePort(), signal)
    } catch (thrown) {
      if (attempt === 5 || !/could not (?:bind|create any)|in use/i.test(textOf(thrown))) throw thrown
    }
  }
}

/** Below the ports that systems hand out to clients by themselves. */
function choosePort(): number {
  return 15_000 + (Buffer.from(randomBytes(2)).readUInt16BE() % 15_000)
}

async function launch(place: Place, port: number, signal?: AbortSignal): Promise<Launched> {
  const data = dataOf(place)
  const settings = {
    ...place.settings,
    listen_addresses: place.isConfined ? '' : '127.0.0.1',
    port: String(port),
    unix_socket_directories: place.folder,
  }
  const args = ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const program = join(place.programFolder, 'postgres')
  const call = place.isConfined
    ? confined(place.account, program, args, { deathSignal: 'QUIT', isServer: true })
    : asAccount(place.account, program, args, 'QUIT')
  const output = streamProgram(call.program, call.args, { cwd: place.folder, env: environment() }, signal)
  let reason: string | undefined
  let hasEnded = false
  const ended = collect(output).then(
    () => ((hasEnded = true), undefined),
    (thrown: unknown) => ((hasEnded = true), (reason = textOf(thrown))),
  )
  const answers = async (): Promise<boolean> => hasEnded || (await isReady(place, port))
  const isUp = (await waitUntil(answers, startPatienceMs)) && !hasEnded
  const processId = findProcessId(data)
  if (!isUp) {
    if (!hasEnded && processId !== undefined) sendSignal(processId, 'SIGKILL')
    throw unstartable(place, reason ?? 'it did not answer in time')
  }
  const version = (await ask(place, port, 'show server_version', ownDatabase)).trim().split(' ')[0]!
  return { port, version, processId: processId!, ended }
}

async function isReady(place: Place, port: number): Promise<boolean> {
  if (!existsSync(join(place.folder, `.s.PGSQL.${port}`))) return false
  try {
    await ask(place, port, 'select 1', ownDatabase)
    return true
  } catch {
    return false
  }
}

async function ask(place: Place, port: number, sql: string, database: string): Promise<string> {
  const target = connectionTo(place, port, database)
  const call = clientOf(place, 'psql', ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', target, '-f', '-'])
  const options = { input: sql, env: environment(), cwd: place.folder }
  return (await runProgram(call.program, call.args, options)).replace(/\n$/, '')
}

function connectionTo({ folder, superuser }: Place, port: number, database: string): string {
  const quoted = database.replace(/['\\]/g, (char) => `\\${char}`)
  return `host=${folder} port=${port} user=${superuser} dbname='${quoted}'`
}

/** A client is confined with its server, because what it reads is foreign too. */
function clientOf(place: Place, name: string, args: readonly string[]): ReturnType<typeof asAccount> {
  const program = join(place.programFolder, name)
  return place.isConfined ? confined(place.account, program, args, { deathSignal: 'KILL' }) : { program, args }
}

function wrapped(place: Place, program: string, args: readonly string[]): ReturnType<typeof asAccount> {
  return place.isConfined ? confined(place.account, program, args) : asAccount(place.account, program, args)
}

/** Goes from one signal to the next while the server is there, then ends what it left behind. */
async function stop(place: Place, { processId, ended }: Launched, signals: readonly NodeJS.Signals[]): Promise<void> {
  let hasEnded = false
  const ending = ended.then(() => (hasEnded = true))
  await Promise.race([ending, pause(0)])
  for (const signal of signals) {
    if (hasEnded) break
    sendSignal(processId, signal)
    await Promise.race([ending, waitUntil(() => hasEnded, stopPatienceMs)])
  }
  const data = dataOf(place)
  await waitUntil(() => {
    const left = processesIn(data)
    for (const process of left) sendSignal(process, 'SIGKILL')
    return left.length === 0
  }, stopPatienceMs)
}

function findProcessId(data: string): number | undefined {
  try {
    return Number(readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n')[0])
  } catch {
    return undefined
  }
}

function dataOf({ folder }: Place): string {
  return join(folder, 'data')
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' }
}

function unstartable({ account, folder }: Place, reason: string): Error {
  const who = account?.name ?? 'that runs this'
  return sandboxError('sandbox.unstartable', { server: 'PostgreSQL', reason, account: who, folder })
}

/** Debian's folder of the newest version, or that of the packages of postgresql.org, or one of the PATH. */
function findProgramFolder(): string | undefined {
  const folders = [
    ...versionsIn('/usr/lib/postgresql', /^(\d+)$/).map((version) => `/usr/lib/postgresql/${version}/bin`),
    ...versionsIn('/usr', /^pgsql-(\d+)$/).map((version) => `/usr/pgsql-${version}/bin`),
    ...(process.env['PATH'] ?? '').split(':'),
  ]
  return folders.find(isComplete)
}

/** The programs of a major version, or of the nearest newer one. */
async function findProgramsOf(major: number): Promise<string | undefined> {
  const sideBySide = [
    ...versionsIn('/usr/lib/postgresql', /^(\d+)$/).map((found) => ({
      found,
      folder: `/usr/lib/postgresql/${found}/bin`,
    })),
    ...versionsIn('/usr', /^pgsql-(\d+)$/).map((found) => ({ found, folder: `/usr/pgsql-${found}/bin` })),
  ]
  const onPath = (process.env['PATH'] ?? '').split(':').find(isComplete)
  const others = onPath === undefined ? [] : [{ found: await majorIn(onPath), folder: onPath }]
  const fitting = [...sideBySide.filter(({ folder }) => isComplete(folder)), ...others]
    .filter(({ found }) => found >= major)
    .toSorted((a, b) => a.found - b.found)
  return fitting[0]?.folder
}

async function majorIn(folder: string): Promise<number> {
  const answer = await runProgram(join(folder, 'postgres'), ['--version'], { env: environment() })
  return Number(/ (\d+)/.exec(answer)?.[1] ?? 0)
}

function isComplete(folder: string): boolean {
  return ['initdb', 'postgres', 'psql'].every((name) => existsSync(join(folder, name)))
}

function versionsIn(folder: string, pattern: RegExp): number[] {
  const names = existsSync(folder) ? readdirSync(folder) : []
  const versions = names.flatMap((name) => pattern.exec(name)?.[1] ?? [])
  return versions.map(Number).toSorted((a, b) => b - a)
}
