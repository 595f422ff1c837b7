import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'

import type { Purpose, S3Connection } from './connection.ts'
import { lockMissing } from './retention.ts'
import { answerOf } from './translate.ts'

/** What is below a prefix now: what is read when no version is named. */
export async function* listCurrent(
  connection: S3Connection,
  prefix: string,
  purpose: Purpose,
  signal?: AbortSignal,
): AsyncGenerator<{ readonly key: string; readonly size: number }, void, void> {
  const { bucket, pageSize } = connection
  let token: string | undefined
  do {
    const request = { Bucket: bucket, Prefix: prefix, MaxKeys: pageSize, ContinuationToken: token }
    const page: ListObjectsV2CommandOutput = await connection.ask(
      purpose,
      (s3, abortSignal) => s3.listObjectsV2(request, { abortSignal }),
      signal,
    )
    for (const { Key = '', Size = 0 } of page.Contents ?? []) yield { key: Key, size: Size }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined
  } while (token !== undefined)
}

/** `Never`, `Enabled` or `Suspended`; undefined when these keys may not ask. */
export async function findVersioning(connection: S3Connection, signal?: AbortSignal): Promise<string | undefined> {
  return await connection.ask(
    { verb: 'open', file: 'the bucket' },
    async (s3, abortSignal) => {
      try {
        return (await s3.getBucketVersioning({ Bucket: connection.bucket }, { abortSignal })).Status ?? 'Never'
      } catch (thrown) {
        const answer = answerOf(thrown)
        if (answer?.name === 'AccessDenied') return undefined
        if (answer?.name === 'NotImplemented') return 'Never'
        throw thrown
      }
    },
    signal,
  )
}

/** @throws `backend.lock-missing` when the bucket says that it was made without. */
export async function requireObjectLock(connection: S3Connection, signal?: AbortSignal): Promise<void> {
  const hasLock = await connection.ask(
    { verb: 'open', file: 'the bucket' },
    async (s3, abortSignal) => {
      try {
        const found = await s3.getObjectLockConfiguration({ Bucket: connection.bucket }, { abortSignal })
        return found.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled'
      } catch (thrown) {
        const { name } = answerOf(thrown) ?? {}
        if (name === 'AccessDenied') return true // because the lock of the first file is read back anyhow
        if (name === 'ObjectLockConfigurationNotFoundError' || name === 'NotImplemented') return false
        throw thrown
      }
    },
    signal,
  )
  if (!hasLock) throw lockMissing(connection, 'the bucket', 'it was made without Object Lock')
}
