import { link, lstat, open, rename, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { randomHex, systemCode } from '#base'
import { isUnsupported } from './sync-folder.ts'

/** Bytes handed to the system at once: an aborted signal is noticed between two of them. */
const writeSize = 4 * 1024 * 1024

/** A temporary file may be swept away while its writer sleeps for a day; the writer then begins anew, so often. */
const attempts = 3

/** Temporary files are ours to sweep only by this exact form; restic's end in decimal digits. */
const temporaryName = /-tmp-(?:[0-9a-f]{16}|claim)$/

/** Whether `name` is a temporary file that this module made, of a writer that runs or of one that was killed. */
export function isTemporaryName(name: string): boolean {
  return temporaryName.test(name)
}

/** Thrown when the bytes of a file could not be made durable: the file is given up, and never fsynced again. */
export class SyncFailed extends Error {}

/**
 * Writes a whole file that was not there before: temporary name → write → fsync → final name. The caller makes the
 * final name durable by an fsync of the folder.
 *
 * The final name is given by `link`, which refuses a name that is taken (`rename` would overwrite it, and Node has no
 * `renameat2`); where the file system has no hard links, by `rename` under a claim that only one writer can hold.
 *
 * @throws the system's error, `EEXIST` when the name is taken; {@link SyncFailed}. Nothing is left behind.
 */
export async function writeFile(path: string, body: Uint8Array, mode: number, signal?: AbortSignal): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const temporary = `${path}-tmp-${randomHex(8)}`
    await writeTemporary(temporary, body, mode, signal)
    try {
      signal?.throwIfAborted()
      await giveName(temporary, path)
      return
    } catch (thrown) {
      if (systemCode(thrown) !== 'ENOENT' || attempt === attempts) throw thrown
    } finally {
      await removeQuietly(temporary)
    }
  }
}

async function writeTemporary(path: string, body: Uint8Array, mode: number, signal?: AbortSignal): Promise<void> {
  const handle = await open(path, 'wx', 0o600)
  try {
    try {
      for (let at = 0; at < body.length;) {
        signal?.throwIfAborted()
        const { bytesWritten } = await handle.write(body, at, Math.min(writeSize, body.length - at))
        at += bytesWritten
      }
      await makeReadOnly(handle, mode)
      await fsyncOnce(handle)
    } finally {
      await handle.close()
    }
  } catch (thrown) {
    await removeQuietly(path)
    throw thrown
  }
}

async function makeReadOnly(handle: FileHandle, mode: number): Promise<void> {
  try {
    await handle.chmod(mode)
  } catch (thrown) {
    // because FAT, CIFS and some others have no modes, and the file is as good without
    if (systemCode(thrown) !== 'EPERM' && !isUnsupported(thrown)) throw thrown
  }
}

async function fsyncOnce(handle: FileHandle): Promise<void> {
  try {
    await handle.sync()
  } catch (thrown) {
    if (!isUnsupported(thrown)) throw new SyncFailed('fsync failed', { cause: thrown })
  }
}

async function giveName(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path)
  } catch (thrown) {
    const withoutLinks = ['EPERM', 'EACCES', 'EMLINK'].includes(systemCode(thrown) ?? '') || isUnsupported(thrown)
    if (!withoutLinks) throw thrown
    await renameUnderClaim(temporary, path)
  }
}

async function renameUnderClaim(temporary: string, path: string): Promise<void> {
  const claim = `${path}-tmp-claim`
  const handle = await open(claim, 'wx', 0o600)
  try {
    await handle.close()
    if (await isTaken(path)) throw Object.assign(new Error(`EEXIST: ${path}`), { code: 'EEXIST' })
    await rename(temporary, path)
  } finally {
    await removeQuietly(claim)
  }
}

async function isTaken(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return false
    throw thrown
  }
}

/**
 * Removes what killed writers left in a folder: temporary files whose last write is more than a day older than
 * `now`.
 *
 * It cannot hurt a writer that still runs: an unfinished file that is swept away makes the writer begin anew, and a
 * finished one has its final name already.
 *
 * @param now - milliseconds since 1970 by the clock of that file system, not by ours.
 */
export async function sweepTemporaries(folder: string, names: readonly string[], now: number): Promise<void> {
  const day = 24 * 60 * 60 * 1000
  for (const name of names.filter(isTemporaryName)) {
    const path = join(folder, name)
    try {
      const { mtimeMs } = await lstat(path)
      if (now - mtimeMs > day) await unlink(path)
    } catch {
      // because another writer swept it, or it is not ours to remove: it takes room and harms nothing
    }
  }
}

async function removeQuietly(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch {
    // because it is gone already, or the sweep of a later run takes it
  }
}
