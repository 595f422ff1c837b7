import type { FileRef } from './backend.ts'

/**
 * Where the files of a repository lie below its folder, for every backend that has paths:
 *
 *     config
 *     keys/<id>   snapshots/<id>   index/<id>   locks/<id>
 *     data/<first two hex digits of id>/<id>
 *
 * Source: restic design document, "Repository Layout".
 */
export const folders = { key: 'keys', lock: 'locks', snapshot: 'snapshots', index: 'index', pack: 'data' } as const

/** The 256 names of the folders in `data`. */
export const packFolders: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
)

/** The folder of a file, relative to the repository's; '' is the repository's folder itself. */
export function folderOf(ref: FileRef): string {
  if (ref.type === 'config') return ''
  return ref.type === 'pack' ? `data/${ref.name.slice(0, 2)}` : folders[ref.type]
}

/** The name of a file inside its folder. */
export function baseNameOf(ref: FileRef): string {
  return ref.type === 'config' ? 'config' : ref.name
}
