import { AppError, randomHex, systemCode } from '#base'
import type { Path, SftpClient, SftpHandle } from '#remote'
import { unlessAborted } from '../unless-aborted.ts'

/** A temporary file may be swept away while its writer sleeps for a day; the writer then begins anew, so often. */
const attempts = 3

export interface NewFile {
  readonly path: Path
  readonly body: Uint8Array
  readonly mode: number
  /** Takes what still tidies up after the call has ended. */
  readonly keep: (work: Promise<unknown>) => void
}

/** Thrown when the server could not make the bytes of a file durable: the file is given up. */
export class SyncFailed extends Error {}

/** Thrown when the name of a file is taken. */
function taken(path: Path): Error {
  return Object.assign(new Error(`EEXIST: ${path}`), { code: 'EEXIST' })
}

/**
 * Writes a whole file that was not there before: temporary name → write → fsync, where the server can → final name. What
 * is durable of the name itself is the server's affair: SFTP has no way to fsync a folder.
 *
 * The final name is given by a hard link, which refuses a name that is taken; where the server makes none, by the rename
 * of SFTP, which must refuse it too (OpenSSH does so without a gap where the file system has hard links); where that is
 * forbidden, by `posix-rename` under a claim that only one writer can hold.
 *
 * Once the name is being given, an abort is not heeded any more: what then is thrown has left no file of that name, unless
 * the connection broke before the answer.
 *
 * @throws the system's error, `EEXIST` when the name is taken; {@link SyncFailed}; errors of the connection.
 */
export async function writeFile(sftp: SftpClient, file: NewFile, signal?: AbortSignal): Promise<void> {
  const { path } = file
  for (let attempt = 1; ; attempt++) {
    const temporary = `${path}-tmp-${randomHex(8)}`
    const writing = writeTemporary(sftp, temporary, file, signal)
    try {
      await unlessAborted(writing, signal)
    } catch (thrown) {
      // because an abort may come in the moment in which the file was whole
      const tidied = writing.then(() => removeQuietly(sftp, temporary))
      file.keep(tidied.catch(() => {})) // because one that failed has tidied up itself
      throw thrown
    }
    try {
      await giveName(sftp, temporary, file)
      return
    } catch (thrown) {
      await removeQuietly(sftp, temporary)
      if (systemCode(thrown) !== 'ENOENT' || attempt === attempts) throw thrown
    }
  }
}

async function writeTemporary(
  sftp: SftpClient,
  temporary: Path,
  { path, body, mode }: NewFile,
  signal?: AbortSignal,
): Promise<void> {
  // because both answers come in one round trip, and a name that is taken saves the sending
  const isFree = isMissing(sftp, path)
  isFree.catch(() => {}) // because it is awaited below, unless the file cannot be made
  const handle = await sftp.create(temporary, 0o600).catch(async (thrown: unknown) => {
    throw await explain(sftp, thrown, path, body.length)
  })
  let isOpen = true
  try {
    if (!(await isFree)) throw taken(path)
    await sftp.write(handle, 0, body, signal)
    isOpen = false
    await finish(sftp, handle, mode)
  } catch (thrown) {
    const explained = await explain(sftp, thrown, path, body.length)
    // because a handle that was closed may already stand for the file of another
    if (isOpen) sftp.close(handle).catch(() => {}) // because the connection closes it at the latest
    await removeQuietly(sftp, temporary)
    throw explained
  }
}

/** Ends with the handle closed. All is sent at once, because a server keeps the order of what concerns one file. */
async function finish(sftp: SftpClient, handle: SftpHandle, mode: number): Promise<void> {
  sftp.chmod(handle, mode).catch(() => {}) // because some servers have no modes, and the file is as good without
  const synced = sftp.has('fsync@openssh.com') ? sftp.sync(handle).catch(syncFailure) : undefined
  const closed = sftp.close(handle)
  closed.catch(() => {}) // because it is awaited below, unless the fsync has failed
  const failure = await synced
  if (failure) throw failure
  await closed
}

/** Undefined when the server does not know how after all. */
function syncFailure(thrown: unknown): unknown {
  if (thrown instanceof AppError) return thrown
  return systemCode(thrown) === 'ENOTSUP' ? undefined : new SyncFailed('fsync failed', { cause: thrown })
}

