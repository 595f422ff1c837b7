import { closeSync, readSync } from 'node:fs'

import { AppError, systemCode, textOf } from '#base'
import { minimumChunk, type Chunker } from '../chunker/chunker.ts'
import { createChunker } from '../chunker/simd-chunker.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { Sealer, type MasterKey } from '../crypto/seal.ts'
import { extendedAttributesOf, openForReading, statusOf } from '../filesystem/descriptor.ts'
import type { BlobIndex, BlobType } from '../repository/blob-index.ts'
import { PackBuffer, type FinishedPack } from '../repository/pack-buffer.ts'
import { compressBlob } from './compress.ts'
import type { StreamContent } from './entry.ts'
import type { ListedFile } from './file-list.ts'
import type { FileOutcome, Rest, SealedSoFar, SealingConfig, StretchEnd } from './job.ts'
import { bytesOfStretch, largestOwnFile, pieceOfStretch } from './limits.ts'

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
      const attributes = extendedAttributesOf(fd)
      const status = statusOf(fd) // last, because its change time vouches for the rest
      const same =
        status.ctimeNs === file.ctimeNs &&
        status.mtimeNs === file.mtimeNs &&
        status.inode === file.inode &&
        (size === file.size || file.size === 0)
      if (!same || size > largestOwnFile) return { status: 'changed', content: [], size }
      const content = this.#cutFile(size)
      if (attributes.length === 0) return { status: 'stored', content, size }
      return { status: 'stored', content, size, extendedAttributes: attributes }
    } catch (thrown) {
      return failed(thrown)
    } finally {
      closeSync(fd)
    }
  }

  /** Reads and cuts what of a large file begins at `from`, tells where that ends, and stores it. */
  sealStretch(fd: number, from: number, tell: (end: StretchEnd) => void): FileOutcome {
    let cut: { lengths: number[]; isLast: boolean }
    try {
      cut = this.#cutStretch(fd, from)
    } catch (thrown) {
      return failed(thrown)
    }
    const size = cut.lengths.reduce((sum, length) => sum + length, 0)
    tell({ end: from + size, isLast: cut.isLast })
    return { status: 'stored', content: this.sealChunks(this.#chunker.buffer, cut.lengths, 'file'), size }
  }

  /** Stores a chunk as a data blob. @returns its hex id. */
  sealChunk(plain: Uint8Array, cut?: StreamContent['cut']): string {
    const id = sha256Hex(plain)
    if (this.index.claim('data', id)) {
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

  /** @returns lengths of the chunks that lie at the beginning of the chunker's memory then. */
  #cutStretch(fd: number, from: number): { lengths: number[]; isLast: boolean } {
    const chunker = this.#chunker
    const { buffer } = chunker
    const lengths: number[] = []
    let [start, end] = [0, 0]
    // a full buffer holds a cut, because it is longer than the longest chunk
    while (start < bytesOfStretch && end < buffer.length) {
      const read = readSync(fd, buffer, end, Math.min(pieceOfStretch, buffer.length - end), from + end)
      if (read === 0) {
        if (start < end) lengths.push(end - start)
        return { lengths, isLast: true }
      }
      let examined = end - start
      end += read
      for (;;) {
        const length = chunker.findCut(start, end, examined)
        if (length === undefined) break
        lengths.push(length)
        start += length
        examined = 0
      }
    }
    return { lengths, isLast: false }
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

/** @throws what is not about this file. */
function failed(thrown: unknown): FileOutcome {
  if (thrown instanceof AppError) throw thrown
  return { status: 'failed', code: systemCode(thrown) ?? 'EIO', message: textOf(thrown), content: [], size: 0 }
}
