/**
 * Snapshots: one small JSON document each.
 *
 * Source: restic-format §8.
 */
import * as json from './json.ts'

/** What a run did, as restic counts since 0.17. Times are RFC 3339. */
export interface SnapshotSummary {
  readonly backupStart: string
  readonly backupEnd: string
  readonly filesNew: number
  readonly filesChanged: number
  readonly filesUnmodified: number
  readonly dirsNew: number
  readonly dirsChanged: number
  readonly dirsUnmodified: number
  readonly dataBlobs: number
  readonly treeBlobs: number
  /** Bytes of new blobs before they were sealed. */
  readonly dataAdded: number
  /** Bytes of new blobs as they are stored. */
  readonly dataAddedPacked: number
  readonly totalFilesProcessed: number
  readonly totalBytesProcessed: number
}

/** One backup. Ids are lower-case hex. */
export interface Snapshot {
  /** RFC 3339, with any zone. */
  readonly time: string
  /** The snapshot that unchanged files were compared with. */
  readonly parent?: string
  /** Id of the root's tree blob. */
  readonly tree: string
  /** Absolute, in the order they were given. */
  readonly paths: readonly string[]
  readonly hostname?: string
  readonly username?: string
  readonly uid?: number
  readonly gid?: number
  readonly excludes?: readonly string[]
  readonly tags?: readonly string[]
  /** The first version of this snapshot, when it was changed or copied. */
  readonly original?: string
  readonly programVersion?: string
  readonly summary?: SnapshotSummary
}

/** The document in restic's order of fields; those that are empty, zero or undefined are left out. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const { summary } = snapshot
  return json.encodeJson({
    time: snapshot.time,
    parent: snapshot.parent,
    tree: snapshot.tree,
    paths: snapshot.paths,
    hostname: snapshot.hostname || undefined,
    username: snapshot.username || undefined,
    uid: snapshot.uid || undefined,
    gid: snapshot.gid || undefined,
    excludes: snapshot.excludes?.length ? snapshot.excludes : undefined,
    tags: snapshot.tags?.length ? snapshot.tags : undefined,
    original: snapshot.original,
    program_version: snapshot.programVersion || undefined,
    summary: summary && {
      backup_start: summary.backupStart,
      backup_end: summary.backupEnd,
      files_new: summary.filesNew,
      files_changed: summary.filesChanged,
      files_unmodified: summary.filesUnmodified,
      dirs_new: summary.dirsNew,
      dirs_changed: summary.dirsChanged,
      dirs_unmodified: summary.dirsUnmodified,
      data_blobs: summary.dataBlobs,
      tree_blobs: summary.treeBlobs,
      data_added: summary.dataAdded,
      data_added_packed: summary.dataAddedPacked,
      total_files_processed: summary.totalFilesProcessed,
      total_bytes_processed: summary.totalBytesProcessed,
    },
  })
}

const what = 'snapshot'

/** @throws `format.damaged` when it has no tree or no time with a zone, or a field is not what it must be. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot {
  const fields = json.parseObject(bytes, what)
  const parent = json.asIdOrNone(fields['parent'], what)
  const original = json.asIdOrNone(fields['original'], what)
  const hostname = json.asText(fields['hostname'], what)
  const username = json.asText(fields['username'], what)
  const uid = json.asCount(fields['uid'], what, json.maximumUint32)
  const gid = json.asCount(fields['gid'], what, json.maximumUint32)
  const excludes = json.asTexts(fields['excludes'], what)
  const tags = json.asTexts(fields['tags'], what)
  const programVersion = json.asText(fields['program_version'], what)
  const summary = decodeSummary(fields['summary'])
  return {
    time: json.asTime(fields['time'], what),
    ...(parent && { parent }),
    tree: json.asId(fields['tree'], what),
    paths: json.asTexts(fields['paths'], what),
    ...(hostname && { hostname }),
    ...(username && { username }),
    ...(uid && { uid }),
    ...(gid && { gid }),
    ...(excludes.length > 0 && { excludes }),
    ...(tags.length > 0 && { tags }),
    ...(original && { original }),
    ...(programVersion && { programVersion }),
    ...(summary && { summary }),
  }
}

function decodeSummary(value: unknown): SnapshotSummary | undefined {
  if (value === undefined || value === null) return undefined
  const fields = json.asObject(value, what)
  const count = (name: string): number => json.asCount(fields[name], what)
  return {
    backupStart: json.asTime(fields['backup_start'], what),
    backupEnd: json.asTime(fields['backup_end'], what),
    filesNew: count('files_new'),
    filesChanged: count('files_changed'),
    filesUnmodified: count('files_unmodified'),
    dirsNew: count('dirs_new'),
    dirsChanged: count('dirs_changed'),
    dirsUnmodified: count('dirs_unmodified'),
    dataBlobs: count('data_blobs'),
    treeBlobs: count('tree_blobs'),
    dataAdded: count('data_added'),
    dataAddedPacked: count('data_added_packed'),
    totalFilesProcessed: count('total_files_processed'),
    totalBytesProcessed: count('total_bytes_processed'),
  }
}
