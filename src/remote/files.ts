import { collect, systemClock, systemCode } from '#base'
import { entryError, isEntryName, joinPath, trimPath, type Entry, type EntryFacts, type Path } from './entry.ts'
import { remoteError } from './errors.ts'
import {
  deniedError,
  deviceOf,
  isDenied,
  isFolder,
  parseFound,
  printActions,
  splitFound,
  type FoundEntry,
} from './find.ts'
import { FindSession } from './find-session.ts'
import { runThere, startThere, streamThere } from './run-program.ts'
import type { SftpClient } from './sftp.ts'
import type { SshConnection } from './ssh.ts'

/** Entries of one tree that are listed, and kept, at once: about 120 MB. A larger one is listed tree by tree. */
const largestTree = 500_000
/** Entries of one folder that are believed. */
const largestFolder = 2_000_000

/** A folder of a tree that was listed at once. */
interface Listed {
  readonly denied: boolean
  /** By name, each three texts one after the other: facts, target, name. */
  readonly texts: string[]
}

/**
 * The files of another server. With GNU find there, one program lists a whole tree, exactly; without, SFTP lists folder by
 * folder, and knows neither change times nor inodes, and seconds only. Files are read over SFTP.
 *
 * What a tree held when it was listed is what it holds until the connection ends; what is read is compared with it.
 */
export class RemoteFiles {
  /** Files that may be read at once: a fifth of the open files that a server allows by default. */
  readonly parallel = 192
  readonly method: 'find' | 'sftp'
  /** How far the clock there is ahead of ours; 0 where it is not known. */
  readonly clockAheadNs: bigint
  readonly #connection: SshConnection
  readonly #sftp: SftpClient
  readonly #signal: AbortSignal | undefined
  readonly #finding: FindSession
  readonly #folders = new Map<Path, Listed>()
  readonly #walks = new Map<Path, Promise<Listed | undefined>>()
  #problems: string[] = []
  #wholeTrees = true

  private constructor(connection: SshConnection, found: Clock | undefined, signal: AbortSignal | undefined) {
    this.#connection = connection
    this.#sftp = connection.sftp
    this.#finding = new FindSession(connection, signal)
    this.#signal = signal
    this.method = found ? 'find' : 'sftp'
    this.clockAheadNs = found?.aheadNs ?? 0n
  }

  /** Sees how files can be listed there. @throws errors of the connection. */
  static async open(connection: SshConnection, signal?: AbortSignal): Promise<RemoteFiles> {
    return new RemoteFiles(connection, await findClock(connection, signal), signal)
  }

