import { AppError } from '#base'
import { sha256Hex } from '../crypto/hash.ts'
import { CacheFolder } from './cache-folder.ts'
import { checkRequest } from './file-ref.ts'
import { loadAll } from './load-all.ts'
import type { Backend, ByteRange, FileRef, FileStat, FileType } from './backend.ts'

export interface CachedOptions {
  /** Absolute; shared by all repositories and processes of one user, and made when it is needed. It may be removed. */
  readonly folder: string
  /** What all repositories together may take; a process may go over it by a sixteenth. Default: 2 GiB. */
  readonly maxBytes?: number
}

/** A backend that reads some of its files from this machine. Disposing disposes the backend it wraps. */
export interface CachedBackend extends Backend {
  /** The backend it wraps: what is loaded from there was not kept here. */
  readonly uncached: Backend
  /** Says which packs hold trees, and so are kept. Until it is called no pack is. */
  keepPacks(holdsTrees: (name: string) => boolean): void
}

export function isCached(backend: Backend): backend is CachedBackend {
  return 'uncached' in backend
}

const defaultMaxBytes = 2 * 1024 ** 3
/** Bytes handed on at once. */
const pieceSize = 4 * 1024 * 1024

/**
 * Keeps index files, snapshots and packs of trees in a folder of this machine, as they are in the repository: sealed. Keys,
 * locks, the config and packs of data are never kept.
 *
 * A kept file is believed only when its SHA-256 is its name; any other is dropped and loaded anew. What another process
 * removes from the repository stays loadable until the files of that type were listed to the end.
 *
 * Nothing that goes wrong with the folder is an error. Memory: one file of up to 64 MiB for each load.
 */
export function cached(backend: Backend, { folder, maxBytes = defaultMaxBytes }: CachedOptions): CachedBackend {
  return new Cached(backend, folder, maxBytes)
}

class Cached implements CachedBackend {
  readonly uncached: Backend
  readonly #root: string
  readonly #maxBytes: number
  #folder: CacheFolder | undefined
  #holdsTrees: (name: string) => boolean = () => false
  /** What is being fetched, for all who want it meanwhile. */
  readonly #fetches = new Map<string, Promise<Uint8Array | undefined>>()

  constructor(backend: Backend, root: string, maxBytes: number) {
    this.uncached = backend
    this.#root = root
    this.#maxBytes = maxBytes
  }

  get place(): string {
    return this.uncached.place
  }

  get connections(): number {
    return this.uncached.connections
  }

  keepPacks(holdsTrees: (name: string) => boolean): void {
    this.#holdsTrees = holdsTrees
  }

  async save(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.uncached.save(ref, body, signal)
    if (this.#isKept(ref)) await this.#folder?.write(ref, body)
  }

  async *load(ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref, range)
    const bytes = this.#isKept(ref) ? await this.#loadKept(ref, range, signal) : undefined
    if (bytes === undefined) {
      yield* this.uncached.load(ref, range, signal)
      return
    }
    for (let at = 0; at < bytes.length; at += pieceSize) {
      signal?.throwIfAborted()
      yield bytes.subarray(at, at + pieceSize)
    }
  }

  async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<FileStat, void, void> {
    const kept = new Set(await this.#folder?.names(type))
    for await (const file of this.uncached.list(type, signal)) {
      kept.delete(file.name)
      yield file
    }
    for (const name of kept) await this.#folder?.drop({ type, name })
  }

  async remove(ref: FileRef, signal?: AbortSignal): Promise<void> {
    await this.uncached.remove(ref, signal)
    await this.#folder?.drop(ref)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.uncached[Symbol.asyncDispose]()
  }

  #isKept({ type, name }: FileRef): boolean {
    return type === 'index' || type === 'snapshot' || (type === 'pack' && this.#holdsTrees(name))
  }

  /** Undefined when it must be loaded from the place, which also says what is wrong with it. */
  async #loadKept(ref: FileRef, range?: ByteRange, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const folder = await this.#open(signal)
    if (folder === undefined) return undefined
    const kept = await folder.read(ref, range)
    if (kept !== undefined) return kept
    const whole = await this.#fetchOnce(folder, ref, signal)
    if (whole === undefined || (range?.end ?? 0) > whole.length) return undefined
    // a copy, because others may have the same bytes
    return whole.slice(range?.start, range?.end)
  }

  /** Undefined also when somebody else was fetching it and failed. */
  async #fetchOnce(folder: CacheFolder, ref: FileRef, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const key = `${ref.type}/${ref.name}`
    const begun = this.#fetches.get(key)
    if (begun !== undefined) return await begun.catch(() => undefined)
    const fetch = this.#fetchFile(folder, ref, signal)
    this.#fetches.set(key, fetch)
    try {
      return await fetch
    } finally {
      this.#fetches.delete(key)
    }
  }

  /** Undefined for what cannot be kept. */
  async #fetchFile(folder: CacheFolder, ref: FileRef, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    if (folder.refuses(ref)) return undefined
    const parts: Uint8Array[] = []
    let size = 0
    for await (const part of this.uncached.load(ref, undefined, signal)) {
      parts.push(part)
      size += part.length
      if (size > folder.largestFile) {
        folder.refuse(ref)
        return undefined
      }
    }
    const whole = Buffer.concat(parts, size)
    return (await folder.write(ref, whole)) ? whole : undefined
  }

  /** The folder of a repository is named by the SHA-256 of its config, which never changes. Undefined without a config. */
  async #open(signal?: AbortSignal): Promise<CacheFolder | undefined> {
    if (this.#folder !== undefined) return this.#folder
    try {
      const config = await loadAll(this.uncached, { type: 'config', name: '' }, undefined, signal)
      return (this.#folder ??= new CacheFolder(this.#root, sha256Hex(config), this.#maxBytes))
    } catch (thrown) {
      signal?.throwIfAborted()
      if (!(thrown instanceof AppError)) throw thrown
      return undefined // because whoever wants the config is told; this load goes on without
    }
  }
}
