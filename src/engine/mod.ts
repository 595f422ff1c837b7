/**
 * A restic repository (format version 2), whole: made, written, read, checked, copied and restored. It knows names and
 * bytes, blobs and trees, snapshots and locks, and must never know of projects, vaults or the catalog.
 *
 * Its words are restic's: pack, blob, tree, index, snapshot, key, lock.
 */
export { archive, type ArchiveProgress, type ArchiveRequest, type ArchiveResult } from './archive/archive.ts'
export type {
  Content,
  ContentPart,
  EntryKind,
  FilePart,
  FolderPart,
  FolderReader,
  Part,
  RemoteEntry,
  RemoteFilePart,
  RemoteFolderPart,
  StreamContent,
} from './archive/entry.ts'
export type { ArchiveFinding } from './archive/findings.ts'
export type { Artifact } from './archive/read-files.ts'
export type { MemoryPlace } from './archive/recall-folders.ts'
export type { Backend, FileRef } from './backend/backend.ts'
export { createLocal, openLocal } from './backend/local/local.ts'
export { cached, type CachedBackend } from './backend/cached.ts'
export { createRestOverSsh, openRestOverSsh, type RestOverSshOptions } from './backend/rest/over-ssh.ts'
export { createRest, openRest, type RestOptions } from './backend/rest/rest.ts'
export type { ObjectLock, S3Options } from './backend/s3/options.ts'
export type { S3Backend } from './backend/s3/s3-backend.ts'
export { createS3, openS3 } from './backend/s3/s3.ts'
export type { S3Usage } from './backend/s3/versions.ts'
export { limited, type Limits } from './backend/limited.ts'
export { retrying, type RetryOptions } from './backend/retrying.ts'
export { createSftp, openSftp, type SftpPlace } from './backend/sftp/sftp.ts'
export { probeLocal, spaceOfLocal } from './backend/local/probe.ts'
export type { PlaceSpace, Probe } from './backend/probe.ts'
export { probeRest, probeRestOverSsh } from './backend/rest/probe.ts'
export { probeS3 } from './backend/s3/probe.ts'
export { probeSftp, spaceOfSftp } from './backend/sftp/probe.ts'
export { measureFiles, type PlaceUsage } from './backend/usage.ts'
export { quoteName } from './format/name.ts'
export { type Snapshot } from './format/snapshot.ts'
export { decodeTree, type TreeNode } from './format/tree-node.ts'
export { parseTime } from './format/time.ts'
export { check, type CheckOptions, type CheckProgress, type CheckResult } from './maintain/check.ts'
export { copySnapshots, type CopyProgress } from './maintain/copy.ts'
export { planCopy } from './maintain/plan-copy.ts'
export { findNeededPacks, type KeptSnapshot } from './maintain/needed-packs.ts'
export { createRepository, openRepository, type Repository } from './repository/repository.ts'
export type { StoredSnapshot } from './repository/snapshots.ts'
export { planRestore } from './restore/plan-restore.ts'
export type { ExistingPolicy, PlannedChange, RestoreRequest } from './restore/request.ts'
export type { RestorePlan } from './restore/restore-plan.ts'
export { performRestore, type RestoreProgress, type RestoreResult } from './restore/restore.ts'
