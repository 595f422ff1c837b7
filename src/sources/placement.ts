import { relativeTo, type RawPath } from './raw-path.ts'

/** The parts of a snapshot, as a person sees them. */
export const snapshotFolders = { files: 'files', config: 'config', git: 'git' } as const

/** Where in the snapshot something lies that is not below the project's folder: `/mnt/disk2` is `files/+mnt/disk2`. */
export function placeOutside(absolute: RawPath): RawPath {
  return `${snapshotFolders.files}/+${absolute.slice(1)}`
}

/** Where in the snapshot a file or folder of the project lies, by its absolute path. */
export function placeOf(project: RawPath, absolute: RawPath): RawPath {
  if (absolute === project) return snapshotFolders.files
  const inside = relativeTo(project, absolute)
  return inside === undefined ? placeOutside(absolute) : `${snapshotFolders.files}/${inside}`
}

/**
 * Where something of the snapshot belongs on the project's machine: the reverse of `placeOf`, and the same for what
 * lies in `config/`.
 *
 * @returns an absolute path; undefined for what has no place of its own (dumps, bundles, the manifest).
 */
export function homeOf(project: RawPath, place: RawPath): RawPath | undefined {
  const [folder = '', first = ''] = place.split('/', 2)
  if (folder !== snapshotFolders.files && folder !== snapshotFolders.config) return undefined
  const rest = place.slice(folder.length + 1)
  if (folder === snapshotFolders.files && first.startsWith('+')) return `/${rest.slice(1)}`
  return rest === '' ? project : `${project.replace(/\/$/, '')}/${rest}`
}
