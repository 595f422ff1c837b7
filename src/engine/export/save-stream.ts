import { link, lstat, open, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'

import { AppError, randomHex, systemCode, textOf } from '#base'
import { exportError } from './errors.ts'

/**
 * Writes a stream into a file that is not there yet, for its owner alone: under a passing name first, and under its own when
 * all of it is on the disk.
 *
 * @returns the bytes that were written.
 * @throws `export.exists`; `export.unwritable`; what the stream throws. Nothing is left then.
 */
export async function saveStream(file: string, stream: AsyncIterable<Uint8Array>): Promise<number> {
  const folder = dirname(file)
  const passing = join(folder, `.${basename(file).slice(0, 200)}.bewaar-${randomHex(4)}.part`)
  const failed = (thrown: unknown): Error => {
    if (thrown instanceof AppError || systemCode(thrown) === undefined) return thrown as Error
    if (systemCode(thrown) === 'EEXIST') return exportError('export.exists', { file }, thrown)
    return exportError('export.unwritable', { file, reason: textOf(thrown) }, thrown)
  }
  // Before the snapshot is read, because that may take hours.
  if (await lstat(file).catch(() => undefined)) throw exportError('export.exists', { file })
  const handle = await open(passing, 'wx', 0o600).catch((thrown: unknown) => Promise.reject(failed(thrown)))
  let bytes = 0
  try {
    try {
      for await (const piece of stream) {
        await handle.writeFile(piece)
        bytes += piece.length
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    await link(passing, file)
  } catch (thrown) {
    throw failed(thrown)
  } finally {
    await unlink(passing)
  }
  await using home = await open(folder)
  await home.sync()
  return bytes
}
