import { createHash } from 'node:crypto'
import { closeSync } from 'node:fs'

import type { Accounts } from '../filesystem/accounts.ts'
import { extendedAttributesOf, statusOf } from '../filesystem/descriptor.ts'
import type { Directory } from '../filesystem/directory.ts'
import type { ExtendedAttribute, TreeNode } from '../format/tree-node.ts'
import { fillFrom, type StreamCutter } from './cut-stream.ts'
import type { Content } from './entry.ts'
import type { ListedFile } from './file-list.ts'
import { type ArchiveFinding, findingOf, isAboutEntry } from './findings.ts'
import type { FileOutcome } from './job.ts'
import { bytesOfJob, filesOfJob, largestOwnFile } from './limits.ts'
import { isSameInode, metadataOf } from './node.ts'
import type { Sealing } from './sealing.ts'

/** A file whose bytes went through the main thread: a dump, or what was given for a file. */
export interface Artifact {
  /** In the snapshot. */
  readonly path: string
  readonly bytes: number
  /** Hex SHA-256 of its plain bytes. */
  readonly sha256: string
}

/** A file to read, and what to do with what became of it: exactly one of the two is called. */
export interface FileToRead {
  /** In the snapshot, for findings. */
  readonly at: () => string
  /** Without extended attributes, which are read with the file. */
  readonly node: TreeNode
  /** Stays open until `stored` or `dropped` is called. */
  readonly directory: Directory
  /** On disk. */
  readonly name: Buffer
  readonly stored: (node: TreeNode) => void
  readonly dropped: () => void
}

/** What the reading of one backup works with. */
export interface ReadingTools {
  readonly sealing: Sealing
  readonly cutter: StreamCutter
}

/** How often a file that changed while it was read is read anew before what was read is taken. */
const attempts = 3
const noAttributes: readonly ExtendedAttribute[] = []
/** Large files that are read beside each other before the walk waits. */
const largeFilesAhead = 4

/**
 * Reads the files of one backup: small ones in batches by the sealing threads, large ones in stretches, streams through
 * the main thread, which shares their chunks out. A file that changes meanwhile is read again, then taken with a finding.
 */
export class FileReading {
  readonly artifacts: Artifact[] = []
  bytesRead = 0
  readonly #sealing: Sealing
  readonly #cutter: StreamCutter
  readonly #accounts: Accounts
  readonly #report: (finding: ArchiveFinding) => void
  readonly #tasks = new Set<Promise<void>>()
  #batch: { readonly file: FileToRead; readonly attempt: number }[] = []
  #batchBytes = 0
  #largeFiles = 0
  #failure: unknown

  constructor({ sealing, cutter }: ReadingTools, accounts: Accounts, report: (finding: ArchiveFinding) => void) {
    this.#sealing = sealing
    this.#cutter = cutter
    this.#accounts = accounts
    this.#report = report
  }

  /** Takes a file over. @returns what is to be waited for, when too much is under way. */
  read(file: FileToRead): Promise<void> | undefined {
    return this.#read(file, 1)
  }

