import { AppError } from '#base'
import type { Backend, ByteRange } from '../backend/backend.ts'

/** Bytes of one pack that are kept: whole packs of the usual size, the beginning of larger ones. */
const keptOfPack = 20 * 1024 * 1024
/** Bytes kept in all. */
const keptInAll = 64 * 1024 * 1024
/** So many single reads of a pack are made before it is read whole: one file of a snapshot needs few trees. */
const singleReads = 2

/**
 * Keeps the packs read last in memory, in parts that stay sealed. For the packs of trees: a walk asks for thousands of small
 * blobs that lie side by side.
 */
export class PackCache {
  readonly #backend: Backend
  /** Least recently used first. */
  readonly #packs = new Map<string, Uint8Array>()
  readonly #reads = new Map<string, number>()
  readonly #loading = new Map<string, Promise<Uint8Array>>()
  #bytes = 0

  constructor(backend: Backend) {
    this.#backend = backend
  }

  /**
   * The bytes of `range`; undefined when the caller should read them from the backend itself. They are a view that
   * must not be changed.
   */
  async read(packId: string, range: ByteRange, signal?: AbortSignal): Promise<Uint8Array | undefined> {
    const known = this.#packs.get(packId)
    if (known !== undefined) {
      this.#packs.delete(packId)
      this.#packs.set(packId, known)
      return partOf(known, range)
    }
    const reads = (this.#reads.get(packId) ?? 0) + 1
    this.#reads.set(packId, reads)
    if (reads <= singleReads) return undefined
    try {
      return partOf(await (this.#loading.get(packId) ?? this.#load(packId, signal)), range)
    } catch (thrown) {
      signal?.throwIfAborted()
      if (thrown instanceof AppError) throw thrown
      return undefined // because it was the other caller, who began to load it, that was stopped
    }
  }

  #load(packId: string, signal?: AbortSignal): Promise<Uint8Array> {
    const loading = this.#loadBeginning(packId, signal).finally(() => this.#loading.delete(packId))
    this.#loading.set(packId, loading)
    return loading
  }

  async #loadBeginning(packId: string, signal?: AbortSignal): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    let size = 0
    try {
      for await (const part of this.#backend.load({ type: 'pack', name: packId }, undefined, signal)) {
        parts.push(part)
        size += part.length
        if (size >= keptOfPack) break
      }
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      return new Uint8Array() // because the single read that follows says what is wrong, about its own range
    }
    const pack = Buffer.concat(parts, Math.min(size, keptOfPack))
    this.#keep(packId, pack)
    return pack
  }

  #keep(packId: string, pack: Uint8Array): void {
    this.#packs.set(packId, pack)
    this.#bytes += pack.length
    for (const [oldest, bytes] of this.#packs) {
      if (this.#bytes <= keptInAll || oldest === packId) return
      this.#packs.delete(oldest)
      this.#bytes -= bytes.length
    }
  }
}

function partOf(pack: Uint8Array, range: ByteRange): Uint8Array | undefined {
  return range.end <= pack.length ? pack.subarray(range.start, range.end) : undefined
}
