import { zstdCompressSync } from 'node:zlib'

import { AppError, textOf } from '#base'
import { sha256Hex } from '../crypto/hash.ts'
import { Sealer, type MasterKey } from '../crypto/seal.ts'
import type { IndexedBlob } from '../format/index-file.ts'
import type { BlobType } from '../repository/blob-index.ts'
import {
  BlobDamage,
  BlobMemory,
  decompress,
  largestBlob,
  plainLengthOf,
  unsealWithin,
} from '../repository/open-blob.ts'
import { PackBuffer, type FinishedPack } from '../repository/pack-buffer.ts'

export interface ResealSetup {
  readonly fromKey: MasterKey
  readonly toKey: MasterKey
  /** Format of the target: version 1 knows no compression. */
  readonly toVersion: 1 | 2
  /** Takes a blob that was verified as it is sealed, because both repositories are the same one. */
  readonly keepsSeals: boolean
}

/** Sealed blobs that lie in one run of bytes. */
export interface SealedRun {
  readonly bytes: Uint8Array<SharedArrayBuffer>
  /** Where `bytes` begins in the pack that the blobs' offsets count in. */
  readonly start: number
  readonly blobs: readonly IndexedBlob[]
}

export interface BadBlob {
  readonly type: BlobType
  readonly id: string
  readonly text: string
}

/** The content of a pack that did not become full; `bytes` is a view on memory of its own. */
export interface Rest {
  readonly type: BlobType
  readonly blobs: readonly IndexedBlob[]
  readonly bytes: Uint8Array<SharedArrayBuffer>
}

/** Opens blobs of one repository, verifies them and seals them for another, or keeps their seals for the same one, into packs. */
export class Resealer {
  readonly #from: Sealer
  readonly #to: Sealer
  readonly #toVersion: 1 | 2
  readonly #keepsSeals: boolean
  readonly #memory = new BlobMemory()
  readonly #recycled: SharedArrayBuffer[] = []
  #open: { data?: PackBuffer; tree?: PackBuffer } = {}
  #full: FinishedPack[] = []

  constructor({ fromKey, toKey, toVersion, keepsSeals }: ResealSetup) {
    this.#from = new Sealer(fromKey)
    this.#to = new Sealer(toKey)
    this.#toVersion = toVersion
    this.#keepsSeals = keepsSeals
  }

  /** Memory of packs that have been saved, to use again. */
  recycle(buffers: readonly SharedArrayBuffer[]): void {
    this.#recycled.push(...buffers)
  }

  /** @returns those that are not what their ids say; nothing of them was taken. */
  take({ bytes, start, blobs }: SealedRun): BadBlob[] {
    const bad: BadBlob[] = []
    for (const blob of blobs) {
      const { type, id, offset, length, uncompressedLength } = blob
      try {
        if (plainLengthOf(blob) > largestBlob[type]) throw new BlobDamage('it is larger than any blob')
        const sealed = bytes.subarray(offset - start, offset - start + length)
        const payload = unsealWithin(this.#from, sealed, this.#memory)
        const plain = uncompressedLength === 0 ? payload : decompress(payload, uncompressedLength, this.#memory)
        if (plain.length !== (uncompressedLength || payload.length)) throw new BlobDamage('its length is wrong')
        if (sha256Hex(plain) !== id) throw new BlobDamage('its bytes do not hash to its id')
        // trees that are not compressed are worth it, and data was found not to be when it was stored
        const isAsItShouldBe = uncompressedLength > 0 || type === 'data' || this.#toVersion === 1
        if (this.#keepsSeals && isAsItShouldBe) this.#take(blob, sealed)
        else if (uncompressedLength > 0 && this.#toVersion === 2) this.#pack(type, id, payload, uncompressedLength)
        else this.store(type, id, plain)
      } catch (thrown) {
        if (!(thrown instanceof BlobDamage) && !(thrown instanceof AppError)) throw thrown
        bad.push({ type, id, text: textOf(thrown) })
      }
    }
    return bad
  }

  /** Takes a plain blob that was verified. It is compressed where that is allowed and helps. */
  store(type: BlobType, id: string, plain: Uint8Array): void {
    const packed = this.#toVersion === 2 && plain.length > 0 ? zstdCompressSync(plain) : plain
    // because restic's prune packs raw trees again, whatever their size
    const isBetter = packed !== plain && (type === 'tree' || packed.length < plain.length)
    this.#pack(type, id, isBetter ? packed : plain, isBetter ? plain.length : 0)
  }

  /** The packs that became full since it was asked last. */
  takeFull(): FinishedPack[] {
    const full = this.#full
    this.#full = []
    return full
  }

  /** What is left in packs that did not become full. */
  takeRests(): Rest[] {
    const rests = Object.values(this.#open).map((rest) => ({
      type: rest.type,
      blobs: rest.blobs,
      bytes: rest.content(),
    }))
    this.#open = {}
    return rests
  }

  #pack(type: BlobType, id: string, payload: Uint8Array, uncompressedLength: number): void {
    const target = this.#targetOf(type)
    target.seal(this.#to, id, payload, uncompressedLength)
    this.#closeFull(target)
  }

  #take(blob: IndexedBlob, sealed: Uint8Array): void {
    const target = this.#targetOf(blob.type)
    target.append([{ ...blob, offset: 0 }], sealed)
    this.#closeFull(target)
  }

  #targetOf(type: BlobType): PackBuffer {
    return (this.#open[type] ??= new PackBuffer(type, this.#recycled.pop()))
  }

  #closeFull(target: PackBuffer): void {
    if (!target.isFull) return
    this.#full.push(target.finish(this.#to))
    delete this.#open[target.type]
  }
}
