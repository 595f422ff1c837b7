import { systemCode, textOf } from '#base'

/** Something that is not in the snapshot as it should be; a value, not an error. */
export interface ArchiveFinding {
  /** Where in the snapshot, for people: bytes that are not UTF-8 are shown as `\xHH`. */
  readonly path: string
  /**
   * `vanished` after it was listed; `unreadable`; `changed` while it was read; `left-out` because it has no content (a
   * socket); `parent-damaged`: the parent snapshot could not be read here, so everything was read anew; `index-damaged`: an
   * index file of the repository cannot be read, which `path` says instead.
   */
  readonly code: 'vanished' | 'unreadable' | 'changed' | 'left-out' | 'parent-damaged' | 'index-damaged'
  readonly text: string
}

/** True when what was thrown says that the system refused one entry; anything else ends the backup. */
export function isAboutEntry(thrown: unknown): boolean {
  return thrown instanceof Error && 'syscall' in thrown && systemCode(thrown) !== undefined
}

/** What a failed system call, or a failed stream, means for the entry at `path`. */
export function findingOf(path: string, thrown: unknown): ArchiveFinding {
  const code = systemCode(thrown)
  if (code === 'ENOENT' || code === 'ESTALE') return { path, code: 'vanished', text: 'vanished while it was backed up' }
  if (code === 'EACCES' || code === 'EPERM') return { path, code: 'unreadable', text: 'may not be read by this user' }
  if (code === 'ELOOP') return { path, code: 'changed', text: 'became a link while it was backed up' }
  return { path, code: 'unreadable', text: `could not be read: ${textOf(thrown)}` }
}
