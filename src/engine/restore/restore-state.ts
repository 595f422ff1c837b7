import { systemCode } from '#base'
import { setTimesOf } from '../filesystem/descriptor.ts'
import type { Directory } from '../filesystem/directory.ts'
import type { Status } from '../filesystem/status.ts'
import type { Crew } from './crew.ts'
import { UnsetNotes, type RestoreFinding, type UnsetMetadata } from './finding.ts'
import { entryAction, folderState } from './layout.ts'
import { OpenFolders } from './open-folders.ts'
import { PartialFiles } from './partial-files.ts'
import type { RestorePlan } from './restore-plan.ts'
import type { BlobSource } from './source.ts'
import type { Stage } from './stage.ts'
import { reasonOf } from './write-files.ts'

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

/** What the stages of one restore share: the plan, the open folders, what is there by now and what was found. */
export class RestoreState implements Disposable {
  readonly source: BlobSource
  readonly plan: RestorePlan
  readonly crew: Crew
  readonly root: Directory
  readonly folders: OpenFolders
  readonly partial: PartialFiles
  /** Where everything waits until all may take their places; undefined when each takes its own at once. */
  readonly stage: Stage | undefined
  readonly notes = new UnsetNotes()
  readonly folderNotes = new UnsetNotes()
  /** Entries that are not there. */
  readonly failed = new Set<number>()
  /** Inode and device of each folder since it was first opened. */
  readonly identities: BigUint64Array
  /** A folder on each file system that is written to. */
  readonly devices = new Map<bigint, number>()
  /** Entries that were written. */
  files = 0
  /** Plain bytes that were written. */
  bytes = 0
  /** Entries that are there, or were given up. */
  settled = 0
  readonly #findings: RestoreFinding[] = []
  /** Of folders that keep their times: those of access and change when they were first opened. Empty when none does. */
  readonly #times: BigInt64Array
  /** 1 for each folder that was made, or seen to be there. */
  readonly #made: Uint8Array
  readonly #progress: ((progress: RestoreProgress) => void) | undefined
  #newFolders = 0

  constructor(
    source: BlobSource,
    plan: RestorePlan,
    crew: Crew,
    root: Directory,
    {
      stage,
      progress,
    }: { readonly stage?: Stage | undefined; readonly progress?: (progress: RestoreProgress) => void },
  ) {
    this.source = source
    this.plan = plan
    this.crew = crew
    this.root = root
    this.stage = stage
    this.#progress = progress
    const { layout } = plan
    this.#made = new Uint8Array(layout.folders.length)
    this.identities = new BigUint64Array(layout.folders.length * 2)
    this.folders = new OpenFolders(layout, root, {
      before: (folder, parent, name) => this.#makeFolder(folder, parent, name),
      after: (folder, directory) => this.#recogniseFolder(folder, directory),
      failed: (folder, reason) => {
        const text = `the folder, and what lies below it, could not be restored: ${reasonOf(reason)}`
        this.find('failed', layout.showFolder(folder), text)
      },
    })
    this.partial = new PartialFiles(layout, this.folders, stage)
    this.#times = new BigInt64Array(stage || plan.keepFolders ? layout.folders.length * 2 : 0)
    this.#keepTimes(0, root.ownStatus())
  }

  result(): RestoreResult {
    const { layout, findings } = this.plan
    const unset = [
      ...this.notes.list().map((note) => ({ ...note, path: layout.showEntry(note.entry) })),
      ...this.folderNotes.list().map((note) => ({ ...note, path: layout.showFolder(note.entry) || '.' })),
    ].map(({ what, code, count, path }) => ({ what, code, count, path }))
    const notices = unset.map(({ what, code, count, path }): RestoreFinding => {
      const others = count > 1 ? `, here and on ${count - 1} other entries` : ''
      return { severity: 'notice', path, text: `could not set ${what} (${code})${others}` }
    })
    return {
      folders: this.#newFolders,
      files: this.files,
      bytes: this.bytes,
      findings: [...findings, ...this.#findings, ...notices],
      unset,
    }
  }

  /** Whatever ends the restore, no file that was begun stays. */
  [Symbol.dispose](): void {
    this.partial.removeAll()
    this.folders[Symbol.dispose]()
  }

  find(severity: RestoreFinding['severity'], path: string, text: string): void {
    this.#findings.push({ severity, path, text })
  }

  fail(entry: number, severity: 'damage' | 'failed', text: string): void {
    if (this.failed.has(entry)) return
    this.failed.add(entry)
    this.settled++
    this.find(severity, this.plan.layout.showEntry(entry), text)
  }

  report(): void {
    const { layout, bytes } = this.plan
    this.#progress?.({
      files: this.settled,
      totalFiles: layout.entries.length,
      bytes: this.bytes,
      totalBytes: bytes,
    })
  }

  /** Whether the entry is written, and not only settled. */
  isPlanned(entry: number): boolean {
    const action = this.plan.layout.entries.get(entry, 'action')
    return action === entryAction.create || action === entryAction.replace
  }

  /** Makes the folders that nothing was put into. */
  makeFolders(): void {
    for (let folder = 1; folder < this.plan.layout.folders.length; folder++) {
      if (this.#made[folder] === 0 && this.folders.acquire(folder)) this.folders.release(folder)
    }
  }

  /** Gives folders that were there, and that something was put into, their times back; those of others only their owner can. */
  resetTimes(): void {
    for (let folder = 0; folder * 2 < this.#times.length; folder++) {
      const [atimeNs, mtimeNs] = this.#times.subarray(folder * 2)
      if (atimeNs === 0n && mtimeNs === 0n) continue
      const directory = this.folders.acquire(folder)
      if (!directory) continue
      try {
        setTimesOf(directory.fd, atimeNs!, mtimeNs!)
      } catch (thrown) {
        if (systemCode(thrown) === undefined) throw thrown
      }
      this.folders.release(folder)
    }
  }

  /** @returns the name that it has now. */
  #makeFolder(folder: number, parent: Directory, own: Uint8Array): Uint8Array {
    const staged = this.stage?.nameOfFolder(folder)
    if (this.#made[folder] === 1) return staged && this.stage!.hasFolder(folder) ? staged : own
    const state = this.plan.layout.folders.get(folder, 'state')
    if (state === folderState.replace) parent.unlink(own)
    if (state === folderState.replace || state === folderState.create) {
      parent.makeDirectory(staged ?? own)
      if (staged) this.stage!.addFolder(folder)
      this.#newFolders++
    }
    this.#made[folder] = 1
    return staged ?? own
  }

  #keepTimes(folder: number, { atimeNs, mtimeNs }: Status): void {
    const state = this.plan.layout.folders.get(folder, 'state')
    const wasThere = state === folderState.merge || state === folderState.pass
    if (wasThere && this.#times.length > 0) this.#times.set([atimeNs, mtimeNs], folder * 2)
  }

  /** A folder that was opened once must be the same one ever after. */
  #recogniseFolder(folder: number, directory: Directory): void {
    const status = directory.ownStatus()
    const { inode, deviceId } = status
    const known = this.identities
    if (known[folder * 2] === 0n && known[folder * 2 + 1] === 0n) {
      this.#keepTimes(folder, status)
      known[folder * 2] = inode
      known[folder * 2 + 1] = deviceId
      if (!this.devices.has(deviceId)) this.devices.set(deviceId, folder)
    } else if (known[folder * 2] !== inode || known[folder * 2 + 1] !== deviceId) {
      throw new Error('somebody exchanged it while it was restored')
    }
  }
}
