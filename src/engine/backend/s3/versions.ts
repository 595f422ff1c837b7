import type { ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3'

import type { S3Connection, Purpose } from './connection.ts'

/** One version of one file. */
export interface Version {
  readonly key: string
  readonly id: string
  readonly size: number
  /** Whether it is what is read when no version is named. */
  readonly isCurrent: boolean
  /** It has no bytes: it says that the file was removed. */
  readonly isMarker: boolean
}

/** How much of a bucket a repository takes. Versions are paid for like files. */
export interface S3Usage {
  readonly currentFiles: number
  /** Bytes. */
  readonly currentBytes: number
  readonly olderVersions: number
  /** Bytes. */
  readonly olderBytes: number
  readonly deleteMarkers: number
}

/** The versions below a prefix: those of one key stand together, newest first; its markers may stand elsewhere. */
export async function* listVersions(
  connection: S3Connection,
  prefix: string,
  purpose: Purpose,
  signal?: AbortSignal,
): AsyncGenerator<Version, void, void> {
  const { bucket, pageSize } = connection
  let next: { KeyMarker?: string; VersionIdMarker?: string } | undefined = {}
  while (next !== undefined) {
    const request = { Bucket: bucket, Prefix: prefix, MaxKeys: pageSize, ...next }
    const page: ListObjectVersionsCommandOutput = await connection.ask(
      purpose,
      (s3, abortSignal) => s3.listObjectVersions(request, { abortSignal }),
      signal,
    )
    for (const found of page.Versions ?? []) yield { ...versionOf(found), size: found.Size ?? 0, isMarker: false }
    for (const found of page.DeleteMarkers ?? []) yield { ...versionOf(found), size: 0, isMarker: true }
    next = page.IsTruncated === true ? nextOf(page) : undefined
  }
}

/** The versions of one file, oldest first, markers last. */
export async function versionsOf(
  connection: S3Connection,
  key: string,
  purpose: Purpose,
  signal?: AbortSignal,
): Promise<Version[]> {
  const found: Version[] = []
  for await (const version of listVersions(connection, key, purpose, signal)) {
    if (version.key === key) found.push(version)
  }
  const oldestFirst = found.toReversed()
  return [...oldestFirst.filter(({ isMarker }) => !isMarker), ...oldestFirst.filter(({ isMarker }) => isMarker)]
}

/** The oldest version of each file below a prefix. */
export async function* listOldest(
  connection: S3Connection,
  prefix: string,
  purpose: Purpose,
  signal?: AbortSignal,
): AsyncGenerator<Version, void, void> {
  let oldest: Version | undefined
  for await (const version of listVersions(connection, prefix, purpose, signal)) {
    if (version.isMarker) continue
    if (oldest !== undefined && oldest.key !== version.key) yield oldest
    oldest = version
  }
  if (oldest !== undefined) yield oldest
}

/** Counts everything below the folder of the repository, other people's files among it. */
export async function measureUsage(connection: S3Connection, signal?: AbortSignal): Promise<S3Usage> {
  const usage = { currentFiles: 0, currentBytes: 0, olderVersions: 0, olderBytes: 0, deleteMarkers: 0 }
  const purpose = { verb: 'list', file: 'the versions of its files' } as const
  for await (const { isMarker, isCurrent, size } of listVersions(connection, connection.folder, purpose, signal)) {
    if (isMarker) usage.deleteMarkers++
    else if (isCurrent) {
      usage.currentFiles++
      usage.currentBytes += size
    } else {
      usage.olderVersions++
      usage.olderBytes += size
    }
  }
  return usage
}

interface FoundVersion {
  readonly Key?: string | undefined
  readonly VersionId?: string | undefined
  readonly IsLatest?: boolean | undefined
}

function versionOf({
  Key = '',
  VersionId = 'null',
  IsLatest = false,
}: FoundVersion): Omit<Version, 'size' | 'isMarker'> {
  return { key: Key, id: VersionId, isCurrent: IsLatest }
}

function nextOf(page: { NextKeyMarker?: string | undefined; NextVersionIdMarker?: string | undefined }):
  | {
      KeyMarker?: string
      VersionIdMarker?: string
    }
  | undefined {
  const { NextKeyMarker: key, NextVersionIdMarker: id } = page
  if (key === undefined) return undefined
  return { KeyMarker: key, ...(id !== undefined && { VersionIdMarker: id }) }
}
