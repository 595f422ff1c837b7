import { AppError, mapInOrder, pause, systemCode, textOf } from '#base'
import { joinPath, placeOf, SshConnection } from '#remote'
import type { Entry, EntryFacts, Path, SftpClient, SftpHandle, SshTarget } from '#remote'
import type { Backend, ByteRange, FileRef, FileStat, FileType } from '../backend.ts'
import { backendError } from '../errors.ts'
import { checkRequest, describeFile, isFileName, rangeWithin } from '../file-ref.ts'
import { baseNameOf, folderOf, folders, packFolders } from '../layout.ts'
import { translate, type Verb } from '../local/system-errors.ts'
import { streamUnlessAborted, unlessAborted } from '../unless-aborted.ts'
import { Channels } from './channels.ts'
import { makeFolder, makeRepository } from './make-folders.ts'
import { sweep } from './sweep.ts'
import { explain, SyncFailed, writeFile } from './write-file.ts'

export interface SftpPlace {
  readonly target: SshTarget
  /** Of the repository's folder there: absolute, or `./…` below the folder of the login. */
  readonly path: string
  /** Absolute, mode 0700, here: holds the socket of the login. The caller removes it. */
  readonly folder: string
  /**
   * SFTP sessions on the one login, each with a window of its own: what a long way carries grows with them. The backend
   * bears two operations on each. Default: 4.
   */
  readonly connections?: number
  /** What is waited for an answer before the connection is given up. Default: 60 s. */
  readonly stallMs?: number
}

interface Modes {
  readonly folder: number
  readonly file: number
}

const privateModes: Modes = { folder: 0o700, file: 0o400 }
const groupModes: Modes = { folder: 0o770, file: 0o440 }
/** Folders that are listed at once, so that the time of a round trip costs little. */
const listsAtOnce = 16
/** While the server syncs one file and answers, the other is sent. */
const filesPerChannel = 2
/** What is waited for clean-up there when the backend is disposed. */
const graceMs = 2000

/**
 * Opens the folder of a repository on another server, laid out as `openLocal` and stock restic over SFTP have it. The
 * folder need not be there: then nothing is found in it. When `signal` is aborted, the connection ends.
 *
 * Bytes are durable when the server offers `fsync@openssh.com`; else they are as durable as the server makes them when a
 * file is closed. Names are as durable as the server makes them: SFTP cannot fsync a folder.
 *
 * @throws errors of the connection (`remote.*`); `backend.denied` when the folder cannot be looked at;
 * `backend.request-invalid` for a path that is none.
 */
export async function openSftp(options: SftpPlace, signal?: AbortSignal): Promise<Backend> {
  return await begin(options, async () => {}, signal)
}

/**
 * Makes the folders of a repository, with all that lead to it, and opens it. Repeating it is harmless.
 *
 * @throws as {@link openSftp}; `backend.full`, `backend.place-missing`.
 */
export async function createSftp(options: SftpPlace, signal?: AbortSignal): Promise<Backend> {
  const make = (sftp: SftpClient, root: Path): Promise<void> => makeRepository(sftp, root, privateModes.folder)
  return await begin(options, make, signal)
}

async function begin(
  options: SftpPlace,
  prepare: (sftp: SftpClient, root: Path) => Promise<void>,
  signal?: AbortSignal,
): Promise<Backend> {
  const { target, folder, connections = 4, stallMs } = options
  const place = placeOf(target).replace(/^ssh:/, 'sftp:') + options.path.replace(/^(?!\/)/, '/')
  const root = rootOf(options.path, place)
  await using undo = new AsyncDisposableStack()
  const login = { folder, ...(stallMs !== undefined && { stallMs }) }
  const connection = undo.use(await SshConnection.open(target, login, signal))
  const { sftp } = connection
  try {
    await prepare(sftp, root)
  } catch (thrown) {
    const explained = await explain(sftp, thrown, joinPath(root, 'data'), 0)
    throw translateThere(explained, place, 'create', 'the folders of a repository')
  }
  const modes = await modesOf(sftp, root, place)
  undo.move()
  return new SftpBackend(place, root, connection, modes, connections)
}

