import { backendError } from '../backend/errors.ts'
import { describeFile } from '../backend/file-ref.ts'
import type { Backend, ByteRange, FileRef } from '../backend/backend.ts'

/** Memory is taken in steps of this size, so that packs of about one size can use it in turns. */
const step = 4 * 1024 * 1024
/** Larger memory than this is not kept: a repository has few packs that need it. */
const largestKept = 32 * 1024 * 1024
const mostKept = 8
/** Bytes; beyond it a file is none that any program writes as a pack. */
const largestPack = 2 ** 31

/** Reads packs, or parts of them, into memory that is used again and can be handed to another thread. */
export class PackMemory {
  readonly #free: ArrayBuffer[] = []

  /** @throws what the backend throws; `backend.damaged` also when it gives other bytes than were asked for. */
  async load(backend: Backend, ref: FileRef, range: ByteRange, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const size = range.end - range.start
    const damaged = (reason: string): Error =>
      backendError('backend.damaged', { file: describeFile(ref), place: backend.place, reason })
    if (size > largestPack) throw damaged(`it has ${size} bytes, more than any pack`)
    const bytes = new Uint8Array(this.#take(size), 0, size)
    let at = 0
    for await (const piece of backend.load(ref, range, signal)) {
      if (at + piece.length > size) throw damaged(`more bytes came than the ${size} that were asked for`)
      bytes.set(piece, at)
      at += piece.length
    }
    if (at < size) throw damaged(`${at} bytes came where ${size} were asked for`)
    return bytes
  }

  giveBack(buffer: ArrayBuffer): void {
    if (this.#free.length < mostKept && buffer.byteLength <= largestKept) this.#free.push(buffer)
  }

  #take(size: number): ArrayBuffer {
    const fitting = this.#free.findIndex((buffer) => buffer.byteLength >= size)
    if (fitting >= 0) return this.#free.splice(fitting, 1)[0]!
    return new ArrayBuffer(Math.max(step, Math.ceil(size / step) * step))
  }
}
