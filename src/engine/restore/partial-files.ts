import { closeSync } from 'node:fs'

import { systemCode } from '#base'
import { statusOf } from '../filesystem/descriptor.ts'
import type { Directory } from '../filesystem/directory.ts'
import type { PartialFile } from './job.ts'
import { entryAction, type Layout } from './layout.ts'
import type { Note } from './metadata.ts'
import type { OpenFolders } from './open-folders.ts'
import type { Stage } from './stage.ts'
import { finishFile, giveName, reasonOf, temporaryName, withPartialFile } from './write-files.ts'

interface Failure {
  readonly severity: 'damage' | 'failed'
  readonly text: string
}

interface Begun {
  readonly name: Buffer
  readonly inode: bigint
  /** Writes that are not over. */
  left: number
  failure?: Failure
}

/**
 * Files of more than one blob. Each is filled under a name of its own, by whatever jobs have its blobs, and takes its real
 * name when it is whole.
 */
export class PartialFiles {
  readonly #layout: Layout
  readonly #folders: OpenFolders
  readonly #stage: Stage | undefined
  readonly #begun = new Map<number, Begun>()

  /** @param stage - where files wait that are whole. */
  constructor(layout: Layout, folders: OpenFolders, stage: Stage | undefined) {
    this.#layout = layout
    this.#folders = folders
    this.#stage = stage
  }

  has(entry: number): boolean {
    return this.#begun.has(entry)
  }

  /** For a job whose folders are acquired. */
  get(entry: number): PartialFile {
    const { name, inode } = this.#begun.get(entry)!
    return { folder: this.#folders.get(this.#layout.entries.get(entry, 'folder')).fd, name: name.toString(), inode }
  }

  /**
   * Creates the file, unless that was done.
   *
   * @param directory - undefined when its folder could not be made; the file has failed then.
   */
  begin(entry: number, directory: Directory | undefined): void {
    if (this.#begun.has(entry)) return
    const left = this.#layout.entries.get(entry, 'blobs')
    const name = this.#stage?.nameOfEntry(entry) ?? Buffer.from(temporaryName())
    const failed = { name, inode: 0n, left, failure: { severity: 'failed', text: 'its folder is not there' } } as const
    this.#begun.set(entry, { ...failed })
    if (!directory) return
    const fd = directory.createFile(name)
    try {
      this.#begun.set(entry, { name, inode: statusOf(fd).inode, left })
    } finally {
      closeSync(fd)
    }
  }

  /** The first reason counts. */
  fail(entry: number, severity: Failure['severity'], text: string): void {
    this.#begun.get(entry)!.failure ??= { severity, text }
  }

  hasFailed(entry: number): boolean {
    return this.#begun.get(entry)?.failure !== undefined
  }

  /** @returns whether it was the last one. */
  countWrite(entry: number): boolean {
    return --this.#begun.get(entry)!.left === 0
  }

  /** Gives the file its metadata and its name; removes it when anything failed. @returns why it is not there. */
  finish(entry: number, note: Note): Failure | undefined {
    const begun = this.#begun.get(entry)!
    const folder = this.#layout.entries.get(entry, 'folder')
    const directory = this.#folders.acquire(folder)
    try {
      if (begun.failure) return begun.failure
      if (!directory) return { severity: 'failed', text: 'its folder is not there' }
      const record = this.#layout.recordOfEntry(entry)
      withPartialFile(this.get(entry), (fd) => finishFile(fd, record, note))
      const isNew = this.#layout.entries.get(entry, 'action') === entryAction.create
      if (this.#stage?.nameOfEntry(entry)) this.#stage.addEntry(entry)
      else giveName(directory, begun.name, record.name, isNew)
      this.#begun.delete(entry)
      return undefined
    } catch (thrown) {
      return { severity: 'failed', text: reasonOf(thrown) }
    } finally {
      if (this.#begun.delete(entry) && directory) remove(directory, begun)
      if (directory) this.#folders.release(folder)
    }
  }

  /** Removes all files that were begun and not finished. */
  removeAll(): void {
    for (const [entry, begun] of this.#begun) {
      const folder = this.#layout.entries.get(entry, 'folder')
      const directory = this.#folders.acquire(folder)
      if (!directory) continue
      remove(directory, begun)
      this.#folders.release(folder)
    }
    this.#begun.clear()
  }
}

function remove(directory: Directory, begun: Begun): void {
  if (begun.inode === 0n) return
  try {
    directory.unlink(begun.name)
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown // because a file that is gone, or cannot be removed, is no news now
  }
}
