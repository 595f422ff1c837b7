import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { collect, pause, randomBytes, runProgram, streamProgram, textOf } from '#base'
import { asAccount, confined, confinedAccounts, findAccount, giveTo, type Account } from './account.ts'
import { sandboxError } from './errors.ts'
import { feedProgram } from './feed-program.ts'
import { processesIn, sendSignal, waitUntil } from './processes.ts'

export interface MariadbSettings {
  /**
   * Where its own folder is made. The server's account must be able to enter it, and a socket's path has at most 107
   * bytes, so it must be short. Default: the system's folder for temporary files.
   */
  readonly folder?: string
  /** Settings of the server in addition to those that make it quick, as `innodb-lock-wait-timeout`. */
  readonly settings?: Readonly<Record<string, string>>
  /** For foreign data: no network at all; the server and its clients run as an account that owns nothing else. */
  readonly isConfined?: boolean
}

/** A MariaDB server of one test. Data is lost when the machine stops, but not when the server is killed. */
export interface MariadbServer extends AsyncDisposable {
  /** Here `root` may connect without a password. */
  readonly socket: string
  /** On 127.0.0.1. */
  readonly port: number
  readonly superuser: string
  /** As the server says it: `10.11.19-MariaDB-0+deb12u1`. */
  readonly version: string
  readonly processId: number
  /** Its data, readable by the superuser of the machine and the server's account. */
  readonly dataFolder: string
  /**
   * Runs SQL as the superuser, statement by statement, and stops at the first that fails.
   *
   * @returns what `mariadb --batch` writes, without headings: a row a line, values separated by tabs.
   */
  run(sql: string, database?: string): Promise<string>
  /**
   * Plays a dump into a database that is there and empty, and stops at the first statement that fails.
   *
   * @throws `program.failed` with the words of the client.
   */
  load(dump: AsyncIterable<Uint8Array>, database: string, signal?: AbortSignal): Promise<void>
  /** Ends the server and waits until it is gone: SIGKILL (default), or SIGTERM in order. */
  kill(signal?: 'SIGKILL' | 'SIGTERM'): Promise<void>
  /** Starts it again after `kill`, with its data, on the same port. */
  restart(): Promise<void>
}

const superuser = 'root'
const startPatienceMs = 60_000
const stopPatienceMs = 10_000
/** Debian keeps servers where the PATH of an ordinary user does not look. */
const programFolders = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin']

/** Speed for safety: what is lost in a power cut is thrown away anyhow. */
const quick: Readonly<Record<string, string>> = {
  'innodb-flush-log-at-trx-commit': '0',
  'innodb-flush-method': 'nosync',
  'innodb-doublewrite': '0',
  'innodb-log-file-size': '32M',
  'innodb-buffer-pool-size': '96M',
  'innodb-buffer-pool-dump-at-shutdown': '0',
  'sync-frm': '0',
  'skip-log-bin': '1',
  'skip-name-resolve': '1',
  'character-set-server': 'utf8mb4',
  'max-connections': '50',
  'event-scheduler': 'OFF',
}

/** True when the programs of the server are on this machine. */
export function isMariadbInstalled(): boolean {
  return ['mariadbd', 'mariadb-install-db', 'mariadb'].every((name) => findProgram(name) !== undefined)
}

/**
 * Starts a MariaDB server that nobody else can know, without any option file of this machine. It answers when this returns.
 *
 * @throws `sandbox.missing`; `sandbox.unstartable` with the server's own words.
 */