/** @throws `backend.request-invalid`. */
function rootOf(path: string, place: string): Path {
  if (!/^\.?\//.test(path) || path.includes('\0') || path.split('/').includes('..')) {
    throw backendError('backend.request-invalid', { what: `the path ${JSON.stringify(path)}`, place })
  }
  return Buffer.from(path.replace(/\/+$/, '') || '/').toString('latin1')
}

/** A `config` that the group may read says that all files may be. */
async function modesOf(sftp: SftpClient, root: Path, place: string): Promise<Modes> {
  try {
    const { mode } = await sftp.stat(joinPath(root, 'config'))
    return (mode & 0o040) === 0 ? privateModes : groupModes
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return privateModes
    throw translateThere(thrown, place, 'load', 'the config')
  }
}

/** Of the connection's own errors, those that may pass are `backend.unavailable`; the others say best what is wrong. */
function translateThere(thrown: unknown, place: string, verb: Verb, file: string): AppError {
  if (thrown instanceof SyncFailed) {
    return backendError('backend.sync-failed', { place, file, reason: textOf(thrown.cause) }, thrown.cause)
  }
  return thrown instanceof AppError && thrown.kind !== 'unavailable' ? thrown : translate(thrown, place, verb, file)
}

class SftpBackend implements Backend {
  readonly place: string
  readonly connections: number
  readonly #root: Path
  readonly #connection: SshConnection
  readonly #channels: Channels
  readonly #modes: Modes
  /** What is still to be cleaned up there: disposing waits for it a while. */
  readonly #background = new Set<Promise<unknown>>()
  readonly #swept = new Set<Path>()
  #sweeps: Promise<void> = Promise.resolve()
  #isDisposed = false

  constructor(place: string, root: Path, connection: SshConnection, modes: Modes, connections: number) {
    this.place = place
    this.connections = connections * filesPerChannel
    this.#root = root
    this.#connection = connection
    this.#channels = new Channels(connection, connections)
    this.#modes = modes
  }

