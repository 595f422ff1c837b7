/**
 * Where the files of a repository lie in its folder, and what they are called.
 *
 *     config · keys/<id> · snapshots/<id> · index/<id> · locks/<id> · data/<first two digits of id>/<id>
 *
 * Source: restic-format §1.1.
 */

/** A file of a repository; `name` is 64 lower-case hex digits, '' for `config`. */
export interface NamedFile {
  readonly type: 'config' | 'key' | 'lock' | 'snapshot' | 'index' | 'pack'
  readonly name: string
}

const folderNames = { key: 'keys', lock: 'locks', snapshot: 'snapshots', index: 'index', pack: 'data' } as const

/** The folder, without a slash at its end, that holds files of this type or, for packs, the folders of them. */
export function folderOf(type: keyof typeof folderNames): string {
  return folderNames[type]
}

/** The path from the repository's folder, with `/` between its parts. */
export function pathOf({ type, name }: NamedFile): string {
  if (type === 'config') return 'config'
  return type === 'pack' ? `data/${name.slice(0, 2)}/${name}` : `${folderNames[type]}/${name}`
}

/** The 256 folders that hold packs: `data/00` to `data/ff`. */
export const dataFolders: readonly string[] = Array.from(
  { length: 256 },
  (_, first) => `data/${first.toString(16).padStart(2, '0')}`,
)

/** All folders of a repository, parents first. */
export const folders: readonly string[] = [...Object.values(folderNames), ...dataFolders]

/** Whether a name is that of a file of a repository; whatever else lies in its folders is nobody's business. */
export function isFileName(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name)
}
