/**
 * A restic repository (format version 2), whole: made, written, read, checked, copied and restored. It knows names and
 * bytes, blobs and trees, snapshots and locks, and must never know of projects, vaults or the catalog.
 *
 * Its words are restic's: pack, blob, tree, index, snapshot, key, lock.
 */
import { lazily } from '#base'

export type { ArchiveProgress, ArchiveRequest, ArchiveResult } from './archive/archive.ts'
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
export { StreamAhead } from './archive/stream-ahead.ts'
export type { Backend, FileRef } from './backend/backend.ts'
export { listNames } from './backend/list-names.ts'
export { listFolder } from './filesystem/list-names.ts'
export { createLocal, openLocal } from './backend/local/local.ts'
export { cached, type CachedBackend } from './backend/cached.ts'
export type { RestOverSshOptions } from './backend/rest/over-ssh.ts'
export type { RestOptions } from './backend/rest/rest.ts'
export type { ObjectLock, S3Options } from './backend/s3/options.ts'
export type { S3Backend } from './backend/s3/s3-backend.ts'
export type { S3Usage } from './backend/s3/versions.ts'
export { isUnavailable } from './backend/reopening.ts'
export { limited, type Limits } from './backend/limited.ts'
export { retrying, type RetryOptions } from './backend/retrying.ts'
export type { SftpPlace } from './backend/sftp/sftp.ts'
export { repositoriesInLocal } from './backend/local/find-repositories.ts'
export { spaceOfLocal } from './backend/local/probe.ts'
export type { PlaceSpace, Probe } from './backend/probe.ts'
export { measureFiles, type PlaceUsage } from './backend/usage.ts'
export { RunningHash } from './crypto/running-hash.ts'
export type { ExportTools } from './export/load-export.ts'
export type { TarEntry, TarHeader } from './export/tar.ts'
export type { TreeEntry, TreeRequest } from './export/read-tree.ts'
export { quoteName, unquoteName } from './format/name.ts'
export { type Snapshot } from './format/snapshot.ts'
export { decodeTree, type TreeNode } from './format/tree-node.ts'
export { parseTime } from './format/time.ts'
export type { CheckOptions, CheckProgress, CheckResult } from './maintain/check.ts'
export type { CopyProgress } from './maintain/copy.ts'
export type { Finding } from './maintain/finding.ts'
export type { ForgetResult, RefusedSnapshot } from './maintain/forget.ts'
export type { KeptSnapshot } from './maintain/needed-packs.ts'
export type {
  Amount,
  PlanPruneOptions,
  PruneOptions,
  PrunePlan,
  PruneProgress,
  PruneResult,
} from './maintain/prune-plan.ts'
export { createRepository, openRepository, type Repository } from './repository/repository.ts'
export type { StoredSnapshot } from './repository/snapshots.ts'
export type { ExistingPolicy, PlannedChange, RestoreRequest } from './restore/request.ts'
export type { RestorePlan } from './restore/restore-plan.ts'
export type { PerformOptions, RestoreProgress, RestoreResult } from './restore/restore.ts'
export type { RemovedPaths } from './restore/remove-paths.ts'
export type { StreamedFile } from './restore/stream-file.ts'

// What is large, and not used by every command, is loaded when it is first called.
export const archive = lazily(async () => (await import('./archive/archive.ts')).archive)
export const check = lazily(async () => (await import('./maintain/check.ts')).check)
export const copySnapshots = lazily(async () => (await import('./maintain/copy.ts')).copySnapshots)
export const createRest = lazily(async () => (await import('./backend/rest/rest.ts')).createRest)
export const createRestOverSsh = lazily(async () => (await import('./backend/rest/over-ssh.ts')).createRestOverSsh)
export const createS3 = lazily(async () => (await import('./backend/s3/s3.ts')).createS3)
export const createSftp = lazily(async () => (await import('./backend/sftp/sftp.ts')).createSftp)
export const findFile = lazily(async () => (await import('./restore/stream-file.ts')).findFile)
export const loadExport = lazily(async () => (await import('./export/load-export.ts')).loadExport)
export const findNeededPacks = lazily(async () => (await import('./maintain/needed-packs.ts')).findNeededPacks)
export const forgetSnapshots = lazily(async () => (await import('./maintain/forget.ts')).forgetSnapshots)
export const openRest = lazily(async () => (await import('./backend/rest/rest.ts')).openRest)
export const openRestOverSsh = lazily(async () => (await import('./backend/rest/over-ssh.ts')).openRestOverSsh)
export const openS3 = lazily(async () => (await import('./backend/s3/s3.ts')).openS3)
export const openSftp = lazily(async () => (await import('./backend/sftp/sftp.ts')).openSftp)
export const performRestore = lazily(async () => (await import('./restore/restore.ts')).performRestore)
export const planCopy = lazily(async () => (await import('./maintain/plan-copy.ts')).planCopy)
export const planPrune = lazily(async () => (await import('./maintain/plan-prune.ts')).planPrune)
export const planRestore = lazily(async () => (await import('./restore/plan-restore.ts')).planRestore)
export const probeLocal = lazily(async () => (await import('./backend/local/probe.ts')).probeLocal)
export const probeRest = lazily(async () => (await import('./backend/rest/probe.ts')).probeRest)
export const probeRestOverSsh = lazily(async () => (await import('./backend/rest/probe.ts')).probeRestOverSsh)
export const probeS3 = lazily(async () => (await import('./backend/s3/probe.ts')).probeS3)
export const probeSftp = lazily(async () => (await import('./backend/sftp/probe.ts')).probeSftp)
export const prune = lazily(async () => (await import('./maintain/prune.ts')).prune)
export const removeLeftBehind = lazily(async () => (await import('./restore/left-behind.ts')).removeLeftBehind)
export const removePaths = lazily(async () => (await import('./restore/remove-paths.ts')).removePaths)
export const repositoriesInSftp = lazily(async () => (await import('./backend/sftp/probe.ts')).repositoriesInSftp)
export const spaceOfSftp = lazily(async () => (await import('./backend/sftp/probe.ts')).spaceOfSftp)
