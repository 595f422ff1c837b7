import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { runProgram, startDuplex, type DuplexProgram } from '#base'
import { confined, confinedAccounts, findAccount, type Account } from './account.ts'
import { sandboxError } from './errors.ts'
import { openLoopback, type Loopback } from './loopback.ts'
import { startMariadb, type MariadbServer, type MariadbSettings } from './mariadb.ts'
import { startPostgresql, type PostgresqlServer, type PostgresqlSettings } from './postgresql.ts'
import { processMark, removeWithProcesses } from './remove-workplace.ts'

export interface WorkplaceOptions {
  /** Where its own folder is made; short, and everybody must be able to enter it. Default: `/var/tmp`, where disks are. */
  readonly parent?: string
  /** What it will hold; there must be room for it. */
  readonly expectedBytes?: number
}

/** A program to run in it. */
export interface ConfinedCall {
  readonly program: string
  readonly args: readonly string[]
  readonly cwd?: string
  /** All that it finds in its environment besides PATH; nothing of ours. */
  readonly environment?: Readonly<Record<string, string>>
}

/**
 * A folder for foreign data, and the servers and programs that work on it. All of it is gone when it is disposed of, and also
 * when this process is killed: another one waits for that. Nothing that runs in it has rights or, when we are root, a network.
 */
export interface Workplace extends AsyncDisposable {
  /** Absolute. Its names cannot be listed by others. */
  readonly path: string
  /** Makes a folder in it that only we can enter. @returns its path. */
  makeFolder(name: string): string
  /** Copies what a folder holds into another one that is there; one that is not there holds nothing. */
  copyInto(from: string, folder: string, signal?: AbortSignal): Promise<void>
  /** Gives a folder with all that is in it to the account that programs run as. */
  handOver(folder: string, signal?: AbortSignal): Promise<void>
  startPostgresql(
    settings: Pick<PostgresqlSettings, 'major' | 'settings'>,
    signal?: AbortSignal,
  ): Promise<PostgresqlServer>
  startMariadb(settings: Pick<MariadbSettings, 'settings'>, signal?: AbortSignal): Promise<MariadbServer>
  /** Runs a program to its end, without any network. @throws `program.failed`. */
  run(call: ConfinedCall, signal?: AbortSignal): Promise<string>
  /** Starts a program that goes on until it is disposed of, in a network in which only {@link request} reaches it. @throws `sandbox.no-network`. */
  start(call: ConfinedCall, signal?: AbortSignal): Promise<DuplexProgram>
  /** Asks what was started at 127.0.0.1. */
  request(url: string, signal?: AbortSignal): Promise<WorkplaceAnswer>
}

/** What an application answered, or why it did not. */
export type WorkplaceAnswer = { readonly status: number; readonly text: string } | { readonly failed: string }

const prefix = 'bewaar-sandbox-'
const markFile = 'mark'

/**
 * Opens a workplace, after removing those whose processes are gone.
 *
 * @throws `sandbox.no-room`.
 */
export async function openWorkplace(options: WorkplaceOptions = {}, signal?: AbortSignal): Promise<Workplace> {
  const parent = options.parent ?? defaultParent()
  await sweepWorkplaces(parent)
  signal?.throwIfAborted()
  const path = mkdtempSync(join(parent, prefix))
  try {
    demandRoom(parent, options.expectedBytes ?? 0)
    writeFileSync(join(path, markFile), processMark(process.pid) ?? '', { mode: 0o600 })
    chmodSync(path, 0o711)
    return new Place(path)
  } catch (thrown) {
    rmSync(path, { recursive: true, force: true })
    throw thrown
  }
}

/** Removes the workplaces of processes that are gone: those that nobody could remove when the machine stopped. */
export async function sweepWorkplaces(parent = defaultParent()): Promise<void> {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(prefix)) continue
    const mark = readOrNothing(join(parent, name, markFile))
    if (mark === undefined || mark === '') continue // because it is being made, or is not ours to look into
    if (processMark(Number(mark.split(' ')[0])) !== mark) await removeWithProcesses(join(parent, name))
  }
}

