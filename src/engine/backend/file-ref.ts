import { backendError } from './errors.ts'
import type { ByteRange, FileRef } from './backend.ts'

/** Whether `name` can be the name of a file of a repository (all but `config`): 64 lower-case hex digits. */
export function isFileName(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name)
}

/** A file for messages: `pack 0123456789`, short enough to read and long enough to find. */
export function describeFile(ref: FileRef): string {
  return ref.type === 'config' ? 'the config' : `${ref.type} ${ref.name.slice(0, 10)}`
}

/**
 * Names come from files that somebody else may have written, and a backend makes paths of them.
 *
 * @throws `backend.request-invalid` for a name that is not one, or a range that is not one.
 */
export function checkRequest(place: string, ref: FileRef, range?: ByteRange): void {
  if (ref.type === 'config' ? ref.name !== '' : !isFileName(ref.name)) {
    throw backendError('backend.request-invalid', { what: `a ${ref.type} named ${JSON.stringify(ref.name)}`, place })
  }
  if (range === undefined) return
  const { start, end } = range
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start) {
    throw backendError('backend.request-invalid', { what: `the bytes ${start} to ${end} of a file`, place })
  }
}

/** The bytes to read from a file of `size` bytes. @throws `backend.damaged` when the file ends before `range` does. */
export function rangeWithin(place: string, ref: FileRef, size: number, range?: ByteRange): ByteRange {
  if (range === undefined) return { start: 0, end: size }
  if (range.end <= size) return range
  const reason = `it ends at byte ${size}, and the bytes up to ${range.end} were asked for`
  throw backendError('backend.damaged', { file: describeFile(ref), place, reason })
}
