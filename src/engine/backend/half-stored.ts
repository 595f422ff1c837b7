import { backendError } from './errors.ts'
import type { FileRef } from './backend.ts'
import { describeFile } from './file-ref.ts'

/** The error of a save that broke off and whose name cannot be used any more. */
export function halfStored(place: string, ref: FileRef, cause?: unknown): Error {
  return backendError('backend.half-stored', { place, file: describeFile(ref) }, cause)
}