/** A disk, and not the memory that `/tmp` is on many machines; a socket's path has at most 107 bytes. */
function defaultParent(): string {
  return process.env['TMPDIR'] === undefined ? '/var/tmp' : tmpdir()
}

function readOrNothing(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function demandRoom(parent: string, neededBytes: number): void {
  const { bavail, frsize } = statfsSync(parent)
  const freeBytes = bavail * frsize
  if (freeBytes >= neededBytes) return
  const megabytes = (bytes: number): number => Math.ceil(bytes / 1e6)
  throw sandboxError('sandbox.no-room', {
    folder: parent,
    needed: megabytes(neededBytes),
    free: megabytes(freeBytes),
  })
}

class Place implements Workplace {
  readonly path: string
  readonly #account: Account | undefined = findAccount(confinedAccounts)
  readonly #servers = new AsyncDisposableStack()
  readonly #watcher: DuplexProgram
  #loopback: Loopback | undefined

  constructor(path: string) {
    this.path = path
    const script = new URL(import.meta.resolve('./reaper.ts'))
    const args = ['--disable-warning=ExperimentalWarning', script.pathname, path]
    this.#watcher = startDuplex(process.execPath, args, { env: { PATH: process.env['PATH'] }, cwd: '/' })
  }

  makeFolder(name: string): string {
    const folder = join(this.path, name)
    mkdirSync(folder, { mode: 0o700 })
    return folder
  }

  async copyInto(from: string, folder: string, signal?: AbortSignal): Promise<void> {
    if (!existsSync(from)) return
    await runProgram('cp', ['--archive', '--reflink=auto', '--', `${from}/.`, folder], {}, signal)
  }

  async handOver(folder: string, signal?: AbortSignal): Promise<void> {
    if (!this.#account) return
    const owner = `${this.#account.uid}:${this.#account.gid}`
    await runProgram('chown', ['--recursive', '--no-dereference', owner, '--', folder], {}, signal)
  }

  async startPostgresql(settings: PostgresqlSettings, signal?: AbortSignal): Promise<PostgresqlServer> {
    return this.#servers.use(await startPostgresql({ ...settings, folder: this.path, isConfined: true }, signal))
  }

  async startMariadb(settings: MariadbSettings, signal?: AbortSignal): Promise<MariadbServer> {
    return this.#servers.use(await startMariadb({ ...settings, folder: this.path, isConfined: true }, signal))
  }

  run(call: ConfinedCall, signal?: AbortSignal): Promise<string> {
    const { program, args } = confined(this.#account, call.program, call.args, { deathSignal: 'KILL' })
    return runProgram(program, args, this.#surroundings(call), signal)
  }

  async start(call: ConfinedCall, signal?: AbortSignal): Promise<DuplexProgram> {
    this.#loopback ??= this.#servers.use(await openLoopback(this.path, signal))
    const options = { deathSignal: 'KILL', network: this.#loopback.enter } as const
    const { program, args } = confined(this.#account, call.program, call.args, options)
    return startDuplex(program, args, this.#surroundings(call), signal)
  }

  async request(url: string, signal?: AbortSignal): Promise<WorkplaceAnswer> {
    const script = new URL(import.meta.resolve('./request.ts'))
    const own = [process.execPath, '--disable-warning=ExperimentalWarning', script.pathname, url]
    const [program, ...args] = [...(this.#loopback?.enter ?? []), ...own] as [string, ...string[]]
    const output = await runProgram(program, args, { env: { PATH: process.env['PATH'] } }, signal)
    return JSON.parse(output) as WorkplaceAnswer
  }

  #surroundings({ cwd, environment }: ConfinedCall): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } {
    const env = { PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, HOME: cwd ?? this.path, LC_ALL: 'C.UTF-8' }
    return { cwd: cwd ?? this.path, env: { ...env, ...environment } }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers.disposeAsync()
    await removeWithProcesses(this.path)
    this.#watcher.closeInput()
    await this.#watcher.ended
  }
}
