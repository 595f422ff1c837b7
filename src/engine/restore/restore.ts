import { mapInOrder, textOf } from '#base'
import { syncFilesystem } from '../filesystem/descriptor.ts'
import type { Directory } from '../filesystem/directory.ts'
import { quoteName } from '../format/name.ts'
import { Crew } from './crew.ts'
import { UnsetNotes, type RestoreFinding, type UnsetMetadata } from './finding.ts'
import type { FileIdentity, SealedRun, WriteJob, WriteResult } from './job.ts'
import { JobBuilder, type Prepared } from './job-builder.ts'
import { entryAction, folderState, noLink } from './layout.ts'
import { setMetadata } from './metadata.ts'
import { RecordWriter } from './node-record.ts'
import { OpenFolders } from './open-folders.ts'
import { PartialFiles } from './partial-files.ts'
import { cutRanges, type RangeLimits } from './ranges.ts'
import { isLoss, withRun } from './read-trees.ts'
import { removeEntry } from './remove-entry.ts'
import type { RestorePlan } from './restore-plan.ts'
import type { BlobSource } from './source.ts'
import { makeTarget } from './target.ts'
import { reasonOf, temporaryName } from './write-files.ts'
import { writesByPack, type BlobWrites, type FileWrite } from './writes.ts'

/** Of one request, and one job of a thread. Each file of a job may hold another folder open. */
const limits: RangeLimits = { bytes: 2 ** 23, blobs: 128 }
const filesOfJob = 128
/** Files, and bytes, from which on threads are worth their start. */
const manyFiles = 64
const manyBytes = 2 ** 23

export interface RestoreProgress {
  /** Files, links, fifos and devices that are there, or were given up. */
  readonly files: number
  readonly totalFiles: number
  /** Plain bytes. */
  readonly bytes: number
  readonly totalBytes: number
}

export interface RestoreResult {
  /** Folders that are there now and were not before. */
  readonly folders: number
  /** Files, links, fifos and devices that were written. */
  readonly files: number
  /** Plain bytes, holes included. */
  readonly bytes: number
  /** Those of the plan, then those of its performance. */
  readonly findings: readonly RestoreFinding[]
  /** What could not be set; each is a finding too. */
  readonly unset: readonly UnsetMetadata[]
}

/**
 * Does what a plan says, and makes it durable before it returns.
 *
 * Every blob is compared with its id before a byte of it is written. A file whose content cannot be had is not left there
 * under its name; the others are restored, and the findings say which are missing. Existing files are replaced by a rename:
 * whoever looks, also after a crash, sees the old one or the new one. Nothing is written outside the target, whatever the
 * snapshot says, and whatever stands there or is put there while this runs.
 *
 * Memory: a few times 8 MiB for each processor, besides the plan.
 *
 * @param source - the repository of the plan, its index loaded.
 * @throws `restore.target-taken` when the target was filled since the plan was made; `restore.target-unusable`;
 * `restore.target-full`; what the backend throws when it does not answer. Files begun are removed then.
 */
export async function performRestore(
  source: BlobSource,
  plan: RestorePlan,
  options: { readonly progress?: (progress: RestoreProgress) => void } = {},
  signal?: AbortSignal,
): Promise<RestoreResult> {
  signal?.throwIfAborted()
  using root = makeTarget(plan.target, plan.existing)
  await using crew = new Crew(source.key)
  using restoration = new Restoration(source, plan, crew, root, options.progress)
  await restoration.perform(signal)
  return restoration.result()
}

class Restoration implements Disposable {
  readonly #source: BlobSource
  readonly #plan: RestorePlan
  readonly #crew: Crew
  readonly #root: Directory
  readonly #progress: ((progress: RestoreProgress) => void) | undefined
  readonly #folders: OpenFolders
  readonly #partial: PartialFiles
  readonly #findings: RestoreFinding[] = []
  readonly #notes = new UnsetNotes()
  readonly #folderNotes = new UnsetNotes()
  /** Entries that are not there. */
  readonly #failed = new Set<number>()
  /** 1 for each folder that was made, or seen to be there. */
  readonly #made: Uint8Array
  /** Inode and device of each folder since it was first opened. */
  readonly #identities: BigUint64Array
  /** A folder on each file system that is written to. */
  readonly #devices = new Map<bigint, number>()
  #newFolders = 0
  #files = 0
  #bytes = 0
  #settled = 0

