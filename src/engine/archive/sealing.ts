import { availableParallelism } from 'node:os'

import { Sealer } from '../crypto/seal.ts'
import { maximumChunk } from '../chunker/chunker.ts'
import type { BlobType } from '../repository/blob-index.ts'
import { PackBuffer, type FinishedPack } from '../repository/pack-buffer.ts'
import { PackSaver } from '../repository/pack-saver.ts'
import type { Repository } from '../repository/repository.ts'
import { WorkerPool } from '../threads/pool.ts'
import { BlobSealer } from './blob-sealer.ts'
import type { StreamContent } from './entry.ts'
import { encodeFileList, type ListedFile } from './file-list.ts'
import type { FileOutcome, Rest, SealedSoFar, SealJob, SealResult, SealSetup, StretchEnd } from './job.ts'
import {
  bytesOfChunksJob,
  bytesOfTreesJob,
  bytesWithoutThreads,
  filesWithoutThreads,
  jobsAhead,
  packsAhead,
  slotsPerThread,
  youngMegabytes,
} from './limits.ts'
import { storeStretches } from './stretches.ts'

const slotLength = bytesOfChunksJob + maximumChunk

/** What has been stored that was not there before. */
export interface Stored {
  dataBlobs: number
  treeBlobs: number
  /** Plain bytes of both. */
  bytes: number
}

/**
 * The sealing of one backup, seen from the main thread: takes files, chunks and trees, saves the packs that become full,
 * and makes the caller wait where the threads or the backend fall behind. The first few are sealed in the main thread;
 * threads are started when there is more.
 *
 * The first failure, of a thread or of the backend, ends everything: each later call throws it.
 */
export class Sealing implements AsyncDisposable {
  readonly stored: Stored = { dataBlobs: 0, treeBlobs: 0, bytes: 0 }
  readonly saver: PackSaver
  readonly #repository: Repository
  readonly #signal: AbortSignal | undefined
  readonly #own: BlobSealer
  #filesLeft = filesWithoutThreads
  #bytesLeft = bytesWithoutThreads
  #pool: WorkerPool<SealJob, SealResult, StretchEnd> | undefined
  #slots: Buffer[] = []
  #freeSlots: number[] = []
  /** Memory of packs that have been saved. */
  readonly #spare: SharedArrayBuffer[] = []
  /** For each thread the packs it has handed over, less the memory it was given for the next ones. */
  readonly #owed: number[] = []
  #jobs = 0
  #saves = 0
  #failure: unknown
  #wake: (() => void)[] = []
  #treeParts: Uint8Array[] = []
  #treeIds: string[] = []
  #treeBytes = 0
  readonly #onAbort = (): void => this.#changed()

  constructor(repository: Repository, confirmLock: () => Promise<void>, signal?: AbortSignal) {
    this.#repository = repository
    this.#signal = signal
    this.saver = new PackSaver(repository, confirmLock)
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    const { key, index, config } = repository
    this.#own = new BlobSealer(key, config, index)
  }

