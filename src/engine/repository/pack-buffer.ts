import { maximumChunk } from '../chunker/chunker.ts'
import type { Sealer } from '../crypto/seal.ts'
import { sealOverhead } from '../crypto/seal.ts'
import { sha256Hex } from '../crypto/hash.ts'
import type { IndexedBlob } from '../format/index-file.ts'
import { encodePackHeader } from '../format/pack-header.ts'
import type { BlobType } from './blob-index.ts'

/** A pack is closed when its blobs take this many bytes: restic's default target. */
export const packTarget = 16 * 1024 * 1024
/** Keeps the header small beside the blobs, however small they are. */
const mostBlobs = 40_000
const headerEntry = 41
const headerRoom = mostBlobs * headerEntry + sealOverhead + 4
/** Room for the blob that makes the pack full, so that nothing is copied then; memory is taken as it is written to. */
const capacity = packTarget + maximumChunk + sealOverhead + headerRoom

/** One pack as it is written: its name and what an index says of it. */
export interface FinishedPack {
  /** Hex SHA-256 of the whole file. */
  readonly id: string
  readonly blobs: readonly IndexedBlob[]
  /**
   * The whole file; a view on a larger buffer, which is used again. It is shared, so that it goes from thread to thread
   * without being counted as new memory each time, which would have V8 look for garbage that is not there.
   */
  readonly bytes: Uint8Array<SharedArrayBuffer>
}

/**
 * The blob area of a pack that is being filled, all of one type.
 *
 * Source: restic-format "Pack files": sealed blobs, sealed header, length of the header as uint32 LE.
 */
export class PackBuffer {
  readonly type: BlobType
  readonly blobs: IndexedBlob[] = []
  #bytes: Uint8Array<SharedArrayBuffer>
  #length = 0

  /** @param buffer - memory to use again, from `recycled` of an earlier pack. */
  constructor(type: BlobType, buffer?: SharedArrayBuffer) {
    this.type = type
    this.#bytes = new Uint8Array(buffer ?? new SharedArrayBuffer(capacity))
  }

  /** Goes on with what another one held; `bytes`, its `content`, has to begin its buffer, which is taken over. */
  static from(held: {
    readonly type: BlobType
    readonly blobs: readonly IndexedBlob[]
    readonly bytes: Uint8Array<SharedArrayBuffer>
  }): PackBuffer {
    const pack = new PackBuffer(held.type, held.bytes.buffer)
    for (const blob of held.blobs) pack.blobs.push(blob)
    pack.#length = held.bytes.length
    return pack
  }

  /** Bytes of the blobs so far. */
  get length(): number {
    return this.#length
  }

  get isFull(): boolean {
    return this.#length >= packTarget || this.blobs.length >= mostBlobs
  }

  /** Seals `payload` into the pack. @param uncompressedLength - 0 when `payload` is the plain blob itself. */
  seal(sealer: Sealer, id: string, payload: Uint8Array, uncompressedLength: number): void {
    this.#makeRoom(payload.length + sealOverhead)
    const length = sealer.sealInto(payload, this.#bytes, this.#length)
    this.blobs.push({ id, type: this.type, offset: this.#length, length, uncompressedLength })
    this.#length += length
  }

  /** Whether so many bytes of blobs can be appended without taking other memory. */
  fits(more: number): boolean {
    return this.#length + more + headerRoom <= this.#bytes.length
  }

  /** Takes over what another one holds. */
  append(blobs: readonly IndexedBlob[], bytes: Uint8Array): void {
    this.#makeRoom(bytes.length)
    this.#bytes.set(bytes, this.#length)
    for (const blob of blobs) this.blobs.push({ ...blob, offset: blob.offset + this.#length })
    this.#length += bytes.length
  }

  /** The blob area alone, without a header. */
  content(): Uint8Array<SharedArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Adds the header and names the pack. The buffer belongs to the result. */
  finish(sealer: Sealer): FinishedPack {
    const header = encodePackHeader(this.blobs)
    this.#makeRoom(header.length + sealOverhead + 4)
    const sealed = sealer.sealInto(header, this.#bytes, this.#length)
    const end = this.#length + sealed
    new DataView(this.#bytes.buffer).setUint32(end, sealed, true)
    const bytes = this.#bytes.subarray(0, end + 4)
    return { id: sha256Hex(bytes), blobs: this.blobs, bytes }
  }

  #makeRoom(more: number): void {
    const needed = this.#length + more
    if (needed + headerRoom <= this.#bytes.length) return
    if (needed <= this.#bytes.length && this.isFull) return
    const larger = new Uint8Array(new SharedArrayBuffer(needed + headerRoom))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}
