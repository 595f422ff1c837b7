import { Sealer } from '../crypto/seal.ts'
import type { BlobType } from '../repository/blob-index.ts'
import { PackBuffer, type FinishedPack } from '../repository/pack-buffer.ts'
import { PackMemory } from '../repository/pack-memory.ts'
import type { Repository } from '../repository/repository.ts'
import { WorkerPool } from '../threads/pool.ts'
import { isLoss } from './copied-packs.ts'
import type { CopyJob, CopyJobResult } from './copy-job.ts'
import { Resealer, type BadBlob, type Rest, type ResealSetup } from './reseal.ts'
import { cutRuns, type BlobRun, type WantedBlobs } from './wanted-blobs.ts'

/** Starting threads takes longer than copying this many bytes. */
const worthThreads = 8 * 1024 * 1024
/** Runs under way beyond one a thread, so that no thread waits for the next one; for a single thread one. */
const runsAhead = 2

/** Packs whose memory is kept to be used again. */
const packsKept = 4

/** A blob of which no copy in the source can be read. */
export interface LostBlob {
  readonly type: BlobType
  readonly id: string
  /** Hex id of the pack whose copy was tried first. */
  readonly packId: string
  readonly reason: string
}

/** Takes the packs of a copy. Several may be saved at once; `save` resolves when its pack is durable. */
export interface PackTaker {
  save(pack: FinishedPack): Promise<void>
}

/**
 * Copies blobs between two repositories, or within one: each pack of the source is read once and in its order, in this thread; threads of
 * their own open, verify and seal; and a few packs of the target are being saved meanwhile.
 *
 * Memory: two runs of 16 MiB a thread at most, and the packs that the threads fill.
 */
export class BlobCopier implements AsyncDisposable {
  readonly lost: LostBlob[] = []
  readonly #from: Repository
  readonly #to: Repository
  readonly #packs: PackTaker
  readonly #threads: number
  readonly #setup: ResealSetup
  readonly #memory = new PackMemory()
  readonly #spare: SharedArrayBuffer[] = []
  /** Seals in this thread: small copies, and blobs whose first copy was bad. */
  readonly #own: Resealer
  readonly #signal: AbortSignal
  #pool: WorkerPool<CopyJob, CopyJobResult> | undefined
  #blobs = 0
  #bytes = 0

  /** @param threads - how many seal. */
  constructor(from: Repository, to: Repository, packs: PackTaker, threads: number, signal: AbortSignal) {
    this.#from = from
    this.#to = to
    this.#packs = packs
    this.#threads = threads
    this.#signal = signal
    this.#setup = { fromKey: from.key, toKey: to.key, toVersion: to.config.version, keepsSeals: from === to }
    this.#own = new Resealer(this.#setup)
  }

  /** Blobs taken from the source so far. */
  get blobs(): number {
    return this.#blobs
  }

  /** Bytes read of the source so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Resolves when every blob that could be read is in a pack that is durable. */
  async copy(wanted: WantedBlobs): Promise<void> {
    if (wanted.bytes >= worthThreads) {
      this.#pool = new WorkerPool(new URL(import.meta.resolve('./copy-worker.ts')), {
        size: this.#threads,
        setup: () => this.#setup,
      })
    }
    const waiting = runsOf(wanted)
    const lane = async (): Promise<void> => {
      // a lane that fails closes the generator, so that the others end with the run they are at
      for (const [packId, run] of waiting) await this.#copyRun(packId, run)
    }
    const { size = 0 } = this.#pool ?? {}
    const lanes = Array.from({ length: Math.max(1, size + Math.min(size, runsAhead)) }, lane)
    // because one failure ends the work, but nothing may still be under way when the caller goes on
    for (const settled of await Promise.allSettled(lanes)) if (settled.status === 'rejected') throw settled.reason
    await this.#saveRests()
    await this[Symbol.asyncDispose]() // because what is read back now takes threads and memory of its own
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#spare.length = 0
    await this.#pool?.[Symbol.asyncDispose]()
    this.#pool = undefined
  }

  async #copyRun(packId: string, { start, end, blobs }: BlobRun): Promise<void> {
    this.#signal.throwIfAborted()
    let bytes: Uint8Array<SharedArrayBuffer>
    try {
      bytes = await this.#memory.load(this.#from.backend, { type: 'pack', name: packId }, { start, end }, this.#signal)
    } catch (thrown) {
      if (!isLoss(thrown)) throw thrown
      for (const blob of blobs) await this.#rescue(packId, { ...blob, text: thrown.message })
      return
    }
    this.#bytes += end - start
    this.#blobs += blobs.length
    const result = await this.#perform({ kind: 'run', bytes, start, blobs, recycled: this.#spare.splice(0, 1) })
    this.#memory.giveBack(result.bytes!.buffer)
    for (const pack of result.packs) await this.#save(pack)
    for (const blob of result.bad) await this.#rescue(packId, blob)
  }

  async #perform(job: CopyJob & { kind: 'run' }): Promise<CopyJobResult> {
    if (this.#pool) return await this.#pool.run(job)
    this.#own.recycle(job.recycled)
    return { bad: this.#own.take(job), packs: this.#own.takeFull(), rests: [], bytes: job.bytes }
  }

  /** Looks for another copy of a blob, or the same one read once more. */
  async #rescue(packId: string, { type, id, text }: BadBlob): Promise<void> {
    try {
      this.#own.store(type, id, await this.#from.loadBlob(type, id, this.#signal))
      for (const pack of this.#own.takeFull()) await this.#save(pack)
    } catch (thrown) {
      if (!isLoss(thrown)) throw thrown
      this.lost.push({ type, id, packId, reason: text })
    }
  }

  async #saveRests(): Promise<void> {
    const pool = this.#pool
    const flushed = pool
      ? await Promise.all(Array.from({ length: pool.size }, (_, worker) => pool.run({ kind: 'flush' }, { worker })))
      : []
    const rests: Rest[] = [...flushed.flatMap((result) => result.rests), ...this.#own.takeRests()]
    const sealer = new Sealer(this.#to.key)
    for (const type of ['data', 'tree'] as const) {
      let target: PackBuffer | undefined
      for (const rest of rests.filter((rest) => rest.type === type)) {
        target ??= new PackBuffer(type)
        target.append(rest.blobs, rest.bytes)
        if (!target.isFull) continue
        await this.#save(target.finish(sealer))
        target = undefined
      }
      if (target) await this.#save(target.finish(sealer))
    }
  }

  async #save(pack: FinishedPack): Promise<void> {
    await this.#packs.save(pack)
    if (this.#spare.length < packsKept) this.#spare.push(pack.bytes.buffer)
  }
}

function* runsOf(wanted: WantedBlobs): Generator<[string, BlobRun], void, void> {
  for (const packId of wanted.packs) {
    for (const run of cutRuns(wanted.inPack(packId))) yield [packId, run]
  }
}