  /** Waits until a thread has room, then hands the files over. `done` gives what became of each, in order. */
  async files(list: readonly ListedFile[]): Promise<{ done: Promise<FileOutcome[]> }> {
    const bytes = list.reduce((sum, { size }) => sum + size, 0)
    if (this.#mayDoItself(list.length, bytes)) {
      this.check()
      const outcomes = list.map((file) => this.#own.sealFile(file))
      this.#takeOwn()
      return { done: Promise.resolve(outcomes) }
    }
    const result = await this.#begin({ kind: 'files', list: encodeFileList(list), recycled: [] })
    return { done: result.done.then(({ files }) => files!) }
  }

  /**
   * Has the threads store a large file, a stretch after the other: while one seals what it has cut, another reads on.
   *
   * @returns when all is stored; the file is not read any more then, and not after a throw.
   */
  async largeFile(fd: number): Promise<FileOutcome> {
    return await storeStretches((from, onNews) => this.#begin({ kind: 'stretch', fd, from, recycled: [] }, onNews))
  }

  /** Waits for shared memory, copies the chunk into it and hands it over. `done` gives its hex id. */
  async chunk(plain: Uint8Array): Promise<{ done: Promise<string> }> {
    const { done } = await this.chunks(plain, [plain.length], 'file')
    return { done: done.then(([id]) => id!) }
  }

  /**
   * Waits for shared memory, copies chunks that lie one after the other into it, and hands them over. `done` gives their
   * hex ids in order.
   *
   * @param plain - at most `bytesOfChunksJob` before the last chunk.
   */
  async chunks(
    plain: Uint8Array,
    lengths: readonly number[],
    cut: NonNullable<StreamContent['cut']>,
  ): Promise<{ done: Promise<readonly string[]> }> {
    if (this.#mayDoItself(lengths.length, plain.length)) {
      this.check()
      const ids = this.#own.sealChunks(plain, lengths, cut)
      this.#takeOwn()
      return { done: Promise.resolve(ids) }
    }
    this.#hire()
    while (this.#freeSlots.length === 0) await this.#change()
    const slot = this.#freeSlots.pop()!
    // not `set`, which copies to shared memory word by word
    Buffer.from(plain.buffer, plain.byteOffset, plain.length).copy(this.#slots[slot]!)
    const result = await this.#begin({ kind: 'chunks', slot, lengths, cut, recycled: [] }).catch((thrown) => {
      this.#freeSlots.push(slot)
      throw thrown
    })
    const free = (): void => {
      this.#freeSlots.push(slot)
      this.#changed()
    }
    return { done: result.done.finally(free).then(({ ids }) => ids!) }
  }

  /** Takes over a tree blob that the caller has claimed in the index; never waits, see `room`. */
  tree(id: string, plain: Uint8Array): void {
    this.stored.treeBlobs++
    this.stored.bytes += plain.length
    this.#treeParts.push(plain)
    this.#treeIds.push(id)
    this.#treeBytes += plain.length
    if (this.#treeBytes >= bytesOfTreesJob && !this.#isBusy) void this.#sendTrees()
  }

  /** Waits until the threads and the backend can take more. */
  async room(): Promise<void> {
    while (this.#isBusy) await this.#change()
    if (this.#treeBytes >= bytesOfTreesJob) await this.#sendTrees()
  }

  /** @throws the failure that ends the backup. */
  check(): void {
    this.#signal?.throwIfAborted()
    if (this.#failure) throw this.#failure
  }

  get #isBusy(): boolean {
    return this.#jobs >= (this.#pool?.size ?? 1) * jobsAhead || this.#saves >= packsAhead
  }

  #mayDoItself(files: number, bytes: number): boolean {
    if (this.#pool || this.#filesLeft < files || this.#bytesLeft < bytes) return false
    this.#filesLeft -= files
    this.#bytesLeft -= bytes
    if (this.#repository.index.isCrowded) this.#repository.index.grow()
    return true
  }

  #takeOwn(): void {
    this.#take(this.#own.takeResult())
  }

  #take({ packs, newBlobs, newBytes }: SealedSoFar): void {
    this.stored.dataBlobs += newBlobs
    this.stored.bytes += newBytes
    for (const pack of packs) this.#save(pack)
  }

  #hire(): WorkerPool<SealJob, SealResult, StretchEnd> {
    if (this.#pool) return this.#pool
    const size = availableParallelism()
    const slots = Array.from({ length: size * slotsPerThread }, () => new SharedArrayBuffer(slotLength))
    this.#slots = slots.map((slot) => Buffer.from(slot))
    this.#freeSlots = slots.map((_, slot) => slot)
    const { key, index, config } = this.#repository
    const setup: SealSetup = { key, config, index: index.shared, slots }
    this.#pool = new WorkerPool(new URL(import.meta.resolve('./worker.ts')), {
      size,
      setup: () => setup,
      youngMegabytes,
    })
    return this.#pool
  }

  /** Resolves when everything handed over is durable and named by index files that are durable. */
  async finish(): Promise<void> {
    await this.#sendTrees()
    while (this.#jobs > 0) await this.#change()
    const pool = this.#pool
    const workers = Array.from({ length: pool?.size ?? 0 }, (_, worker) => worker)
    const results = await Promise.all(workers.map((worker) => pool!.run({ kind: 'flush' }, { worker })))
    // because encoding the index takes as much memory as the heaps of the threads
    const ended = pool?.[Symbol.asyncDispose]()
    const rests = [...this.#own.takeRests(), ...results.flatMap((result) => result.rests!)]
    for (const type of ['data', 'tree'] as const) this.#saveRests(type, rests)
    await ended
    while (this.#saves > 0) await this.#change()
    await this.saver.finish(this.#signal)
    this.check()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.[Symbol.asyncDispose]()
    // because a save that is under way still uses the backend, which the caller may close next
    while (this.#saves > 0) await new Promise<void>((resolve) => this.#wake.push(resolve))
    // because the signal may live as long as a daemon, and would keep the memory of every backup
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }

  async #begin(
    job: SealJob & { recycled: SharedArrayBuffer[] },
    onNews?: (news: StretchEnd) => void,
  ): Promise<{ done: Promise<SealResult> }> {
    this.check()
    while (this.#isBusy) await this.#change()
    if (this.#repository.index.isCrowded) await this.#growIndex()
    this.#jobs++
    const pool = this.#hire()
    const worker = pool.idlest()
    // because a thread that is given more than it needs keeps it, and the others take fresh memory
    const recycled = this.#spare.splice(0, this.#owed[worker] ?? 0)
    this.#owe(worker, -recycled.length)
    job.recycled.push(...recycled)
    const done = pool
      .run(job, { worker, ...(onNews && { onNews }) })
      .then((result) => {
        this.#owe(worker, result.packs.length)
        this.#take(result)
        return result
      })
      .finally(() => {
        this.#jobs--
        this.#changed()
      })
    done.catch((thrown) => this.#fail(thrown))
    return { done }
  }

  #owe(worker: number, packs: number): void {
    this.#owed[worker] = (this.#owed[worker] ?? 0) + packs
  }

  async #sendTrees(): Promise<void> {
    if (this.#treeIds.length === 0) return
    if (this.#mayDoItself(1, this.#treeBytes)) {
      for (const [nth, id] of this.#treeIds.entries()) this.#own.sealTree(id, this.#treeParts[nth]!)
      this.#takeOwn()
      this.#treeIds = []
      this.#treeParts = []
      this.#treeBytes = 0
      return
    }
    const ids = this.#treeIds
    const parts = this.#treeParts
    const bytes = new Uint8Array(this.#treeBytes)
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    this.#treeIds = []
    this.#treeParts = []
    this.#treeBytes = 0
    await this.#begin({ kind: 'trees', bytes, ids, lengths: parts.map(({ length }) => length), recycled: [] })
  }

  /** The threads hold views on the old memory, so that nothing may be under way while it is replaced. */
  async #growIndex(): Promise<void> {
    while (this.#jobs > 0) await this.#change()
    if (!this.#repository.index.isCrowded) return
    this.#repository.index.grow()
    const index = this.#repository.index.shared
    const pool = this.#pool
    if (!pool) return
    for (let worker = 0; worker < pool.size; worker++) {
      pool.run({ kind: 'index', index }, { worker }).catch((thrown) => this.#fail(thrown))
    }
  }

  #saveRests(type: BlobType, rests: readonly Rest[]): void {
    let target: PackBuffer | undefined
    const sealer = new Sealer(this.#repository.key)
    for (const rest of rests) {
      if (rest.type !== type) continue
      // because two that together take more than one buffer are better two packs than copied to a third
      if (target && !target.fits(rest.bytes.length)) {
        this.#save(target.finish(sealer))
        target = undefined
      }
      if (target) target.append(rest.blobs, rest.bytes)
      else target = PackBuffer.from(rest)
      if (!target.isFull) continue
      this.#save(target.finish(sealer))
      target = undefined
    }
    if (target) this.#save(target.finish(sealer))
  }

  #save(pack: FinishedPack): void {
    this.#saves++
    this.saver
      .save(pack, this.#signal)
      .then(() => {
        if (this.#spare.length < packsAhead) this.#spare.push(pack.bytes.buffer)
      })
      .catch((thrown) => this.#fail(thrown))
      .finally(() => {
        this.#saves--
        this.#changed()
      })
  }

  #fail(thrown: unknown): void {
    this.#failure ??= thrown
    this.#changed()
  }

  /** Resolves when a job, a save or a slot has come back. @throws the failure that ends the backup. */
  async #change(): Promise<void> {
    this.check()
    await new Promise<void>((resolve) => this.#wake.push(resolve))
    this.check()
  }

  #changed(): void {
    const wake = this.#wake
    this.#wake = []
    for (const resolve of wake) resolve()
  }
}
