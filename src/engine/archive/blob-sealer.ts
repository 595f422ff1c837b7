import { closeSync, fstatSync, readSync } from 'node:fs'

import { systemCode, textOf } from '#base'
import { minimumChunk, type Chunker } from '../chunker/chunker.ts'
import { createChunker } from '../chunker/simd-chunker.ts'
import { sha256 } from '../crypto/hash.ts'
import { Sealer, type MasterKey } from '../crypto/seal.ts'
import { openForReading } from '../filesystem/descriptor.ts'
import type { BlobIndex, BlobType } from '../repository/blob-index.ts'
import { PackBuffer, type FinishedPack } from '../repository/pack-buffer.ts'
import { compressBlob } from './compress.ts'
import type { StreamContent } from './entry.ts'
import type { ListedFile } from './file-list.ts'
import type { FileOutcome, Rest, SealedSoFar, SealingConfig } from './job.ts'
import { largestOwnFile } from './limits.ts'

/**
 * Reads files, cuts, hashes, looks up, compresses, encrypts and packs, in one thread and with buffers of its own: a pack
 * of each type, and 8 MiB to read into.
 */
export class BlobSealer {
  /** Replaced when the one that all threads share has grown. */
  index: BlobIndex
  readonly #sealer: Sealer
  readonly #config: SealingConfig
  readonly #recycled: SharedArrayBuffer[] = []
  #ownChunker: Chunker | undefined
  #open: { data?: PackBuffer; tree?: PackBuffer } = {}
  #full: FinishedPack[] = []
  #newBlobs = 0
  #newBytes = 0

  constructor(key: MasterKey, config: SealingConfig, index: BlobIndex) {
    this.index = index
    this.#sealer = new Sealer(key)
    this.#config = config
  }

  /** Takes memory of packs that have been saved, to use it again. */
  recycle(buffers: readonly SharedArrayBuffer[]): void {
    this.#recycled.push(...buffers)
  }

  /** Makes what follows in the same turn cheaper, until the result is disposed. */
  hold(): Disposable {
    return this.#sealer.hold()
  }

  /** Stores a file, unless it is not what it was when it was listed. */
  sealFile(file: ListedFile): FileOutcome {
    let fd: number
    try {
      fd = openForReading(file.path)
    } catch (thrown) {
      return failed(thrown)
    }
    try {
      const size = this.#readWhole(fd, file.size)
      const status = fstatSync(fd, { bigint: true })
      const same =
        status.ctimeNs === file.ctimeNs &&
        status.mtimeNs === file.mtimeNs &&
        status.ino === file.inode &&
        (size === file.size || file.size === 0)
      if (!same || size > largestOwnFile) return { status: 'changed', content: [], size }
      return { status: 'stored', content: this.#cutFile(size), size }
    } catch (thrown) {
      return failed(thrown)
    } finally {
      closeSync(fd)
    }
  }

  /** Stores a chunk as a data blob. @returns its hex id. */
  sealChunk(plain: Uint8Array, cut?: StreamContent['cut']): string {
    const idBytes = sha256(plain)
    const id = idBytes.toString('hex')
    if (this.index.claim('data', idBytes)) {
      this.#newBlobs++
      this.#newBytes += plain.length
      this.#pack('data', id, plain, cut)
    }
    return id
  }

  /** Stores chunks that lie one after the other. @returns their hex ids. */
  sealChunks(plain: Uint8Array, lengths: readonly number[], cut: StreamContent['cut']): string[] {
    let at = 0
    return lengths.map((length) => this.sealChunk(plain.subarray(at, (at += length)), cut))
  }

  /** Stores a tree blob that is claimed already. */
  sealTree(id: string, plain: Uint8Array): void {
    this.#pack('tree', id, plain)
  }

  takeResult(): SealedSoFar {
    const result = { packs: this.#full, newBlobs: this.#newBlobs, newBytes: this.#newBytes }
    this.#full = []
    this.#newBlobs = 0
    this.#newBytes = 0
    return result
  }

  /** The packs that are not full, without headers. */
  takeRests(): Rest[] {
    const rests = Object.values(this.#open).map((rest) => ({
      type: rest.type,
      blobs: rest.blobs,
      bytes: rest.content(),
    }))
    this.#open = {}
    return rests
  }

  get #chunker(): Chunker {
    return (this.#ownChunker ??= createChunker(this.#config.chunkerPolynomial, largestOwnFile + 1))
  }

  /** Reads to the end of the file, or of the buffer, into the chunker's memory. @returns bytes read. */
  #readWhole(fd: number, expected: number): number {
    const { buffer } = this.#chunker
    let size = 0
    while (size < buffer.length) {
      const read = readSync(fd, buffer, size, buffer.length - size, size)
      size += read
      // because the status taken afterwards shows whether there is more, which saves a call for each file
      if (read === 0 || (expected > 0 && size === expected)) break
    }
    return size
  }

  #cutFile(size: number): string[] {
    const chunker = this.#chunker
    const content: string[] = []
    for (let start = 0; start < size;) {
      const length = size - start <= minimumChunk ? size - start : (chunker.findCut(start, size) ?? size - start)
      content.push(this.sealChunk(chunker.buffer.subarray(start, start + length)))
      start += length
    }
    return content
  }

  #pack(type: BlobType, id: string, plain: Uint8Array, cut?: StreamContent['cut']): void {
    const target = (this.#open[type] ??= new PackBuffer(type, this.#recycled.pop()))
    const packed = this.#config.version === 1 ? undefined : compressBlob(type, plain, cut)
    target.seal(this.#sealer, id, packed ?? plain, packed ? plain.length : 0)
    if (!target.isFull) return
    this.#full.push(target.finish(this.#sealer))
    delete this.#open[type]
  }
}

function failed(thrown: unknown): FileOutcome {
  return { status: 'failed', code: systemCode(thrown) ?? 'EIO', message: textOf(thrown), content: [], size: 0 }
}
