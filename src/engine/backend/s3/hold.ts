import { AppError } from '#base'
import type { S3Connection } from './connection.ts'
import { lockMissing, saysUnlocked, type LockedFile } from './retention.ts'
import { translate } from './translate.ts'

/** Whether a legal hold keeps a version, whatever its retention says. */
export async function isHeld(
  connection: S3Connection,
  { key, version, file }: LockedFile,
  signal?: AbortSignal,
): Promise<boolean> {
  const request = { Bucket: connection.bucket, Key: key, VersionId: version }
  return await connection.ask(
    { verb: 'lock', file },
    async (s3, abortSignal) => {
      try {
        return (await s3.getObjectLegalHold(request, { abortSignal })).LegalHold?.Status === 'ON'
      } catch (thrown) {
        if (saysUnlocked(thrown)) return false
        throw thrown
      }
    },
    signal,
  )
}

/**
 * Puts a legal hold on a version or lifts it, and reads back whether it is so.
 *
 * @returns whether anything had to be changed.
 * @throws `backend.lock-missing` when it cannot be had.
 */
export async function ensureHold(
  connection: S3Connection,
  target: LockedFile,
  wanted: boolean,
  signal?: AbortSignal,
): Promise<boolean> {
  if ((await isHeld(connection, target, signal)) === wanted) return false
  await putHold(connection, target, wanted, signal)
  if ((await isHeld(connection, target, signal)) === wanted) return true
  const reason = `the server ${wanted ? 'keeps no' : 'does not lift the'} legal hold, whatever is asked of it`
  throw lockMissing(connection, target.file, reason)
}

async function putHold(
  connection: S3Connection,
  { key, version, file }: LockedFile,
  wanted: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const LegalHold = { Status: wanted ? 'ON' : 'OFF' } as const
  const request = { Bucket: connection.bucket, Key: key, VersionId: version, LegalHold }
  const purpose = { verb: 'lock', file } as const
  await connection.ask(
    purpose,
    async (s3, abortSignal) => {
      try {
        await s3.putObjectLegalHold(request, { abortSignal })
      } catch (thrown) {
        const error = thrown instanceof AppError ? thrown : translate(thrown, connection.subject(purpose))
        if (error.kind !== 'denied') throw thrown
        throw lockMissing(connection, file, String(error.facts['reason']), error)
      }
    },
    signal,
  )
}