export async function startMariadb(options: MariadbSettings = {}, signal?: AbortSignal): Promise<MariadbServer> {
  if (!isMariadbInstalled()) throw sandboxError('sandbox.missing', { server: 'MariaDB', package: 'mariadb-server' })
  const { isConfined = false } = options
  const account = findAccount(isConfined ? confinedAccounts : ['mysql', 'nobody'])
  const folder = mkdtempSync(join(options.folder ?? tmpdir(), 'bewaar-my-'))
  const settings = { ...quick, ...(isConfined && { 'skip-networking': '1', 'local-infile': '0' }), ...options.settings }
  const place: Place = { folder, account, settings, isConfined }
  try {
    mkdirSync(temporaryOf(place), { mode: 0o700 })
    for (const path of [folder, temporaryOf(place)]) giveTo(account, path)
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
  readonly account: Account | undefined
  readonly settings: Readonly<Record<string, string>>
  readonly isConfined: boolean
}

interface Launched {
  readonly port: number
  readonly version: string
  readonly processId: number
  /** Settles when the server has ended. */
  readonly ended: Promise<unknown>
}

class Server implements MariadbServer {
  readonly socket: string
  readonly port: number
  readonly superuser = superuser
  readonly version: string
  readonly dataFolder: string
  readonly #place: Place
  #launched: Launched

  constructor(place: Place, launched: Launched) {
    this.socket = socketOf(place)
    this.port = launched.port
    this.version = launched.version
    this.dataFolder = dataOf(place)
    this.#place = place
    this.#launched = launched
  }

  get processId(): number {
    return this.#launched.processId
  }

  run(sql: string, database?: string): Promise<string> {
    return ask(this.#place, sql, database)
  }

  async load(dump: AsyncIterable<Uint8Array>, database: string, signal?: AbortSignal): Promise<void> {
    const call = clientCall(this.#place, [`--database=${database}`])
    await feedProgram(call, { cwd: this.#place.folder, env: environment() }, dump, signal)
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await stop(this.#place, this.#launched, [signal, 'SIGKILL'])
  }

  async restart(): Promise<void> {
    rmSync(processFileOf(this.#place), { force: true })
    this.#launched = await launch(this.#place, this.port)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing of it is needed any more, so that it need not be brought to rest.
    await stop(this.#place, this.#launched, ['SIGKILL'])
    rmSync(this.#place.folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

async function initialise(place: Place, signal?: AbortSignal): Promise<void> {
  const args = [
    '--no-defaults',
    `--datadir=${dataOf(place)}`,
    `--tmpdir=${temporaryOf(place)}`,
    '--auth-root-authentication-method=normal',
    '--skip-test-db',
    '--skip-name-resolve',
    '--innodb-log-file-size=10M',
    '--innodb-flush-method=nosync',
  ]
  const program = findProgram('mariadb-install-db')!
  const call = place.isConfined ? confined(place.account, program, args) : asAccount(place.account, program, args)
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
      if (attempt === 5 || !/Bind on TCP\/IP port|already in use/i.test(textOf(thrown))) throw thrown
    }
  }
}

/** Below the ports that systems hand out to clients by themselves. */
function choosePort(): number {
  return 15_000 + (Buffer.from(randomBytes(2)).readUInt16BE() % 15_000)
}

async function launch(place: Place, port: number, signal?: AbortSignal): Promise<Launched> {
  const args = [
    '--no-defaults',
    ...Object.entries(place.settings).map(([name, value]) => `--${name}=${value}`),
    `--datadir=${dataOf(place)}`,
    `--tmpdir=${temporaryOf(place)}`,
    `--socket=${socketOf(place)}`,
    `--pid-file=${processFileOf(place)}`,
    '--bind-address=127.0.0.1',
    `--port=${port}`,
  ]
  const program = findProgram('mariadbd')!
  const call = place.isConfined
    ? confined(place.account, program, args, { deathSignal: 'KILL', isServer: true })
    : asAccount(place.account, program, args, 'KILL')
  const output = streamProgram(call.program, call.args, { cwd: place.folder, env: environment() }, signal)
  let reason: string | undefined
  let hasEnded = false
  const ended = collect(output).then(
    () => (hasEnded = true),
    (thrown: unknown) => ((hasEnded = true), (reason = textOf(thrown))),
  )
  const answers = async (): Promise<boolean> => hasEnded || (await isReady(place))
  const isUp = (await waitUntil(answers, startPatienceMs)) && !hasEnded
  const processId = findProcessId(place)
  if (!isUp) {
    if (!hasEnded && processId !== undefined) sendSignal(processId, 'SIGKILL')
    throw unstartable(place, reason ?? 'it did not answer in time')
  }
  return { port, version: (await ask(place, 'select version()')).trim(), processId: processId!, ended }
}

async function isReady(place: Place): Promise<boolean> {
  if (!existsSync(socketOf(place)) || findProcessId(place) === undefined) return false
  try {
    await ask(place, 'select 1')
    return true
  } catch {
    return false
  }
}

async function ask(place: Place, sql: string, database?: string): Promise<string> {
  const call = clientCall(place, [
    '--batch',
    '--skip-column-names',
    ...(database === undefined ? [] : [`--database=${database}`]),
  ])
  const output = await runProgram(call.program, call.args, { input: sql, env: environment(), cwd: place.folder })
  return output.replace(/\n$/, '')
}

/** A client is confined with its server, because what it reads is foreign too. */
function clientCall(place: Place, more: readonly string[]): ReturnType<typeof asAccount> {
  const program = findProgram('mariadb')!
  const args = [
    '--no-defaults',
    `--socket=${socketOf(place)}`,
    `--user=${superuser}`,
    '--default-character-set=utf8mb4',
    '--max-allowed-packet=1G',
    '--binary-mode',
    ...more,
  ]
  return place.isConfined ? confined(place.account, program, args, { deathSignal: 'KILL' }) : { program, args }
}

async function stop(place: Place, { processId, ended }: Launched, signals: readonly NodeJS.Signals[]): Promise<void> {
  let hasEnded = false
  const ending = ended.then(() => (hasEnded = true))
  await Promise.race([ending, pause(0)])
  for (const signal of signals) {
    if (hasEnded) break
    sendSignal(processId, signal)
    await Promise.race([ending, waitUntil(() => hasEnded, stopPatienceMs)])
  }
  await waitUntil(() => {
    const left = processesIn(dataOf(place))
    for (const process of left) sendSignal(process, 'SIGKILL')
    return left.length === 0
  }, stopPatienceMs)
}

function findProcessId(place: Place): number | undefined {
  try {
    return Number(readFileSync(processFileOf(place), 'utf8').trim()) || undefined
  } catch {
    return undefined
  }
}

function dataOf({ folder }: Place): string {
  return join(folder, 'data')
}

/** Its own, because a server that starts removes the temporary tables of any other in the folder it is given. */
function temporaryOf({ folder }: Place): string {
  return join(folder, 'temporary')
}

function socketOf({ folder }: Place): string {
  return join(folder, 'socket')
}

function processFileOf({ folder }: Place): string {
  return join(folder, 'pid')
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, LC_ALL: 'C', TZ: 'UTC' }
}

function unstartable({ account, folder }: Place, reason: string): Error {
  const who = account?.name ?? 'that runs this'
  return sandboxError('sandbox.unstartable', { server: 'MariaDB', reason, account: who, folder })
}

function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...programFolders]
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}
