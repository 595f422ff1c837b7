import { availableParallelism } from 'node:os'

import type { Backend, ByteRange } from '../backend/backend.ts'
import { Sealer, type MasterKey } from '../crypto/seal.ts'
import type { BlobIndex } from '../repository/blob-index.ts'
import { PackMemory } from '../repository/pack-memory.ts'
import { WorkerPool } from '../threads/pool.ts'
import type { VerifyJob, VerifyResult, VerifySetup } from './verify-job.ts'
import { joinReports, verifyPack, type PackJob, type PackReport } from './verify-pack.ts'

/** Starting threads takes longer than judging this many bytes. */
const worthThreads = 8 * 1024 * 1024
/** Packs under way beyond one a thread, so that no thread waits for the next one. */
const packsAhead = 2
/** Bytes of the packs under way, unless one pack alone is larger. */
const bytesAhead = 256 * 1024 * 1024

/** Bytes at the least of the parts of a pack that several threads share, and how many of them there are for each thread. */
const smallestPart = 2 ** 17
const partsOfThread = 4
/** Jobs that wait in a thread, with the one that it does; the others wait for whichever thread is free first. */
const jobsOfThread = 2

/** A pack to be read and judged. */
export interface PackRequest extends Omit<PackJob, 'bytes' | 'part'> {
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
  #jobsUnderWay = 0
  readonly #waitingJobs: (() => void)[] = []

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
    const { size = 0 } = this.#pool ?? {}
    const length = Math.max(1, size + Math.min(size, packsAhead))
    const waiting = requests.entries()
    let hasFailed = false
    const lane = async (): Promise<void> => {
      for (const [nth, request] of waiting) {
        if (hasFailed) return
        signal?.throwIfAborted()
        // because towards the end there are not enough whole ones for every thread
        const isShared = request.blobs === undefined && nth + length >= requests.length
        report(request, await this.#withinMemory(request.size, () => this.#verifyOne(request, isShared, signal)))
      }
    }
    const stopAll = (thrown: unknown): never => {
      hasFailed = true
      throw thrown
    }
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

  async #verifyOne(
    request: PackRequest,
    isShared: boolean,
    signal?: AbortSignal,
  ): Promise<PackReport | { readonly thrown: unknown }> {
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
    const result = await this.#judge({ ...rest, bytes }, isShared)
    this.#memory.giveBack(result.bytes.buffer)
    return result
  }

  async #judge(job: PackJob, isShared: boolean): Promise<PackReport> {
    const pool = this.#pool
    if (!pool) return verifyPack(job, { sealer: this.#sealer, blobs: this.#index, lost: this.#lost })
    if (!isShared) return this.#send(pool, job)
    const parts = partsOf(job.bytes.length, pool.size * partsOfThread)
    return joinReports(await Promise.all(parts.map((part) => this.#send(pool, { ...job, part }))))
  }

  async #send(pool: WorkerPool<VerifyJob, VerifyResult>, job: PackJob): Promise<PackReport> {
    if (this.#jobsUnderWay >= pool.size * jobsOfThread) await new Promise<void>((go) => this.#waitingJobs.push(go))
    else this.#jobsUnderWay++
    try {
      return (await pool.run(job))!
    } finally {
      const next = this.#waitingJobs.shift()
      if (next) next()
      else this.#jobsUnderWay--
    }
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

function partsOf(bytes: number, most: number): ByteRange[] {
  const size = Math.max(smallestPart, Math.ceil(bytes / most))
  return Array.from({ length: Math.max(1, Math.ceil(bytes / size)) }, (_, nth) => ({
    start: nth * size,
    end: (nth + 1) * size,
  }))
}
