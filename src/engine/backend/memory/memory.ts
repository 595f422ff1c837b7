import { backendError } from '../errors.ts'
import { checkRequest, describeFile, rangeWithin } from '../file-ref.ts'
import type { Backend, ByteRange, FileRef, FileStat, FileType } from '../backend.ts'

/** Small enough that most files come in several pieces. */
const pieceSize = 65_536

/** A repository's files in memory: for tests, and for what must leave no trace. Nothing survives the process. */
export class MemoryBackend implements Backend {
  readonly place: string
  readonly connections = 8
  readonly #files = new Map<string, FileStat & { readonly body: Uint8Array }>()

  constructor(place = 'memory') {
    this.place = place
  }

  /** Another backend with the same files; what is saved or removed in one does not show in the other. */
  clone(place = this.place): MemoryBackend {
    const other = new MemoryBackend(place)
    for (const [key, file] of this.#files) other.#files.set(key, file)
    return other
  }

  /** Puts other bytes in the place of a file, as a failing disk or an attacker would; no repository ever does this. */
  overwrite(ref: FileRef, body: Uint8Array): void {
    this.#files.set(keyOf(ref), { ...ref, size: body.length, body: Uint8Array.from(body) })
  }

  async save(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref)
    if (this.#files.has(keyOf(ref))) {
      throw backendError('backend.conflict', { file: describeFile(ref), place: this.place })
    }
    this.overwrite(ref, body)
  }

  async *load(ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref, range)
    const file = this.#files.get(keyOf(ref))
    if (file === undefined) throw backendError('backend.missing', { file: describeFile(ref), place: this.place })
    const { start, end } = rangeWithin(this.place, ref, file.size, range)
    for (let at = start; at < end; at += pieceSize) {
      signal?.throwIfAborted()
      yield file.body.slice(at, Math.min(at + pieceSize, end))
    }
  }

  async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<FileStat, void, void> {
    signal?.throwIfAborted()
    for (const file of Array.from(this.#files.values())) {
      signal?.throwIfAborted()
      if (file.type === type) yield { type, name: file.name, size: file.size }
    }
  }

  async remove(ref: FileRef, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    checkRequest(this.place, ref)
    if (!this.#files.delete(keyOf(ref))) {
      throw backendError('backend.missing', { file: describeFile(ref), place: this.place })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function keyOf(ref: FileRef): string {
  return `${ref.type}/${ref.name}`
}
