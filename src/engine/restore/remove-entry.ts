import type { Directory } from '../filesystem/directory.ts'

/**
 * Removes an entry with everything below it, and follows no link. Other file systems that are mounted below it are left
 * alone.
 */
export function removeEntry(directory: Directory, name: Uint8Array): void {
  const status = directory.findStatus(name)
  if (!status) return
  if (status.type !== 'dir') return directory.unlink(name)
  const child = directory.openChild(name)
  try {
    if (child.ownStatus().deviceId !== directory.ownStatus().deviceId) {
      throw new Error('another file system is mounted there')
    }
    for (const below of child.names()) removeEntry(child, below)
  } finally {
    child[Symbol.dispose]()
  }
  directory.removeDirectory(name)
}
