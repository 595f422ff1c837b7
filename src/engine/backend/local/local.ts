import { constants, type Dirent } from 'node:fs'
import { lstat, mkdir, open, readdir, stat, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'

import { AppError, mapInOrder, systemCode, textOf } from '#base'
import { backendError } from '../errors.ts'
import { checkRequest, describeFile, isFileName, rangeWithin } from '../file-ref.ts'
import { baseNameOf, folderOf, folders, packFolders } from '../layout.ts'
import type { Backend, ByteRange, FileRef, FileStat, FileType } from '../backend.ts'
import { FolderSync } from './sync-folder.ts'
import { translate, type Verb } from './system-errors.ts'
import { SyncFailed, sweepTemporaries, writeFile } from './write-file.ts'

interface Modes {
  readonly folder: number
  readonly file: number
}

const privateModes: Modes = { folder: 0o700, file: 0o400 }
const groupModes: Modes = { folder: 0o770, file: 0o440 }

/** Bytes read at once: the largest blob comes in two pieces, and a stream of a large pack stays small in memory. */
const pieceSize = 4 * 1024 * 1024

/** Files of one folder that are looked at together while listing. */
const statsAtOnce = 16

/**
 * Opens the folder of a repository on a local (or mounted) file system. The folder need not be there: then nothing is
 * found in it, and saving throws `backend.place-missing`.
 *
 * A `config` that the group may read says that all files may be; else everything is for the owner alone.
 *
 * @throws `backend.denied`, `backend.place-missing` when `folder` cannot be looked at.
 */
export async function openLocal(folder: string): Promise<Backend> {
  const root = resolve(folder)
  try {
    const { mode } = await stat(join(root, 'config'))
    return new LocalBackend(root, (mode & 0o040) === 0 ? privateModes : groupModes)
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return new LocalBackend(root, privateModes)
    throw translate(thrown, root, 'load', 'the config')
  }
}

/**
 * Makes the folders of a repository, with all that lead to it, durably, and opens it. Folders that are there already stay
 * as they are, so repeating it is harmless.
 *
 * @throws `backend.denied`, `backend.full`, `backend.place-missing`.
 */
export async function createLocal(folder: string): Promise<Backend> {
  const root = resolve(folder)
  try {
    const first = await mkdir(root, { recursive: true, mode: privateModes.folder })
    const sync = new FolderSync()
    for (const name of Object.values(folders)) await makeFolder(join(root, name), privateModes.folder)
    for (const name of packFolders) await makeFolder(join(root, 'data', name), privateModes.folder)
    await sync.sync(join(root, 'data'))
    await sync.sync(root)
    if (first !== undefined) {
      for (let made = root; made.length >= first.length; made = dirname(made)) await sync.sync(dirname(made))
    }
  } catch (thrown) {
    throw translate(thrown, root, 'create', 'the folders of a repository')
  }
  return openLocal(root)
}

class LocalBackend implements Backend {
  readonly place: string
  readonly connections = 4
  readonly #modes: Modes
  readonly #folderSync = new FolderSync()
  /** Folders that were swept, with the sweep itself: disposing waits for it. */
  readonly #sweeps = new Map<string, Promise<void>>()

  constructor(root: string, modes: Modes) {
    this.place = root
    this.#modes = modes
  }

  async save(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref)
    const folder = join(this.place, folderOf(ref))
    const path = join(folder, baseNameOf(ref))
    try {
      await this.#write(ref, path, body, signal)
      await this.#syncOrGiveUp(folder, path)
    } catch (thrown) {
      signal?.throwIfAborted()
      if (thrown instanceof AppError) throw thrown
      if (thrown instanceof SyncFailed) {
        const facts = { place: this.place, file: describeFile(ref), reason: textOf(thrown.cause) }
        throw backendError('backend.sync-failed', facts, thrown.cause)
      }
      throw this.#translate(thrown, 'save', ref)
    }
    if (!this.#sweeps.has(folder)) this.#sweeps.set(folder, sweep(folder, path))
  }

  async *load(ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    yield* this.#pieces(ref, range, (_, length) => Buffer.allocUnsafeSlow(length), signal)
  }

  async loadInto(ref: FileRef, range: ByteRange, target: Uint8Array, signal?: AbortSignal): Promise<void> {
    const memory = (at: number, length: number): Uint8Array => target.subarray(at, at + length)
    for await (const _ of this.#pieces(ref, range, memory, signal)) {
      // because each piece is where it belongs when it comes
    }
  }

  /** @param memory - where the bytes of a piece go, counted from the start of the range. */
  async *#pieces(
    ref: FileRef,
    range: ByteRange | undefined,
    memory: (at: number, length: number) => Uint8Array,
    signal?: AbortSignal,
  ): AsyncGenerator<Uint8Array, void, void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref, range)
    const handle = await this.#open(ref)
    try {
      const { start, end } = await this.#rangeOf(handle, ref, range)
      for (let at = start; at < end;) {
        signal?.throwIfAborted()
        const piece = memory(at - start, Math.min(pieceSize, end - at))
        const read = await this.#read(handle, ref, at, piece)
        if (read === 0) throw this.#damaged(ref, `it ends at byte ${at}, and ended at ${end} just before`)
        yield read === piece.length ? piece : piece.subarray(0, read)
        at += read
      }
    } finally {
      await handle.close()
    }
  }

  async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<FileStat, void, void> {
    signal?.throwIfAborted()
    if (type === 'config') {
      const config = await this.#stat({ type, name: '' })
      if (config !== undefined) yield config
      return
    }
    for await (const entries of this.#folders(type, signal)) {
      const stat = ({ name }: Dirent): Promise<FileStat | undefined> => this.#stat({ type, name })
      for await (const file of mapInOrder(entries, stat, statsAtOnce)) {
        signal?.throwIfAborted()
        if (file !== undefined) yield file
      }
    }
  }

  async names(type: FileType, signal?: AbortSignal): Promise<string[]> {
    if (type === 'config') return Array.fromAsync(this.list(type, signal), ({ name }) => name)
    const names: string[] = []
    for await (const entries of this.#folders(type, signal)) {
      for (const entry of entries) {
        // because some file systems do not tell what an entry is, and a link may lead to a file
        if (entry.isFile() || (!entry.isDirectory() && (await this.#stat({ type, name: entry.name })))) {
          names.push(entry.name)
        }
      }
    }
    return names
  }

  /** What has the name of a file of `type`, folder by folder. */
  async *#folders(type: Exclude<FileType, 'config'>, signal?: AbortSignal): AsyncGenerator<Dirent[], void, void> {
    const inner = type === 'pack' ? (await this.#entries('data')).map(({ name }) => name) : ['']
    for (const folder of inner) {
      if (type === 'pack' && !/^[0-9a-f]{2}$/.test(folder)) continue
      signal?.throwIfAborted()
      const entries = await this.#entries(join(folders[type], folder))
      yield entries.filter(({ name }) => isFileName(name) && name.startsWith(folder))
    }
  }

  async remove(ref: FileRef, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref)
    const folder = join(this.place, folderOf(ref))
    try {
      await unlink(join(folder, baseNameOf(ref)))
      // because a lock that comes back after a power cut names a process that is gone, and is taken away for that
      if (ref.type !== 'lock') await this.#folderSync.sync(folder)
    } catch (thrown) {
      throw this.#translate(thrown, 'remove', ref)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#sweeps.values())
  }

  /** Writes the file; makes its folder first when that is missing, but never the repository's own. */
  async #write(ref: FileRef, path: string, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    try {
      await writeFile(path, body, this.#modes.file, signal)
    } catch (thrown) {
      if (systemCode(thrown) !== 'ENOENT' || ref.type === 'config') throw thrown
      await this.#makeFolders(ref)
      await writeFile(path, body, this.#modes.file, signal)
    }
  }

  async #makeFolders(ref: FileRef): Promise<void> {
    let parent = this.place
    for (const name of folderOf(ref).split('/')) {
      const folder = join(parent, name)
      if (await makeFolder(folder, this.#modes.folder)) await this.#folderSync.sync(parent)
      parent = folder
    }
  }

  /** A name that may be lost in a power cut is not left standing: whoever sees it would believe in it. */
  async #syncOrGiveUp(folder: string, path: string): Promise<void> {
    try {
      await this.#folderSync.sync(folder)
    } catch (thrown) {
      await unlink(path).catch(() => {}) // because the failed fsync is the news, and the file may be gone already
      throw new SyncFailed('fsync of the folder failed', { cause: thrown })
    }
  }

  async #open(ref: FileRef): Promise<FileHandle> {
    try {
      // O_NONBLOCK, because opening a fifo of that name would wait for ever
      const flags = constants.O_RDONLY | constants.O_NONBLOCK
      return await open(join(this.place, folderOf(ref), baseNameOf(ref)), flags)
    } catch (thrown) {
      throw this.#translate(thrown, 'load', ref)
    }
  }

  async #rangeOf(handle: FileHandle, ref: FileRef, range?: ByteRange): Promise<ByteRange> {
    const found = await handle.stat().catch((thrown: unknown) => {
      throw this.#translate(thrown, 'load', ref)
    })
    if (!found.isFile()) throw this.#damaged(ref, 'it is not a regular file')
    return rangeWithin(this.place, ref, found.size, range)
  }

  async #read(handle: FileHandle, ref: FileRef, at: number, target: Uint8Array): Promise<number> {
    try {
      const { bytesRead } = await handle.read(target, 0, target.length, at)
      return bytesRead
    } catch (thrown) {
      throw this.#translate(thrown, 'load', ref)
    }
  }

  async #entries(folder: string): Promise<Dirent[]> {
    try {
      return await readdir(join(this.place, folder), { withFileTypes: true })
    } catch (thrown) {
      if (['ENOENT', 'ENOTDIR'].includes(systemCode(thrown) ?? '')) return []
      throw translate(thrown, this.place, 'list', folder)
    }
  }

  /** Undefined for what is not a regular file, or was removed while we listed. */
  async #stat(ref: FileRef): Promise<FileStat | undefined> {
    try {
      const found = await stat(join(this.place, folderOf(ref), baseNameOf(ref)))
      return found.isFile() ? { ...ref, size: found.size } : undefined
    } catch (thrown) {
      if (['ENOENT', 'ENOTDIR'].includes(systemCode(thrown) ?? '')) return undefined
      throw this.#translate(thrown, 'list', ref)
    }
  }

  #translate(thrown: unknown, verb: Verb, ref: FileRef): AppError {
    return translate(thrown, this.place, verb, describeFile(ref))
  }

  #damaged(ref: FileRef, reason: string): AppError {
    return backendError('backend.damaged', { file: describeFile(ref), place: this.place, reason })
  }
}

/** @returns whether the folder was not there before. */
async function makeFolder(folder: string, mode: number): Promise<boolean> {
  try {
    await mkdir(folder, mode)
    return true
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') return false
    throw thrown
  }
}

/** Compares with the file just saved, because only the file system's own clock says how old its files are. */
async function sweep(folder: string, justSaved: string): Promise<void> {
  try {
    const { mtimeMs } = await lstat(justSaved)
    await sweepTemporaries(folder, await readdir(folder), mtimeMs)
  } catch {
    // because sweeping is a courtesy: the next run tries again
  }
}
