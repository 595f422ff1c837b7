import { link, lstat, mkdir, open, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { randomHex, systemCode, textOf } from '#base'
import { usecaseError, type RecoveryFiles } from '#usecases'
import { configError } from './config/errors.ts'

/** Writes what a recovery brings back: durable, for the owner alone, and never over something that is there. */
export const recoveryFiles: RecoveryFiles = {
  isThere: async (path) => {
    try {
      await lstat(path)
      return true
    } catch (thrown) {
      // because a place that may not be looked at is not free
      return systemCode(thrown) !== 'ENOENT' && systemCode(thrown) !== 'ENOTDIR'
    }
  },
  writeNew: async (path, content) => {
    const folder = dirname(path)
    const part = join(folder, `.bewaar-${randomHex(6)}.part`)
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await write(part, content)
      // a name that is taken is refused by the system in the same step
      await link(part, path)
      await sync(folder)
    } catch (thrown) {
      if (systemCode(thrown) === 'EEXIST') throw usecaseError('recover.exists', { file: path }, thrown)
      if (systemCode(thrown) === undefined) throw thrown
      throw configError('config.unwritable', { file: path, reason: textOf(thrown) }, thrown)
    } finally {
      await rm(part, { force: true })
    }
  },
}

async function write(path: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  for await (const bytes of content) await file.writeFile(bytes)
  await file.sync()
}

async function sync(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}
