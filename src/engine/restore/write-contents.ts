import { mapInOrder, textOf } from '#base'
import type { SealedRun, WriteJob, WriteResult } from './job.ts'
import { JobBuilder, type Prepared } from './job-builder.ts'
import { entryAction, noLink } from './layout.ts'
import { RecordWriter } from './node-record.ts'
import { cutRanges, type RangeLimits } from './ranges.ts'
import { isLoss, withRun } from './read-trees.ts'
import type { RestoreState } from './restore-state.ts'
import { reasonOf } from './write-files.ts'
import { writesByPack, type BlobWrites, type FileWrite } from './writes.ts'

/** Of one request, and one job of a thread. Each file of a job may hold another folder open. */
const limits: RangeLimits = { bytes: 2 ** 23, blobs: 128 }
const filesOfJob = 128

/** Writes all entries but other names of one file, in the order in which their blobs lie in the packs. */
export async function writeContents(state: RestoreState, signal?: AbortSignal): Promise<void> {
  await new ContentWriter(state).write(signal)
}

class ContentWriter {
  readonly #state: RestoreState

  constructor(state: RestoreState) {
    this.#state = state
  }

  async write(signal?: AbortSignal): Promise<void> {
    const { crew } = this.#state
    const perform = async (job: Prepared): Promise<void> => await this.#performJob(job, signal)
    for await (const _ of mapInOrder(this.#jobs(signal), perform, crew.jobsAhead)) this.#state.report()
  }

  /** Each job once, its folders acquired. Entries without bytes first, then pack after pack. */
  *#jobs(signal?: AbortSignal): Generator<Prepared, void, void> {
    const { layout } = this.#state.plan
    let job = new JobBuilder(this.#state.folders)
    for (let entry = 0; entry < layout.entries.length; entry++) {
      if (layout.entries.get(entry, 'blobs') > 0 || layout.entries.get(entry, 'link') !== noLink) continue
      if (!this.#state.isPlanned(entry)) continue
      if (job.acquire(layout.entries.get(entry, 'folder'))) job.empty.push(entry)
      if (job.empty.length < filesOfJob) continue
      signal?.throwIfAborted()
      yield job
      job = new JobBuilder(this.#state.folders)
    }
    if (job.empty.length > 0) yield job
    for (const pack of writesByPack(layout)) {
      for (const run of cutRanges(pack, limits)) {
        signal?.throwIfAborted()
        const prepared = this.#prepare(run)
        if (prepared.blobs.length > 0) yield prepared
      }
    }
  }

  #prepare(run: readonly FileWrite[]): Prepared {
    const { layout } = this.#state.plan
    const job = new JobBuilder(this.#state.folders)
    for (const write of run) {
      const isPartial = layout.entries.get(write.entry, 'blobs') > 1
      const directory = job.acquire(layout.entries.get(write.entry, 'folder'))
      if (isPartial) {
        try {
          this.#state.partial.begin(write.entry, directory)
        } catch (thrown) {
          this.#state.partial.fail(write.entry, 'failed', reasonOf(thrown))
        }
      }
      if (directory || isPartial) job.add(write)
    }
    return job
  }

  async #performJob(job: Prepared, signal?: AbortSignal): Promise<void> {
    try {
      if (job.blobs.length === 0) {
        await this.#write([], job.empty, { plain: false })
      } else {
        await this.#writeBlobs(job, signal)
      }
    } finally {
      for (const folder of job.folders) this.#state.folders.release(folder)
    }
  }

  async #writeBlobs(job: Prepared, signal?: AbortSignal): Promise<void> {
    const places = job.blobs.map(({ place }) => place)
    const write = (run: SealedRun): Promise<WriteResult['damaged']> => this.#write(job.blobs, [], { run, plain: false })
    const written = await withRun(this.#state.source, this.#state.crew.memory, places, write, signal)
    const damaged = written ?? job.blobs.map((_, blob) => ({ blob }))
    for (const { blob } of damaged) await this.#rescue(job.blobs[blob]!, signal)
    for (const { writes } of job.blobs) for (const { entry } of writes) this.#countWrite(entry)
  }

  /** Looks for another copy of a blob, and gives up the files that need it when there is none. */
  async #rescue(blob: BlobWrites, signal?: AbortSignal): Promise<void> {
    let plain: Uint8Array
    try {
      plain = await this.#state.source.loadBlob('data', blob.place.id, signal)
    } catch (thrown) {
      if (!isLoss(thrown)) throw thrown
      for (const { entry } of blob.writes) {
        const isNew = this.#state.plan.layout.entries.get(entry, 'action') === entryAction.create
        const outcome = isNew ? 'so it is not there' : 'so what was there stays'
        const text = `its content cannot be read, ${outcome}: ${textOf(thrown)}`
        if (this.#state.partial.has(entry)) this.#state.partial.fail(entry, 'damage', text)
        else this.#state.fail(entry, 'damage', text)
      }
      return
    }
    const bytes = new Uint8Array(new SharedArrayBuffer(plain.length))
    bytes.set(plain)
    const run = { bytes, ids: blob.place.id, places: new Uint32Array(3) }
    await this.#write([blob], [], { run, plain: true })
  }

  /**
   * Lets a thread write blobs, and entries without any, and takes in what became of them.
   *
   * @returns the blobs that are not what their ids say.
   */
  async #write(
    blobs: readonly BlobWrites[],
    empty: readonly number[],
    source: Pick<WriteJob, 'run' | 'plain'>,
  ): Promise<WriteResult['damaged']> {
    const { layout } = this.#state.plan
    const whole = [...empty]
    const partial: number[] = []
    const numbers = new Map<number, number>()
    const writes: number[] = []
    const writesOf = new Uint32Array(blobs.length)
    for (const [blob, { writes: ofBlob }] of blobs.entries()) {
      for (const { entry, position } of ofBlob) {
        if (this.#state.partial.hasFailed(entry)) continue
        if (!numbers.has(entry)) {
          numbers.set(entry, this.#state.partial.has(entry) ? ~(partial.push(entry) - 1) : whole.push(entry) - 1)
        }
        writes.push(numbers.get(entry)!, position)
        writesOf[blob]!++
      }
    }
    const writer = new RecordWriter()
    for (const entry of whole) {
      writer.copy(layout.pieces[layout.entries.get(entry, 'piece')]!, layout.entries.get(entry, 'at'))
    }
    const { stage } = this.#state
    const staged = stage && whole.map((entry) => stage.nameOfEntry(entry)?.toString() ?? '')
    // Before they are made, because a job that fails as a whole does not say how far it was.
    for (const [file, entry] of whole.entries()) if (staged?.[file]) stage!.addEntry(entry)
    const result = await this.#state.crew.run({
      kind: 'write',
      ...source,
      writesOf,
      writes: Float64Array.from(writes),
      records: writer.take(),
      folders: Int32Array.from(whole, (entry) => this.#state.folders.get(layout.entries.get(entry, 'folder')).fd),
      replacing: Uint8Array.from(whole, (entry) => Number(layout.entries.get(entry, 'action') === entryAction.replace)),
      ...(staged && { staged }),
      partial: partial.map((entry) => this.#state.partial.get(entry)),
    })
    // One of a blob that is damaged is not there, and is written again when another copy is found.
    for (const { blob } of result.damaged) for (const { entry } of blobs[blob]!.writes) stage?.dropEntry(entry)
    for (const { file } of result.failed) if (file >= 0) stage?.dropEntry(whole[file]!)
    const entryOf = (file: number): number => (file >= 0 ? whole[file]! : partial[~file]!)
    this.#state.notes.merge(result.unset, entryOf)
    this.#state.files += result.done
    this.#state.settled += result.done
    this.#state.bytes += result.bytes
    for (const { file, text } of result.failed) {
      if (file >= 0) this.#state.fail(entryOf(file), 'failed', text)
      else this.#state.partial.fail(entryOf(file), 'failed', text)
    }
    return result.damaged
  }

  /** One more write of a file is over; after the last one the file takes its name. */
  #countWrite(entry: number): void {
    if (!this.#state.partial.has(entry) || !this.#state.partial.countWrite(entry)) return
    const failure = this.#state.partial.finish(entry, (what, code) => this.#state.notes.add(what, code, entry))
    if (failure) return this.#state.fail(entry, failure.severity, failure.text)
    this.#state.files++
    this.#state.settled++
  }
}