  /**
   * Of each entry, links not followed; what cannot be had is an Error with the system's code.
   *
   * @throws errors of the connection.
   */
  async status(paths: readonly Path[]): Promise<(EntryFacts | Error)[]> {
    const found = await this.#find(paths)
    // because find only says that something is wrong with a path, not what
    return await Promise.all(paths.map(async (path) => found.get(path) ?? (await attempt(this.#lstat(path)))))
  }

  /** What lies in a folder, links in its path followed. @throws an Error with the system's code. */
  async list(path: Path): Promise<Entry[]> {
    const folder = trimPath(path)
    if (this.method === 'sftp') return await this.#listOverSftp(folder)
    const listed = this.#folders.get(folder) ?? (await this.#walkOnce(folder))
    if (!listed) throw await this.#whyNoFolder(folder)
    if (listed.denied) throw deniedError()
    const entries = this.#checked(() => parseListed(listed))
    if (!this.#wholeTrees) this.#folders.delete(folder)
    return await this.#withDevices(folder, entries)
  }

  /** The bytes of a file. @param expected - bytes, when they are known: no more are read. */
  async *open(path: Path, expected?: number, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    for await (const piece of this.#sftp.read(path, expected)) {
      signal?.throwIfAborted()
      yield piece
    }
  }

  /** What find could not list, in its words, since this was last asked; folders that may not be read are not among it. */
  takeProblems(): string[] {
    const problems = this.#problems
    this.#problems = []
    return problems
  }

  async #find(paths: readonly Path[]): Promise<ReadonlyMap<Path, EntryFacts>> {
    if (this.method === 'sftp') return new Map()
    try {
      return await this.#finding.status(paths)
    } catch (thrown) {
      throw thrown instanceof SyntaxError ? this.#garbled(thrown.message, thrown) : thrown
    }
  }

  /** SFTP passes over what it cannot see, as if a folder that may be listed but not entered were empty. */
  async #listOverSftp(folder: Path): Promise<Entry[]> {
    const [entries] = await Promise.all([this.#sftp.list(folder), this.#sftp.lstat(joinPath(folder, '.'))])
    return entries
  }

  async #lstat(path: Path): Promise<EntryFacts> {
    const facts = await this.#sftp.lstat(path)
    return facts.type === 'symlink' ? { ...facts, linkTarget: await this.#sftp.readlink(path) } : facts
  }

  #walkOnce(folder: Path): Promise<Listed | undefined> {
    const walk = this.#walks.get(folder) ?? this.#walk(folder).finally(() => this.#walks.delete(folder))
    this.#walks.set(folder, walk)
    return walk
  }

  /** Its whole tree, or, where that is too large, the folder alone, so that the trees in it are tried next. */
  async #walk(folder: Path): Promise<Listed | undefined> {
    if (!this.#wholeTrees) this.#folders.clear() // because the tree before was read to its end, or left out
    if (!(await this.#walkTree(folder, []))) {
      this.#wholeTrees = false
      await this.#walkTree(folder, ['-maxdepth', '1'])
    }
    return this.#folders.get(folder)
  }

  /** @returns false when there is more than is kept: then nothing of it is kept. */
  async #walkTree(folder: Path, limits: readonly string[]): Promise<boolean> {
    const inFolder = joinPath(folder, '')
    const folders = new Map<Path, Listed>()
    let count = 0
    const call = { program: 'find', args: ['-H', Buffer.from(folder, 'latin1'), ...limits, ...printActions('%P')] }
    const { output, end } = startThere(this.#connection, call, this.#signal)
    for await (const entries of this.#found(output)) {
      count += entries.length
      if (count > largestTree && limits.length === 0) return false
      if (count > largestFolder) throw this.#garbled(`find wrote more than ${largestFolder} entries of one folder`)
      this.#checked(() => {
        for (const entry of entries) keep(entry, folder, inFolder, folders)
      })
    }
    const { code, stderr } = end()
    if (code !== 0) this.#note(stderr, folders)
    for (const [path, listed] of folders) if (limits.length === 0 || path === folder) this.#folders.set(path, listed)
    return true
  }

  /** Folders that may not be read are known, and reported where they are asked for. */
  #note(stderr: string, folders: ReadonlyMap<Path, Listed>): void {
    const someDenied = Array.from(folders.values()).some(({ denied }) => denied)
    const lines = stderr.split('\n').filter((line) => line !== '' && folders.size > 0)
    this.#problems.push(...lines.filter((line) => !(someDenied && line.endsWith(': Permission denied'))))
  }

  async #whyNoFolder(folder: Path): Promise<Error> {
    const facts = await attempt(this.#sftp.stat(folder))
    if (facts instanceof Error) return facts
    return entryError('ENOTDIR', 'scandir', facts.type === 'dir' ? 'it cannot be listed' : 'it is not a folder')
  }

  /** Devices are rare, and find does not know their numbers. */
  async #withDevices(folder: Path, entries: Entry[]): Promise<Entry[]> {
    const devices = entries.filter(({ type }) => type === 'dev' || type === 'chardev')
    if (devices.length === 0) return entries
    const paths = devices.map(({ name }) => joinPath(folder, Buffer.from(name).toString('latin1')))
    const input = Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1')
    const call = { program: 'xargs', args: ['-0', '-r', 'stat', '-c', '%t %T', '--'], input }
    const lines = Buffer.from(await collect(runThere(this.#connection, call, this.#signal)))
      .toString()
      .trim()
      .split('\n')
    if (lines.length !== devices.length) return entries // because one has vanished, and nobody knows which
    const numbers = new Map(devices.map((entry, nth) => [entry, deviceOf(lines[nth]!)]))
    return entries.map((entry) => ({ ...entry, device: numbers.get(entry) ?? 0n }))
  }

  async *#found(output: AsyncIterable<Uint8Array>): AsyncGenerator<FoundEntry[], void, void> {
    try {
      yield* splitFound(withDeadline(output, this.#connection))
    } catch (thrown) {
      throw thrown instanceof SyntaxError ? this.#garbled(thrown.message, thrown) : thrown
    }
  }

  #checked<T>(parse: () => T): T {
    try {
      return parse()
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) throw thrown
      throw this.#garbled(thrown.message, thrown)
    }
  }

  #garbled(reason: string, cause?: unknown): Error {
    return remoteError('remote.garbled', { place: this.#connection.place, reason }, cause)
  }
}

/** Ends a program that writes nothing for too long, such as a find on a disk that hangs. */
async function* withDeadline(
  output: AsyncIterable<Uint8Array>,
  connection: SshConnection,
): AsyncGenerator<Uint8Array, void, void> {
  const pieces = output[Symbol.asyncIterator]()
  try {
    for (;;) {
      const late = Promise.withResolvers<never>()
      const timer = setTimeout(() => late.reject(connection.stalled()), connection.stallMs)
      const next = await Promise.race([pieces.next(), late.promise]).finally(() => clearTimeout(timer))
      if (next.done) return
      yield next.value
    }
  } finally {
    void pieces.return?.()
  }
}

interface Clock {
  readonly aheadNs: bigint
}

/** Undefined when no GNU find can be run there. */
async function findClock(connection: SshConnection, signal?: AbortSignal): Promise<Clock | undefined> {
  const script = String.raw`date +%s.%N; find / -maxdepth 0 -readable -printf '%D %C@\n' && command -v xargs >/dev/null`
  try {
    const before = systemClock.now()
    const output = await collect(streamThere(connection, { program: 'sh', args: ['-c', script] }, signal))
    const after = systemClock.now()
    const now = /^(\d+)\.(\d{9})\n\d+ \d+\.\d+\n$/.exec(Buffer.from(output).toString())
    if (!now) return undefined
    const there = BigInt(now[1]!) * 1_000_000_000n + BigInt(now[2]!)
    return { aheadNs: there - BigInt(Math.round((before + after) / 2)) * 1_000_000n }
  } catch (thrown) {
    const code = systemCode(thrown)
    if (code === 'remote.no-shell' || code === 'program.failed' || code === 'program.missing') return undefined
    throw thrown
  }
}

function keep(entry: FoundEntry, root: Path, inRoot: Path, folders: Map<Path, Listed>): void {
  const at = entry.path.lastIndexOf('/')
  const name = entry.path.slice(at + 1)
  if (entry.path !== '') {
    if (!isEntryName(name)) throw new SyntaxError(`find wrote the name ${JSON.stringify(name.slice(0, 100))}`)
    const above = at === -1 ? root : inRoot + entry.path.slice(0, at)
    const listed = folders.get(above)
    if (!listed) throw new SyntaxError('find wrote an entry before its folder')
    listed.texts.push(entry.facts, entry.target, name)
  }
  if (!isFolder(entry)) return
  folders.set(entry.path === '' ? root : inRoot + entry.path, { denied: isDenied(entry), texts: [] })
}

function parseListed({ texts }: Listed): Entry[] {
  const entries: Entry[] = []
  for (let at = 0; at < texts.length; at += 3) {
    const [facts, target, path] = [texts[at]!, texts[at + 1]!, texts[at + 2]!]
    entries.push({ ...parseFound({ facts, target, path }), name: Buffer.from(path, 'latin1') })
  }
  return entries
}

async function attempt<T>(work: Promise<T>): Promise<T | Error> {
  try {
    return await work
  } catch (thrown) {
    if (thrown instanceof Error && 'syscall' in thrown) return thrown
    throw thrown
  }
}