  /**
   * Reads a stream to its end, again from its beginning when it fails and its `retry` says so.
   *
   * @returns undefined, and reports, when it failed: then nothing of it is stored. @throws what a stream threw that
   * nothing is to be stored without.
   */
  async readContent(
    at: string,
    content: Content,
    signal: AbortSignal,
  ): Promise<{ content: string[]; size: number } | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#readOnce(at, content, signal)
      } catch (thrown) {
        this.check() // because a backend that failed, or an abort, ends the backup whatever the stream says
        const failure = await failureOf(content, thrown, attempt)
        this.check()
        if (failure === undefined) continue
        if (content.kind === 'stream' && content.onFailure === 'abort') throw failure.thrown
        this.#report(findingOf(at, failure.thrown))
        return undefined
      }
    }
  }

  /** Hands over what is waiting for a full batch, and resolves when every file has been read. */
  async settle(): Promise<void> {
    do {
      await this.#sendBatch()
      while (this.#tasks.size > 0) await Promise.race(this.#tasks)
      this.check()
    } while (this.#batch.length > 0)
  }

  /** @throws what ends the backup. */
  check(): void {
    this.#sealing.check()
    if (this.#failure) throw this.#failure
  }

  async #readOnce(at: string, content: Content, signal: AbortSignal): Promise<{ content: string[]; size: number }> {
    const hash = createHash('sha256')
    const isStream = content.kind === 'stream'
    const source = fillFrom(isStream ? content.open(signal) : once(content.bytes))
    try {
      const seen = (bytes: Uint8Array): void => void hash.update(bytes)
      const read = await this.#cutter.cut(source.fill, { seen, cut: isStream ? content.cut : undefined })
      this.artifacts.push({ path: at, bytes: read.size, sha256: hash.digest('hex') })
      this.bytesRead += read.size
      return read
    } finally {
      await source.stop()
    }
  }

  #read(file: FileToRead, attempt: number): Promise<void> | undefined {
    if (file.node.size > largestOwnFile || attempt > attempts) return this.#readLarge(file)
    this.#batch.push({ file, attempt })
    this.#batchBytes += file.node.size
    return this.#batch.length >= filesOfJob || this.#batchBytes >= bytesOfJob ? this.#sendBatch() : undefined
  }

  async #sendBatch(): Promise<void> {
    if (this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    const { done } = await this.#sealing.files(batch.map(({ file }) => listed(file)))
    this.#track(
      done.then(async (outcomes) => {
        for (const [nth, { file, attempt }] of batch.entries()) {
          const again = this.#take(file, attempt, outcomes[nth]!)
          if (again) await again
        }
      }),
    )
  }

  #take(file: FileToRead, attempt: number, outcome: FileOutcome): Promise<void> | undefined {
    switch (outcome.status) {
      case 'stored':
        this.#finish(file, outcome)
        return undefined
      case 'failed':
        this.#refused(file, outcome)
        return undefined
      case 'changed':
        return this.#readAgain(file, attempt)
      default:
        return outcome.status satisfies never
    }
  }

  async #readAgain(file: FileToRead, attempt: number): Promise<void> {
    const { directory, name } = file
    let node: TreeNode
    try {
      const status = directory.status(name)
      if (status.type !== 'file')
        throw Object.assign(new Error('it is no longer a file'), { code: 'ESTALE', syscall: 'stat' })
      node = metadataOf(file.node.name, status, this.#accounts)
    } catch (thrown) {
      return this.#drop(file, thrown)
    }
    await this.#read({ ...file, node }, attempt + 1)
  }

  async #readLarge(file: FileToRead): Promise<void> {
    while (this.#largeFiles >= largeFilesAhead) await Promise.race(this.#tasks)
    this.#largeFiles++
    this.#track(this.#cutFile(file).finally(() => this.#largeFiles--))
  }

  async #cutFile(file: FileToRead): Promise<void> {
    let fd: number
    try {
      fd = file.directory.openFile(file.name)
    } catch (thrown) {
      return this.#drop(file, thrown)
    }
    try {
      const outcome = await this.#sealing.largeFile(fd)
      if (outcome.status === 'failed') return this.#refused(file, outcome)
      const { content, size } = outcome
      const extendedAttributes = extendedAttributesOf(fd)
      const after = statusOf(fd)
      if (!isSameInode(file.node, after) || size !== after.size) {
        this.#report({ path: file.at(), code: 'changed', text: 'changed while it was read; what was read is kept' })
      }
      this.#finish(file, { content, size, extendedAttributes })
    } catch (thrown) {
      this.#drop(file, thrown)
    } finally {
      closeSync(fd)
    }
  }

  #finish(
    file: FileToRead,
    { content, size, extendedAttributes = noAttributes }: Pick<FileOutcome, 'content' | 'size' | 'extendedAttributes'>,
  ): void {
    this.bytesRead += size
    file.stored({ ...file.node, extendedAttributes, size, content })
  }

  #refused(file: FileToRead, { code, message }: FileOutcome): void {
    this.#report(findingOf(file.at(), Object.assign(new Error(message), { code })))
    file.dropped()
  }

  #drop(file: FileToRead, thrown: unknown): void {
    if (!isAboutEntry(thrown)) throw thrown
    this.#report(findingOf(file.at(), thrown))
    file.dropped()
  }

  #track(task: Promise<void>): void {
    const tracked = task
      .catch((thrown) => {
        this.#failure ??= thrown
      })
      .finally(() => this.#tasks.delete(tracked))
    this.#tasks.add(tracked)
  }
}

function listed({ node, directory, name }: FileToRead): ListedFile {
  const { size, mtimeNs, ctimeNs, inode } = node
  return { path: directory.pathOf(name), size, mtimeNs, ctimeNs, inode }
}

/** Undefined when the stream is to be tried again, else what it failed with. */
async function failureOf(content: Content, thrown: unknown, attempt: number): Promise<{ thrown: unknown } | undefined> {
  if (content.kind !== 'stream' || !content.retry) return { thrown }
  try {
    return (await content.retry(thrown, attempt)) ? undefined : { thrown }
  } catch (instead) {
    return { thrown: instead }
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes
}