  constructor(
    source: BlobSource,
    plan: RestorePlan,
    crew: Crew,
    root: Directory,
    progress: ((progress: RestoreProgress) => void) | undefined,
  ) {
    this.#source = source
    this.#plan = plan
    this.#crew = crew
    this.#root = root
    this.#progress = progress
    const { layout } = plan
    this.#made = new Uint8Array(layout.folders.length)
    this.#identities = new BigUint64Array(layout.folders.length * 2)
    this.#folders = new OpenFolders(layout, root, {
      before: (folder, parent, name) => this.#makeFolder(folder, parent, name),
      after: (folder, directory) => this.#recogniseFolder(folder, directory),
      failed: (folder, reason) => {
        const text = `the folder, and what lies below it, could not be restored: ${reasonOf(reason)}`
        this.#find('failed', layout.showFolder(folder), text)
      },
    })
    this.#partial = new PartialFiles(layout, this.#folders)
  }

  /**
   * Files that stay come first, because whatever happens to another name of one shows on it; then what is in the way,
   * contents, other names of files, what is too much, and metadata of folders, from the deepest up.
   */
  async perform(signal?: AbortSignal): Promise<void> {
    const { layout, bytes } = this.#plan
    if (layout.entries.length >= manyFiles || bytes >= manyBytes) this.#crew.hire()
    await this.#settleUnchanged(signal)
    this.#remove(true)
    const perform = async (job: Prepared): Promise<void> => await this.#performJob(job, signal)
    for await (const _ of mapInOrder(this.#jobs(signal), perform, this.#crew.jobsAhead)) this.#report()
    for (let folder = 1; folder < layout.folders.length; folder++) {
      if (this.#made[folder] === 0 && this.#folders.acquire(folder)) this.#folders.release(folder)
    }
    for (let entry = 0; entry < layout.entries.length; entry++) {
      if (layout.entries.get(entry, 'link') !== noLink && this.#isPlanned(entry)) this.#link(entry)
    }
    signal?.throwIfAborted()
    this.#remove(false)
    await this.#leaveFolders(signal)
    this.#sync()
    this.#report()
  }

  result(): RestoreResult {
    const { layout, findings } = this.#plan
    const unset = [
      ...this.#notes.list().map((note) => ({ ...note, path: layout.showEntry(note.entry) })),
      ...this.#folderNotes.list().map((note) => ({ ...note, path: layout.showFolder(note.entry) || '.' })),
    ].map(({ what, code, count, path }) => ({ what, code, count, path }))
    const notices = unset.map(({ what, code, count, path }): RestoreFinding => {
      const others = count > 1 ? `, here and on ${count - 1} other entries` : ''
      return { severity: 'notice', path, text: `could not set ${what} (${code})${others}` }
    })
    return {
      folders: this.#newFolders,
      files: this.#files,
      bytes: this.#bytes,
      findings: [...findings, ...this.#findings, ...notices],
      unset,
    }
  }

  /** Whatever ends the restore, no file that was begun stays. */
  [Symbol.dispose](): void {
    this.#partial.removeAll()
    this.#folders[Symbol.dispose]()
  }

  #find(severity: RestoreFinding['severity'], path: string, text: string): void {
    this.#findings.push({ severity, path, text })
  }

  #fail(entry: number, severity: 'damage' | 'failed', text: string): void {
    if (this.#failed.has(entry)) return
    this.#failed.add(entry)
    this.#settled++
    this.#find(severity, this.#plan.layout.showEntry(entry), text)
  }

  #report(): void {
    const { layout, bytes } = this.#plan
    this.#progress?.({
      files: this.#settled,
      totalFiles: layout.entries.length,
      bytes: this.#bytes,
      totalBytes: bytes,
    })
  }

  #isPlanned(entry: number): boolean {
    const action = this.#plan.layout.entries.get(entry, 'action')
    return action === entryAction.create || action === entryAction.replace
  }

  // Folders

  #makeFolder(folder: number, parent: Directory, name: Uint8Array): void {
    if (this.#made[folder] === 1) return
    const state = this.#plan.layout.folders.get(folder, 'state')
    if (state === folderState.replace) parent.unlink(name)
    if (state === folderState.replace || state === folderState.create) {
      parent.makeDirectory(name)
      this.#newFolders++
    }
    this.#made[folder] = 1
  }

  /** A folder that was opened once must be the same one ever after. */
  #recogniseFolder(folder: number, directory: Directory): void {
    const { inode, deviceId } = directory.ownStatus()
    const known = this.#identities
    if (known[folder * 2] === 0n && known[folder * 2 + 1] === 0n) {
      known[folder * 2] = inode
      known[folder * 2 + 1] = deviceId
      if (!this.#devices.has(deviceId)) this.#devices.set(deviceId, folder)
    } else if (known[folder * 2] !== inode || known[folder * 2 + 1] !== deviceId) {
      throw new Error('somebody exchanged it while it was restored')
    }
  }

  // Contents

  /** Each job once, its folders acquired. Entries without bytes first, then pack after pack. */
  *#jobs(signal?: AbortSignal): Generator<Prepared, void, void> {
    const { layout } = this.#plan
    let job = new JobBuilder(this.#folders)
    for (let entry = 0; entry < layout.entries.length; entry++) {
      if (layout.entries.get(entry, 'blobs') > 0 || layout.entries.get(entry, 'link') !== noLink) continue
      if (!this.#isPlanned(entry)) continue
      if (job.acquire(layout.entries.get(entry, 'folder'))) job.empty.push(entry)
      if (job.empty.length < filesOfJob) continue
      signal?.throwIfAborted()
      yield job
      job = new JobBuilder(this.#folders)
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
    const { layout } = this.#plan
    const job = new JobBuilder(this.#folders)
    for (const write of run) {
      const isPartial = layout.entries.get(write.entry, 'blobs') > 1
      const directory = job.acquire(layout.entries.get(write.entry, 'folder'))
      if (isPartial) {
        try {
          this.#partial.begin(write.entry, directory)
        } catch (thrown) {
          this.#partial.fail(write.entry, 'failed', reasonOf(thrown))
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
      for (const folder of job.folders) this.#folders.release(folder)
    }
  }

  async #writeBlobs(job: Prepared, signal?: AbortSignal): Promise<void> {
    const places = job.blobs.map(({ place }) => place)
    const write = (run: SealedRun): Promise<WriteResult['damaged']> => this.#write(job.blobs, [], { run, plain: false })
    const written = await withRun(this.#source, this.#crew.memory, places, write, signal)
    const damaged = written ?? job.blobs.map((_, blob) => ({ blob }))
    for (const { blob } of damaged) await this.#rescue(job.blobs[blob]!, signal)
    for (const { writes } of job.blobs) for (const { entry } of writes) this.#countWrite(entry)
  }

  /** Looks for another copy of a blob, and gives up the files that need it when there is none. */
  async #rescue(blob: BlobWrites, signal?: AbortSignal): Promise<void> {
    let plain: Uint8Array
    try {
      plain = await this.#source.loadBlob('data', blob.place.id, signal)
    } catch (thrown) {
      if (!isLoss(thrown)) throw thrown
      for (const { entry } of blob.writes) {
        const isNew = this.#plan.layout.entries.get(entry, 'action') === entryAction.create
        const outcome = isNew ? 'so it is not there' : 'so what was there stays'
        const text = `its content cannot be read, ${outcome}: ${textOf(thrown)}`
        if (this.#partial.has(entry)) this.#partial.fail(entry, 'damage', text)
        else this.#fail(entry, 'damage', text)
      }
      return
    }
    const bytes = new Uint8Array(new SharedArrayBuffer(plain.length))
    bytes.set(plain)
    const run = { bytes, ids: new Uint8Array(32), places: new Uint32Array(3) }
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
    const { layout } = this.#plan
    const whole = [...empty]
    const partial: number[] = []
    const numbers = new Map<number, number>()
    const writes: number[] = []
    const writesOf = new Uint32Array(blobs.length)
    for (const [blob, { writes: ofBlob }] of blobs.entries()) {
      for (const { entry, position } of ofBlob) {
        if (this.#partial.hasFailed(entry)) continue
        if (!numbers.has(entry)) {
          numbers.set(entry, this.#partial.has(entry) ? ~(partial.push(entry) - 1) : whole.push(entry) - 1)
        }
        writes.push(numbers.get(entry)!, position)
        writesOf[blob]!++
      }
    }
    const writer = new RecordWriter()
    for (const entry of whole) {
      writer.copy(layout.pieces[layout.entries.get(entry, 'piece')]!, layout.entries.get(entry, 'at'))
    }
    const result = await this.#crew.run({
      kind: 'write',
      ...source,
      writesOf,
      writes: Float64Array.from(writes),
      records: writer.take(),
      folders: Int32Array.from(whole, (entry) => this.#folders.get(layout.entries.get(entry, 'folder')).fd),
      replacing: Uint8Array.from(whole, (entry) => Number(layout.entries.get(entry, 'action') === entryAction.replace)),
      partial: partial.map((entry) => this.#partial.get(entry)),
    })
    const entryOf = (file: number): number => (file >= 0 ? whole[file]! : partial[~file]!)
    this.#notes.merge(result.unset, entryOf)
    this.#files += result.done
    this.#settled += result.done
    this.#bytes += result.bytes
    for (const { file, text } of result.failed) {
      if (file >= 0) this.#fail(entryOf(file), 'failed', text)
      else this.#partial.fail(entryOf(file), 'failed', text)
    }
    return result.damaged
  }

  /** One more write of a file is over; after the last one the file takes its name. */
  #countWrite(entry: number): void {
    if (!this.#partial.has(entry) || !this.#partial.countWrite(entry)) return
    const failure = this.#partial.finish(entry, (what, code) => this.#notes.add(what, code, entry))
    if (failure) return this.#fail(entry, failure.severity, failure.text)
    this.#files++
    this.#settled++
  }

  // Other names of one file

  #link(entry: number): void {
    const { entries } = this.#plan.layout
    const owner = entries.get(entry, 'link')
    if (this.#failed.has(owner)) {
      return this.#fail(entry, 'failed', 'it is another name of a file that could not be restored')
    }
    const [folder, ownersFolder] = [entries.get(entry, 'folder'), entries.get(owner, 'folder')]
    const directory = this.#folders.acquire(folder)
    if (!directory) return
    const ownersDirectory = this.#folders.acquire(ownersFolder)
    try {
      if (!ownersDirectory) throw new Error('it is another name of a file that could not be restored')
      if (this.#linkTo(entry, directory, owner, ownersDirectory)) this.#files++
      this.#settled++
    } catch (thrown) {
      this.#fail(entry, 'failed', reasonOf(thrown))
    } finally {
      this.#folders.release(folder)
      if (ownersDirectory) this.#folders.release(ownersFolder)
    }
  }

  /** @returns false when it was one file already. */
  #linkTo(entry: number, directory: Directory, owner: number, ownersDirectory: Directory): boolean {
    const { layout } = this.#plan
    const { name } = layout.recordOfEntry(entry)
    const ownersName = layout.recordOfEntry(owner).name
    if (layout.entries.get(entry, 'action') === entryAction.create) {
      directory.makeHardLink(ownersDirectory, ownersName, name)
      return true
    }
    // A rename between two names of one file does nothing and says nothing.
    if (directory.findStatus(name)?.inode === ownersDirectory.status(ownersName).inode) return false
    const temporary = Buffer.from(temporaryName())
    directory.makeHardLink(ownersDirectory, ownersName, temporary)
    try {
      directory.rename(temporary, directory, name)
    } catch (thrown) {
      directory.unlink(temporary)
      throw thrown
    }
    return true
  }

  // What is in the way or too much

  #remove(first: boolean): void {
    const { layout } = this.#plan
    for (const removal of layout.removals) {
      if (removal.first !== first) continue
      const directory = this.#folders.acquire(removal.folder)
      if (!directory) continue
      try {
        removeEntry(directory, removal.name)
      } catch (thrown) {
        const path = [layout.showFolder(removal.folder), quoteName(removal.name)].filter(Boolean).join('/')
        this.#find('failed', path, `could not be removed: ${textOf(thrown)}`)
      }
      this.#folders.release(removal.folder)
    }
  }

  // Metadata

  async #settleUnchanged(signal?: AbortSignal): Promise<void> {
    const { layout } = this.#plan
    const entries = layout.identities.keys().toArray()
    const settle = async (batch: readonly number[]): Promise<void> => {
      const items = batch.map((entry) => ({
        parent: layout.entries.get(entry, 'folder'),
        piece: layout.entries.get(entry, 'piece'),
        at: layout.entries.get(entry, 'at'),
        identity: layout.identities.get(entry)!,
      }))
      await this.#settle(items, {
        failed: (number, text) => this.#fail(batch[number]!, 'failed', text),
        notes: this.#notes,
        entryOf: (number) => batch[number]!,
      })
      this.#settled += batch.length
    }
    for await (const _ of mapInOrder(batches(entries, signal), settle, this.#crew.jobsAhead)) this.#report()
  }

  /** From the deepest up, because a folder's mode may shut out whoever is not root. */
  async #leaveFolders(signal?: AbortSignal): Promise<void> {
    const { layout, placesMetadata } = this.#plan
    const ends = [...layout.levels.slice(1), layout.folders.length]
    for (let level = layout.levels.length - 1; level > 0; level--) {
      const folders: number[] = []
      for (let folder = layout.levels[level]!; folder < ends[level]!; folder++) {
        if (this.#takesMetadata(folder) && this.#identities[folder * 2] !== 0n) folders.push(folder)
      }
      const leave = async (batch: readonly number[]): Promise<void> => {
        const items = batch.map((folder) => ({
          parent: layout.folders.get(folder, 'parent'),
          piece: layout.folders.get(folder, 'piece'),
          at: layout.folders.get(folder, 'at'),
          identity: { inode: this.#identities[folder * 2]!, ctimeNs: 0n, links: 0 },
        }))
        await this.#settle(items, {
          failed: (number, text) => this.#find('failed', layout.showFolder(batch[number]!), text),
          notes: this.#folderNotes,
          entryOf: (number) => batch[number]!,
        })
      }
      for await (const _ of mapInOrder(batches(folders, signal), leave, this.#crew.jobsAhead)) this.#report()
    }
    if (placesMetadata && this.#takesMetadata(0)) {
      setMetadata(this.#root.fd, layout.recordOfFolder(0), (what, code) => this.#folderNotes.add(what, code, 0))
    }
  }

  /** A folder that was made up for the snapshot, to hold files from elsewhere, says nothing of one that is there. */
  #takesMetadata(folder: number): boolean {
    const { layout, keepFolders } = this.#plan
    const state = layout.folders.get(folder, 'state')
    if (state !== folderState.merge) return state !== folderState.pass
    return !keepFolders && layout.recordOfFolder(folder).inode !== 0n
  }

  async #settle(
    items: readonly {
      readonly parent: number
      readonly piece: number
      readonly at: number
      readonly identity: FileIdentity
    }[],
    outcome: {
      readonly failed: (number: number, text: string) => void
      readonly notes: UnsetNotes
      readonly entryOf: (number: number) => number
    },
  ): Promise<void> {
    const { layout } = this.#plan
    const held = items.map((item) => this.#folders.acquire(item.parent))
    const present = items
      .keys()
      .filter((number) => held[number] !== undefined)
      .toArray()
    const writer = new RecordWriter()
    for (const number of present) writer.copy(layout.pieces[items[number]!.piece]!, items[number]!.at)
    try {
      const result = await this.#crew.run({
        kind: 'settle',
        records: writer.take(),
        folders: Int32Array.from(present, (number) => held[number]!.fd),
        identities: present.map((number) => items[number]!.identity),
      })
      for (const { file, text } of result.failed) outcome.failed(present[file]!, text)
      outcome.notes.merge(result.unset, (file) => outcome.entryOf(present[file]!))
    } finally {
      for (const number of present) this.#folders.release(items[number]!.parent)
    }
  }

  #sync(): void {
    syncFilesystem(this.#root.fd)
    const ownDevice = this.#root.ownStatus().deviceId
    for (const [device, folder] of this.#devices) {
      if (device === ownDevice) continue
      const directory = this.#folders.acquire(folder)
      if (!directory) continue
      syncFilesystem(directory.fd)
      this.#folders.release(folder)
    }
  }
}

function* batches(items: readonly number[], signal?: AbortSignal): Generator<readonly number[], void, void> {
  for (let at = 0; at < items.length; at += filesOfJob) {
    signal?.throwIfAborted()
    yield items.slice(at, at + filesOfJob)
  }
}