  async save(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref)
    try {
      await this.#channels.use((sftp) => this.#write(sftp, ref, body, signal))
    } catch (thrown) {
      signal?.throwIfAborted()
      throw this.#translate(thrown, 'save', ref)
    }
    this.#sweepOnce(this.#folderOf(ref), this.#pathOf(ref))
  }

  async *load(ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref, range)
    using taken = await this.#channels.take()
    try {
      yield* this.#read(taken.sftp, ref, range, signal)
    } catch (thrown) {
      signal?.throwIfAborted()
      throw this.#translate(thrown, 'load', ref)
    }
  }

  async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<FileStat, void, void> {
    signal?.throwIfAborted()
    const ref = { type, name: '' }
    try {
      if (type === 'config') {
        const config = await unlessAborted(this.#stat(ref), signal)
        if (config !== undefined) yield config
        return
      }
      const inner = type === 'pack' ? packFolders : ['']
      const lists = mapInOrder(inner, (folder) => this.#list(type, folder), listsAtOnce)
      for await (const files of streamUnlessAborted(lists, signal)) yield* files
    } catch (thrown) {
      signal?.throwIfAborted()
      throw translateThere(thrown, this.place, 'list', type === 'config' ? 'the config' : `the ${type} files`)
    }
  }

  async remove(ref: FileRef, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref)
    const path = this.#pathOf(ref)
    const removing = this.#channels.use(async (sftp) => {
      await sftp.remove(path).catch(async (thrown: unknown) => {
        throw await explain(sftp, thrown, path, -65_536) // because removing needs no room
      })
    })
    try {
      await removing
    } catch (thrown) {
      signal?.throwIfAborted()
      throw this.#translate(thrown, 'remove', ref)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    const patience = new AbortController()
    const tidied = Promise.allSettled([...this.#background, this.#sweeps])
    await Promise.race([tidied, pause(graceMs, patience.signal)])
    patience.abort()
    await this.#connection[Symbol.asyncDispose]()
  }

  /** Writes the file; makes its folder first when that is missing, but never the repository's own. */
  async #write(sftp: SftpClient, ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    const keep = (work: Promise<unknown>): void => this.#keep(work)
    const file = { path: this.#pathOf(ref), body, mode: this.#modes.file, keep }
    const write = (): Promise<void> => writeFile(sftp, file, signal)
    try {
      await write()
    } catch (thrown) {
      if (systemCode(thrown) !== 'ENOENT' || ref.type === 'config') throw thrown
      let folder = this.#root
      for (const name of folderOf(ref).split('/')) {
        folder = joinPath(folder, name)
        await makeFolder(sftp, folder, this.#modes.folder)
      }
      await write()
    }
  }

  async *#read(sftp: SftpClient, ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Buffer> {
    const path = this.#pathOf(ref)
    // because both answers come in one round trip
    const [opening, looking] = [sftp.open(path), sftp.stat(path)]
    looking.catch(() => {}) // because it is awaited below, unless the file cannot be opened
    try {
      const handle = await unlessAborted(opening, signal)
      const { start, end } = this.#rangeOf(ref, await unlessAborted(looking, signal), range)
      let at = start
      for await (const piece of streamUnlessAborted(sftp.readRange(handle, start, end), signal)) {
        yield piece
        at += piece.length
      }
      if (at < end) throw this.#damaged(ref, `it ends at byte ${at}, and ended at ${end} just before`)
    } finally {
      const closing = opening.then((handle: SftpHandle) => sftp.close(handle))
      closing.catch(() => {}) // because a connection that is gone has closed it as well
    }
  }

  #rangeOf(ref: FileRef, facts: EntryFacts, range?: ByteRange): ByteRange {
    if (facts.type !== 'file') throw this.#damaged(ref, 'it is not a file')
    return rangeWithin(this.place, ref, facts.size, range)
  }

  /** Nothing when the folder is not there. */
  async #list(type: Exclude<FileType, 'config'>, inner: string): Promise<FileStat[]> {
    const folder = joinPath(this.#root, inner === '' ? folders[type] : `${folders[type]}/${inner}`)
    let entries: Entry[]
    try {
      entries = await this.#channels.use((sftp) => sftp.list(folder))
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOENT') return []
      throw thrown
    }
    const found: FileStat[] = []
    for (const entry of entries) {
      const name = Buffer.from(entry.name).toString('latin1')
      if (!isFileName(name) || !name.startsWith(inner)) continue
      const file = entry.type === 'symlink' ? await this.#stat({ type, name }) : entry
      if (file && (!('mode' in file) || file.type === 'file')) found.push({ type, name, size: file.size })
    }
    return found
  }

  /** Undefined for what is not a regular file, or is not there. */
  async #stat(ref: FileRef): Promise<FileStat | undefined> {
    try {
      const { type, size } = await this.#channels.use((sftp) => sftp.stat(this.#pathOf(ref)))
      return type === 'file' ? { ...ref, size } : undefined
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOENT') return undefined
      throw thrown
    }
  }

  /** One folder after the other, so that sweeping takes little of the connection. */
  #sweepOnce(folder: Path, justSaved: Path): void {
    if (this.#swept.has(folder)) return
    this.#swept.add(folder)
    this.#sweeps = this.#sweeps.then(async () => {
      if (!this.#isDisposed) await this.#channels.use((sftp) => sweep(sftp, folder, justSaved))
    })
  }

  #keep(work: Promise<unknown>): void {
    const tidied = Promise.allSettled([work]).finally(() => this.#background.delete(tidied))
    this.#background.add(tidied)
  }

  #folderOf(ref: FileRef): Path {
    const folder = folderOf(ref)
    return folder === '' ? this.#root : joinPath(this.#root, folder)
  }

  #pathOf(ref: FileRef): Path {
    return joinPath(this.#folderOf(ref), baseNameOf(ref))
  }

  #translate(thrown: unknown, verb: Verb, ref: FileRef): AppError {
    return translateThere(thrown, this.place, verb, describeFile(ref))
  }

  #damaged(ref: FileRef, reason: string): AppError {
    return backendError('backend.damaged', { file: describeFile(ref), place: this.place, reason })
  }
}
