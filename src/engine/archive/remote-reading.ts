import { collect, mapInOrder } from '#base'
import { minimumChunk } from '../chunker/chunker.ts'
import type { TreeNode } from '../format/tree-node.ts'
import { fillFrom, type StreamCutter } from './cut-stream.ts'
import type { FolderReader, RemoteStatus } from './entry.ts'
import { type ArchiveFinding, findingOf, isAboutEntry } from './findings.ts'
import { remoteNodeOf } from './remote-node.ts'
import type { Sealing } from './sealing.ts'

/** A file elsewhere that is to be read: exactly one of `stored` and `dropped` is called. */
export interface RemoteFileToRead {
  /** In the snapshot, for findings. */
  readonly at: string
  readonly node: TreeNode
  readonly reader: FolderReader
  /** Absolute there, latin1. */
  readonly path: string
  readonly stored: (node: TreeNode) => void
  readonly dropped: () => void
}

/** How often a file that changed while it was read is read anew before what was read is taken. */
const attempts = 3
/** Bytes up to which a file is one chunk, so that many are read at once and kept until they are known to be whole. */
const smallFile = minimumChunk
const filesOfBatch = 64
const bytesOfBatch = 4 * 1024 * 1024
/** Batches, and large files, that may be under way at once. Memory: their bytes. */
const batchesAhead = 3
const largeFilesAhead = 4

interface Attempt {
  readonly file: RemoteFileToRead
  readonly attempt: number
}

/**
 * Reads files elsewhere: small ones many at once, so that the way there and back is paid once for all of them, large ones
 * one after the other. A file whose status is another one afterwards is read again, then taken with a finding.
 */
export class RemoteReading {
  bytesRead = 0
  readonly #sealing: Sealing
  readonly #cutter: StreamCutter
  readonly #report: (finding: ArchiveFinding) => void
  readonly #signal: AbortSignal
  readonly #tasks = new Set<Promise<void>>()
  #batch: Attempt[] = []
  #batchBytes = 0
  #batches = 0
  #largeFiles = 0
  #failure: unknown

  constructor(sealing: Sealing, cutter: StreamCutter, report: (finding: ArchiveFinding) => void, signal: AbortSignal) {
    this.#sealing = sealing
    this.#cutter = cutter
    this.#report = report
    this.#signal = signal
  }

  /** Takes a file over; waits while too much is under way. */
  async read(file: RemoteFileToRead, attempt = 1): Promise<void> {
    this.check()
    if (file.node.size > smallFile || attempt > attempts) return await this.#begin(() => this.#readLarge(file), 'large')
    this.#batch.push({ file, attempt })
    this.#batchBytes += file.node.size
    if (this.#batch.length >= filesOfBatch || this.#batchBytes >= bytesOfBatch) await this.#sendBatch()
  }

  /** Resolves when every file has been read. @throws what ends the backup. */
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

  async #sendBatch(): Promise<void> {
    if (this.#batch.length === 0) return
    const batch = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    await this.#begin(() => this.#readBatch(batch), 'batch')
  }

  async #begin(work: () => Promise<void>, kind: 'batch' | 'large'): Promise<void> {
    const isFull = (): boolean =>
      kind === 'batch' ? this.#batches >= batchesAhead : this.#largeFiles >= largeFilesAhead
    while (isFull()) await Promise.race(this.#tasks)
    this.check()
    this.#count(kind, 1)
    const task = work()
      .catch((thrown) => {
        this.#failure ??= thrown
      })
      .finally(() => {
        this.#count(kind, -1)
        this.#tasks.delete(task)
      })
    this.#tasks.add(task)
  }

  #count(kind: 'batch' | 'large', by: 1 | -1): void {
    if (kind === 'batch') this.#batches += by
    else this.#largeFiles += by
  }

  async #readBatch(batch: readonly Attempt[]): Promise<void> {
    const { reader } = batch[0]!.file
    const atOnce = Math.ceil(reader.parallel / batchesAhead)
    const read = await Array.fromAsync(mapInOrder(batch, ({ file }) => this.#readWhole(file), atOnce))
    const after = await reader.status(batch.map(({ file }) => file.path))
    for (const [nth, { file, attempt }] of batch.entries()) {
      const [bytes, status] = [read[nth]!, after[nth]!]
      if (bytes instanceof Error) this.#drop(file, bytes)
      else if (status instanceof Error) this.#drop(file, status)
      else if (status.type !== 'file') this.#drop(file, noLongerFile())
      else if (isSame(file.node, status) && (bytes.length === status.size || status.size === 0)) {
        await this.#seal(file, bytes)
      } else {
        await this.#readAgain(file, status, attempt)
      }
    }
  }

  async #readAgain(file: RemoteFileToRead, status: RemoteStatus, attempt: number): Promise<void> {
    const next = { ...file, node: remoteNodeOf(file.node.name, status) }
    if (next.node.size > smallFile || attempt + 1 > attempts) return await this.#readLarge(next)
    await this.#readBatch([{ file: next, attempt: attempt + 1 }])
  }

  async #readWhole({ reader, path, node }: RemoteFileToRead): Promise<Uint8Array | Error> {
    try {
      return await collect(reader.open(path, node.size, this.#signal))
    } catch (thrown) {
      if (!isAboutEntry(thrown)) throw thrown
      return thrown as Error
    }
  }

  async #seal(file: RemoteFileToRead, bytes: Uint8Array): Promise<void> {
    const content: string[] = []
    for (let at = 0; at < bytes.length; at += smallFile) {
      const { done } = await this.#sealing.chunk(bytes.subarray(at, at + smallFile))
      content.push(await done)
    }
    this.#finish(file, content, bytes.length)
  }

  /** The listing may be old, and the file takes long to read: what it is now is what it is compared with. */
  async #readLarge(file: RemoteFileToRead): Promise<void> {
    const { reader, path, at } = file
    const [before] = await reader.status([path])
    if (before instanceof Error) return this.#drop(file, before)
    if (before!.type !== 'file') return this.#drop(file, noLongerFile())
    const node = remoteNodeOf(file.node.name, before!)
    const source = fillFrom(reader.open(path, undefined, this.#signal))
    try {
      const { content, size } = await this.#cutter.cut(source.fill)
      const [after] = await reader.status([path])
      if (after instanceof Error || !isSame(node, after!) || after!.size !== size) {
        this.#report({ path: at, code: 'changed', text: 'changed while it was read; what was read is kept' })
      }
      this.#finish({ ...file, node }, content, size)
    } catch (thrown) {
      this.#drop(file, thrown)
    } finally {
      await source.stop()
    }
  }

  #finish(file: RemoteFileToRead, content: readonly string[], size: number): void {
    this.bytesRead += size
    file.stored({ ...file.node, size, content })
  }

  #drop(file: RemoteFileToRead, thrown: unknown): void {
    if (!isAboutEntry(thrown)) throw thrown
    this.#report(findingOf(file.at, thrown))
    file.dropped()
  }
}

function isSame(node: TreeNode, status: RemoteStatus): boolean {
  return (
    node.size === status.size &&
    node.mtimeNs === status.mtimeNs &&
    node.ctimeNs === status.ctimeNs &&
    node.inode === status.inode
  )
}

function noLongerFile(): Error {
  return Object.assign(new Error('it is no longer a file'), { code: 'ESTALE', syscall: 'stat' })
}
