import { AppError, textOf } from '#base'
import type { Backend, FileRef } from '../backend/backend.ts'
import { describeFile } from '../backend/file-ref.ts'
import { loadAll } from '../backend/load-all.ts'
import { sha256Hex } from '../crypto/hash.ts'
import type { Sealer } from '../crypto/seal.ts'
import { packUnpacked, unpackUnpacked } from '../format/unpacked.ts'
import { repositoryError } from './errors.ts'

/** The small JSON files that stand alone, in no pack. */
export type UnpackedType = 'snapshot' | 'index' | 'lock'

/** Bytes of JSON, many times what a real one has: a small file that unpacks to more would fill the memory. */
const limits: Readonly<Record<UnpackedType, number>> = { lock: 2 ** 20, snapshot: 2 ** 26, index: 2 ** 28 }

/**
 * Saves and loads the unpacked files of one repository: sealed, compressed in version 2 of the format, and named by
 * the SHA-256 of the stored bytes.
 */
export class UnpackedFiles {
  readonly backend: Backend
  readonly #sealer: Sealer
  readonly #version: 1 | 2

  constructor(backend: Backend, sealer: Sealer, version: 1 | 2) {
    this.backend = backend
    this.#sealer = sealer
    this.#version = version
  }

  /**
   * Seals `json` and opens it again before anything is stored, so that a fault of memory or processor ends the run
   * instead of the backup.
   *
   * @throws `repository.verify-failed`.
   */
  seal(type: UnpackedType, json: Uint8Array): { readonly ref: FileRef; readonly bytes: Uint8Array } {
    const bytes = this.#sealer.seal(this.#version === 1 ? json : packUnpacked(json))
    let reason = 'other bytes came out'
    try {
      if (Buffer.compare(this.#open(type, bytes), json) === 0) return { ref: { type, name: sha256Hex(bytes) }, bytes }
    } catch (thrown) {
      reason = textOf(thrown)
    }
    throw repositoryError('repository.verify-failed', { file: type, place: this.backend.place, reason })
  }

  /** @returns the hex id of the file, which is durable by then. */
  async save(type: UnpackedType, json: Uint8Array, signal?: AbortSignal): Promise<string> {
    const { ref, bytes } = this.seal(type, json)
    await this.backend.save(ref, bytes, signal)
    return ref.name
  }

  /**
   * The JSON of a file. Bytes that do not hash to the file's name are read once more before they count as damaged.
   *
   * @throws `backend.missing`; `repository.file-damaged`.
   */
  async load(type: UnpackedType, id: string, signal?: AbortSignal): Promise<Uint8Array> {
    const ref: FileRef = { type, name: id }
    let bytes = await loadAll(this.backend, ref, undefined, signal)
    if (sha256Hex(bytes) !== id) {
      bytes = await loadAll(this.backend, ref, undefined, signal)
      if (sha256Hex(bytes) !== id) throw this.damaged(ref, 'its bytes do not hash to its name')
    }
    try {
      return this.#open(type, bytes)
    } catch (thrown) {
      throw this.damaged(ref, textOf(thrown), thrown)
    }
  }

  /** Loads a file and decodes it. @throws as {@link load}, also when `decode` throws `format.damaged`. */
  async read<T>(type: UnpackedType, id: string, decode: (json: Uint8Array) => T, signal?: AbortSignal): Promise<T> {
    const json = await this.load(type, id, signal)
    try {
      return decode(json)
    } catch (thrown) {
      if (!(thrown instanceof AppError)) throw thrown
      throw this.damaged({ type, name: id }, thrown.message, thrown)
    }
  }

  damaged(ref: FileRef, reason: string, cause?: unknown): AppError {
    const facts = { file: describeFile(ref), place: this.backend.place, reason }
    return repositoryError('repository.file-damaged', facts, cause)
  }

  #open(type: UnpackedType, bytes: Uint8Array): Uint8Array {
    return unpackUnpacked(this.#sealer.unseal(bytes), limits[type])
  }
}
