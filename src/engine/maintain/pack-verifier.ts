import { availableParallelism } from 'node:os'

import type { Backend } from '../backend/backend.ts'
import { Sealer, type MasterKey } from '../crypto/seal.ts'
import type { BlobIndex } from '../repository/blob-index.ts'
import { PackMemory } from '../repository/pack-memory.ts'
import { WorkerPool } from '../threads/pool.ts'
import type { VerifyJob, VerifyResult, VerifySetup } from './verify-job.ts'
import { verifyPack, type PackJob, type PackReport } from './verify-pack.ts'

/** Starting threads takes longer than judging this many bytes. */
const worthThreads = 8 * 1024 * 1024
/** Packs under way beyond one a thread, so that no thread waits for the next one. */
const packsAhead = 2
/** Bytes of the packs under way, unless one pack alone is larger. */
const bytesAhead = 256 * 1024 * 1024

/** A pack to be read and judged. */
export interface PackRequest extends Omit<PackJob, 'bytes'> {
  /** Bytes of the file. */
  readonly size: number
}

/**
 * Reads packs in this thread and judges them in others. Memory: the packs under way, two more than there are threads and
 * at most 256 MiB.
 */
export class PackVerifier implements AsyncDisposable {
  readonly #backend: Backend
  readonly #key: MasterKey
  readonly #index: BlobIndex
  readonly #threads: number
  readonly #memory = new PackMemory()
  readonly #sealer: Sealer
  #pool: WorkerPool<VerifyJob, VerifyResult> | undefined
  #lost: ReadonlySet<string> = new Set()
  #bytesRead = 0
  #bytesUnderWay = 0
  #wake: (() => void)[] = []

  constructor(backend: Backend, key: MasterKey, index: BlobIndex, threads: number = availableParallelism()) {
    this.#backend = backend
    this.#key = key
    this.#index = index
    this.#threads = threads
    this.#sealer = new Sealer(key)
  }

  get bytesRead(): number {
    return this.#bytesRead
  }

  /** Data blobs that cannot be read, for the trees that are looked into from here on. */
  async setLost(lost: ReadonlySet<string>): Promise<void> {
    this.#lost = lost
    await this.#tellLost()
  }

  /**
   * Judges packs in any order, and waits for `report` before it begins more than a few others. A pack that cannot be
   * read is reported with what the backend threw.
   */
  async verify(
    requests: readonly PackRequest[],
    report: (request: PackRequest, result: PackReport | { readonly thrown: unknown }) => void,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.#hireFor(requests)
    const waiting = requests.values()
    let hasFailed = false
    const lane = async (): Promise<void> => {
      for (const request of waiting) {
        if (hasFailed) return
        signal?.throwIfAborted()
        report(request, await this.#withinMemory(request.size, () => this.#verifyOne(request, signal)))
      }
    }
    const stopAll = (thrown: unknown): never => {
      hasFailed = true
      throw thrown
    }
    const { size = 0 } = this.#pool ?? {}
    const length = Math.max(1, size + Math.min(size, packsAhead))
    const lanes = Array.from({ length }, () => lane().catch(stopAll))
    // because one failure ends the work, but nothing may still be under way when the caller goes on
    for (const settled of await Promise.allSettled(lanes)) if (settled.status === 'rejected') throw settled.reason
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.[Symbol.asyncDispose]()
  }

  async #withinMemory<Result>(bytes: number, work: () => Promise<Result>): Promise<Result> {
    while (this.#bytesUnderWay > 0 && this.#bytesUnderWay + bytes > bytesAhead) {
      await new Promise<void>((resolve) => this.#wake.push(resolve))
    }
    this.#bytesUnderWay += bytes
    try {
      return await work()
    } finally {
      this.#bytesUnderWay -= bytes
      for (const resolve of this.#wake.splice(0)) resolve()
    }
  }

  async #verifyOne(request: PackRequest, signal?: AbortSignal): Promise<PackReport | { readonly thrown: unknown }> {
    const { size, ...rest } = request
    let bytes: Uint8Array<SharedArrayBuffer>
    try {
      bytes = await this.#memory.load(
        this.#backend,
        { type: 'pack', name: request.id },
        { start: 0, end: size },
        signal,
      )
    } catch (thrown) {
      signal?.throwIfAborted()
      return { thrown }
    }
    this.#bytesRead += size
    const job = { ...rest, bytes }
    const result = this.#pool
      ? (await this.#pool.run(job))!
      : verifyPack(job, { sealer: this.#sealer, blobs: this.#index, lost: this.#lost })
    this.#memory.giveBack(result.bytes.buffer)
    return result
  }

  async #hireFor(requests: readonly PackRequest[]): Promise<void> {
    if (this.#pool) return
    const bytes = requests.reduce((sum, { size }) => sum + size, 0)
    if (bytes < worthThreads || requests.length < 2) return
    const setup: VerifySetup = { key: this.#key, index: this.#index.shared }
    this.#pool = new WorkerPool(new URL(import.meta.resolve('./verify-worker.ts')), {
      size: this.#threads,
      setup: () => setup,
    })
    await this.#tellLost()
  }

  async #tellLost(): Promise<void> {
    if (!this.#pool || this.#lost.size === 0) return
    const lost = [...this.#lost]
    await Promise.all(Array.from({ length: this.#pool.size }, (_, worker) => this.#pool!.run({ lost }, { worker })))
  }
}
