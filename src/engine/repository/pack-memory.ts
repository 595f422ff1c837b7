import { loadInto } from '../backend/load-all.ts'
import { describeFile } from '../backend/file-ref.ts'
import { backendError } from '../backend/errors.ts'
import type { Backend, ByteRange, FileRef } from '../backend/backend.ts'

/** Memory is taken in steps of this size, so that packs of about one size can use it in turns. */
const step = 4 * 1024 * 1024
/** Larger memory than this is not kept: a repository has few packs that need it. */
const largestKept = 32 * 1024 * 1024
const mostKept = 8
/** Bytes; beyond it a file is none that any program writes as a pack. */
const largestPack = 2 ** 31

/** Reads packs, or parts of them, into memory that is used again and that other threads see too. */
export class PackMemory {
  readonly #free: SharedArrayBuffer[] = []

  /** @throws what the backend throws; `backend.damaged` also when it gives other bytes than were asked for. */
  async load(
    backend: Backend,
    ref: FileRef,
    range: ByteRange,
    signal?: AbortSignal,
  ): Promise<Uint8Array<SharedArrayBuffer>> {
    const size = range.end - range.start
    if (size > largestPack) {
      const reason = `it has ${size} bytes, more than any pack`
      throw backendError('backend.damaged', { file: describeFile(ref), place: backend.place, reason })
    }
    const bytes = new Uint8Array(this.#take(size), 0, size)
    await loadInto(backend, ref, range, bytes, signal)
    return bytes
  }

  giveBack(buffer: SharedArrayBuffer): void {
    if (this.#free.length < mostKept && buffer.byteLength <= largestKept) this.#free.push(buffer)
  }

  #take(size: number): SharedArrayBuffer {
    const fitting = this.#free.findIndex((buffer) => buffer.byteLength >= size)
    if (fitting >= 0) return this.#free.splice(fitting, 1)[0]!
    return new SharedArrayBuffer(Math.max(step, Math.ceil(size / step) * step))
  }
}
