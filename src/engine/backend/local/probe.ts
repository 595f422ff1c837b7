import { constants, existsSync } from 'node:fs'
import { open, rename, statfs, unlink } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { AppError, systemCode } from '#base'
import { backendError } from '../errors.ts'
import { folders as layout } from '../layout.ts'
import { tryFile, type ProbedFile } from '../probe-file.ts'
import { foldersToProbe, probeBodies, probeName, weakestOf, type PlaceSpace, type Probe } from '../probe.ts'
import { translate } from './system-errors.ts'

/**
 * Finds out what can be done to the files of repositories on this machine, by a probe in each of their folders: rights and
 * attributes of a file system belong to folders.
 *
 * Repositories that are not there are left out.
 *
 * @throws `backend.denied` and the like when nothing can be stored there; `backend.place-missing` when none is there.
 */
export async function probeLocal(roots: readonly string[]): Promise<Probe> {
  const there = roots.map((root) => resolve(root)).filter((root) => existsSync(join(root, layout.pack)))
  if (there.length === 0) throw backendError('backend.place-missing', { place: roots.join(', ') })
  // because other programs make the folders of packs when there is something in them
  const folders = there
    .flatMap((root) => foldersToProbe.map((folder) => join(root, folder)))
    .filter((folder) => existsSync(folder))
  const found = await Promise.all(folders.map(tryIn))
  return { ...weakestOf(found), left: found.filter(({ isLeft }) => isLeft).length }
}

/** Of the file system that a folder lies on. @throws `backend.place-missing` when it is not there; `backend.denied`. */
export async function spaceOfLocal(folder: string): Promise<PlaceSpace> {
  try {
    const { frsize, blocks, bavail } = await statfs(folder)
    return { sizeBytes: frsize * blocks, freeBytes: frsize * bavail }
  } catch (thrown) {
    throw translate(thrown, folder, 'list', 'its free space')
  }
}

async function tryIn(folder: string): ReturnType<typeof tryFile> {
  try {
    return await tryFile(probedFile(join(folder, probeName)))
  } catch (thrown) {
    throw thrown instanceof AppError ? thrown : translate(thrown, folder, 'save', 'a probe')
  }
}

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants

function probedFile(path: string): ProbedFile {
  const away = path.replace(/0$/, '1')
  // because who else may write to the folder could have put a link there
  const openOwn = (flags: number): ReturnType<typeof open> => open(path, flags | O_NOFOLLOW | O_NONBLOCK)
  return {
    path,
    make: async (body) => {
      await using handle = await open(path, 'wx', 0o600)
      await handle.writeFile(body)
      await handle.chmod(0o400).catch(() => {}) // because some file systems have no modes
    },
    read: async () => {
      try {
        await using handle = await openOwn(O_RDONLY)
        const { buffer, bytesRead } = await handle.read(Buffer.alloc(probeBodies[0].length + 1), { position: 0 })
        return buffer.subarray(0, bytesRead)
      } catch (thrown) {
        if (systemCode(thrown) === 'ENOENT') return undefined
        throw thrown
      }
    },
    unprotect: async () => {
      await using handle = await openOwn(O_RDONLY)
      await handle.chmod(0o600)
    },
    overwrite: async (body) => {
      await using handle = await openOwn(O_RDWR)
      await handle.write(body, 0, body.length, 0)
    },
    truncate: async () => {
      await using handle = await openOwn(O_RDWR)
      await handle.truncate(0)
    },
    remove: () => unlink(path),
    moveAway: () => rename(path, away),
    moveBack: () => rename(away, path),
  }
}
