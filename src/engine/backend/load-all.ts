import { backendError } from './errors.ts'
import { describeFile } from './file-ref.ts'
import type { Backend, ByteRange, FileRef } from './backend.ts'

/** Bytes: far above any file of a repository, and still an array that can be made. */
const largestFile = 2 ** 31

/**
 * Loads a file, or the part of it in `range`, into one array of its own. Memory: the bytes asked for, once or twice.
 *
 * @throws as {@link Backend.load}; `backend.damaged` also when the backend breaks its promise and gives other bytes
 * than were asked for.
 */
export async function loadAll(
  backend: Backend,
  ref: FileRef,
  range?: ByteRange,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of backend.load(ref, range, signal)) {
    parts.push(part)
    size += part.length
    if (size > largestFile) {
      const reason = `it is larger than ${largestFile} bytes, as no file of a repository is`
      throw backendError('backend.damaged', { file: describeFile(ref), place: backend.place, reason })
    }
  }
  if (range !== undefined && size !== range.end - range.start) {
    const reason = `${size} bytes came where ${range.end - range.start} were asked for`
    throw backendError('backend.damaged', { file: describeFile(ref), place: backend.place, reason })
  }
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts, size)
}

/**
 * Loads the part of a file in `range` into `target`, which is as long as it.
 *
 * @throws as {@link loadAll}.
 */
export async function loadInto(
  backend: Backend,
  ref: FileRef,
  range: ByteRange,
  target: Uint8Array,
  signal?: AbortSignal,
): Promise<void> {
  if (backend.loadInto) return await backend.loadInto(ref, range, target, signal)
  const damaged = (reason: string): Error =>
    backendError('backend.damaged', { file: describeFile(ref), place: backend.place, reason })
  let at = 0
  for await (const piece of backend.load(ref, range, signal)) {
    if (at + piece.length > target.length)
      throw damaged(`more bytes came than the ${target.length} that were asked for`)
    target.set(piece, at)
    at += piece.length
  }
  if (at < target.length) throw damaged(`${at} bytes came where ${target.length} were asked for`)
}