/** OpenSSH says `Failure` to a full disk as to any other trouble: the file system is asked what is wrong. */
export async function explain(sftp: SftpClient, thrown: unknown, path: Path, bytes: number): Promise<unknown> {
  const told = thrown instanceof SyncFailed ? thrown.cause : thrown
  if (systemCode(told) !== 'EIO') return thrown
  const as = (code: string): Error => Object.assign(new Error((told as Error).message, { cause: thrown }), { code })
  if (/no space|quota|disk (?:is )?full/i.test((told as Error).message)) return as('ENOSPC')
  if (!sftp.has('statvfs@openssh.com')) return thrown
  const space = await sftp.space(path.slice(0, path.lastIndexOf('/')) || '/').catch(() => undefined)
  if (space === undefined) return thrown
  if (space.isReadOnly) return as('EROFS')
  // because the last blocks of a disk cannot be had by everybody
  const needed = BigInt(bytes + 65_536)
  return space.free < needed || !space.hasFreeFiles ? as('ENOSPC') : thrown
}

async function giveName(sftp: SftpClient, temporary: Path, { path, keep }: NewFile): Promise<void> {
  if (await linked(sftp, temporary, path)) keep(removeQuietly(sftp, temporary))
  else if (!(await renamed(sftp, temporary, path))) await replaceUnderClaim(sftp, temporary, path)
}

/** @returns false when no link can be made there. @throws `EEXIST`. */
async function linked(sftp: SftpClient, temporary: Path, path: Path): Promise<boolean> {
  if (!sftp.has('hardlink@openssh.com')) return false
  return await unlessRefused(sftp, path, sftp.link(temporary, path))
}

/** @returns false when only the rename that replaces is left to try. @throws `EEXIST`. */
async function renamed(sftp: SftpClient, temporary: Path, path: Path): Promise<boolean> {
  const renaming = sftp.rename(temporary, path)
  return sftp.has('posix-rename@openssh.com')
    ? await unlessRefused(sftp, path, renaming)
    : await unlessTaken(sftp, path, renaming).then(() => true)
}

async function replaceUnderClaim(sftp: SftpClient, temporary: Path, path: Path): Promise<void> {
  const claim = `${path}-tmp-claim`
  const handle = await unlessTaken(sftp, claim, sftp.create(claim, 0o600)).catch(async (thrown: unknown) => {
    // because the claim may be gone by now, and the name is then given
    throw (await isMissing(sftp, path)) ? thrown : taken(path)
  })
  try {
    await sftp.close(handle)
    if (!(await isMissing(sftp, path))) throw taken(path)
    await sftp.replace(temporary, path)
  } finally {
    await removeQuietly(sftp, claim)
  }
}

/** @returns false when the server says no, though the name is free. @throws `EEXIST` when it is not. */
async function unlessRefused(sftp: SftpClient, path: Path, naming: Promise<void>): Promise<boolean> {
  try {
    await unlessTaken(sftp, path, naming)
    return true
  } catch (thrown) {
    if (isRefusal(thrown) && systemCode(thrown) !== 'EEXIST') return false
    throw thrown
  }
}

/** @throws `EEXIST` when the server says no and the name is taken, because it says `Failure` to that as well. */
async function unlessTaken<T>(sftp: SftpClient, path: Path, naming: Promise<T>): Promise<T> {
  try {
    return await naming
  } catch (thrown) {
    throw isRefusal(thrown) && !(await isMissing(sftp, path)) ? taken(path) : thrown
  }
}

/** Whether the server says no to an operation that another one may stand in for. */
function isRefusal(thrown: unknown): boolean {
  return ['EIO', 'EACCES', 'ENOTSUP', 'EEXIST'].includes(systemCode(thrown) ?? '')
}

async function isMissing(sftp: SftpClient, path: Path): Promise<boolean> {
  try {
    await sftp.lstat(path)
    return false
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return true
    throw thrown
  }
}

async function removeQuietly(sftp: SftpClient, path: Path): Promise<void> {
  try {
    await sftp.remove(path)
  } catch {
    // because it is gone already, or the sweep of a later run takes it
  }
}
