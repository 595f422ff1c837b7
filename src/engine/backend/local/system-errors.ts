import { systemCode, textOf, type AppError } from '#base'
import { backendError } from '../errors.ts'

export type Verb = 'save' | 'load' | 'list' | 'remove' | 'create'

/** The error of the system in words of ours; its short code stays in the text, because people search for it. */
export function translate(thrown: unknown, place: string, verb: Verb, file: string): AppError {
  const code = systemCode(thrown)
  switch (code) {
    case 'EEXIST':
      return backendError('backend.conflict', { file, place }, thrown)
    case 'ENOENT':
      return verb === 'load' || verb === 'remove'
        ? backendError('backend.missing', { file, place }, thrown)
        : backendError('backend.place-missing', { place }, thrown)
    case 'ENOTDIR':
      return backendError('backend.place-missing', { place }, thrown)
    case 'ENOSPC':
    case 'EDQUOT':
      return backendError('backend.full', { file, place }, thrown)
    case 'EACCES':
    case 'EPERM':
      return backendError('backend.denied', { place, verb, file, reason: `permission denied (${code})` }, thrown)
    case 'EROFS':
      return backendError('backend.denied', { place, verb, file, reason: 'read-only file system (EROFS)' }, thrown)
    default:
      return backendError('backend.unavailable', { place, verb, file, reason: textOf(thrown) }, thrown)
  }
}
