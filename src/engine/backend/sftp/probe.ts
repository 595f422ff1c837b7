import { AppError, collect, mapInOrder, systemCode } from '#base'
import { joinPath, placeOf, SshConnection, type Path, type SftpClient, type SftpHandle } from '#remote'
import { backendError } from '../errors.ts'
import { folders as layout } from '../layout.ts'
import { translate } from '../local/system-errors.ts'
import { tryFile, type ProbedFile } from '../probe-file.ts'
import { foldersToProbe, probeBodies, probeName, weakestOf, type PlaceSpace, type Probe } from '../probe.ts'
import type { SftpPlace } from './sftp.ts'

/**
 * Finds out what a login can do over SFTP to the files of repositories, by a probe in each of their folders.
 *
 * Only what SFTP allows is tried: the same key may open a shell there, or another door.
 *
 * @param paths - of the repositories there, as in {@link SftpPlace}.
 * @throws errors of the connection (`remote.*`); `backend.denied` and the like when nothing can be stored there;
 * `backend.place-missing` when none of the repositories is there.
 */
export async function probeSftp(options: SftpPlace, paths: readonly string[], signal?: AbortSignal): Promise<Probe> {
  await using connection = await connect(options, signal)
  const { sftp } = connection
  const place = placeFor(options)
  try {
    const isThere = async (path: Path): Promise<boolean> => await isFolder(sftp, path)
    const roots = await filtered(paths.map(latin1), async (root) => await isThere(joinPath(root, layout.pack)))
    if (roots.length === 0) throw backendError('backend.place-missing', { place })
    const folders = roots.flatMap((root) => foldersToProbe.map((folder) => joinPath(root, folder)))
    // because other programs make the folders of packs when there is something in them
    const files = (await filtered(folders, isThere)).map((folder) => probedFile(sftp, joinPath(folder, probeName)))
    const found = await Array.fromAsync(mapInOrder(files, tryFile, atOnce))
    return { ...weakestOf(found), left: found.filter(({ isLeft }) => isLeft).length }
  } catch (thrown) {
    throw thereError(thrown, place, 'save', 'a probe')
  }
}

/**
 * Of the file system that a folder there lies on; undefined when the server does not tell.
 *
 * @throws errors of the connection; `backend.place-missing` when the folder is not there.
 */
export async function spaceOfSftp(options: SftpPlace, signal?: AbortSignal): Promise<PlaceSpace | undefined> {
  await using connection = await connect(options, signal)
  const { sftp } = connection
  const path = latin1(options.path)
  try {
    await sftp.stat(path)
    if (!sftp.has('statvfs@openssh.com')) return undefined
    const { size, free } = await sftp.space(path)
    return { sizeBytes: Number(size), freeBytes: Number(free) }
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOTSUP' || systemCode(thrown) === 'EACCES') return undefined
    throw thereError(thrown, placeFor(options), 'list', 'its free space')
  }
}

/**
 * The names of the folders in a folder there that hold a repository.
 *
 * @throws errors of the connection; `backend.place-missing` when the folder is not there; `backend.denied`.
 */
export async function repositoriesInSftp(options: SftpPlace, signal?: AbortSignal): Promise<string[]> {
  await using connection = await connect(options, signal)
  const { sftp } = connection
  const path = latin1(options.path)
  try {
    const names = (await sftp.list(path)).flatMap(({ name, type }) =>
      type === 'dir' ? [Buffer.from(name).toString('latin1')] : [],
    )
    return await filtered(names, async (name) => await isThere(sftp, joinPath(joinPath(path, name), 'config')))
  } catch (thrown) {
    throw thereError(thrown, placeFor(options), 'list', 'its folders')
  }
}

async function isThere(sftp: SftpClient, path: Path): Promise<boolean> {
  try {
    await sftp.stat(path)
    return true
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return false
    if (systemCode(thrown) === 'EACCES') return true // because who opens it will say why not
    throw thrown
  }
}

/** Folders that are tried together, so that the time of a round trip costs little. */
const atOnce = 20

function connect({ target, folder, stallMs }: SftpPlace, signal?: AbortSignal): Promise<SshConnection> {
  return SshConnection.open(target, { folder, ...(stallMs !== undefined && { stallMs }) }, signal)
}

function placeFor({ target, path }: SftpPlace): string {
  return placeOf(target).replace(/^ssh:/, 'sftp:') + path.replace(/^(?!\/)/, '/')
}

function latin1(path: string): Path {
  return Buffer.from(path.replace(/\/+$/, '')).toString('latin1')
}

async function isFolder(sftp: SftpClient, path: Path): Promise<boolean> {
  try {
    return (await sftp.stat(path)).type === 'dir'
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return false
    throw thrown
  }
}

async function filtered(paths: readonly Path[], isWanted: (path: Path) => Promise<boolean>): Promise<Path[]> {
  const wanted = await Array.fromAsync(mapInOrder(paths, isWanted, atOnce))
  return paths.filter((_, index) => wanted[index])
}

/** Of the connection's own errors the words are theirs. */
function thereError(thrown: unknown, place: string, verb: 'list' | 'save', file: string): AppError {
  return thrown instanceof AppError ? thrown : translate(thrown, place, verb, file)
}

function probedFile(sftp: SftpClient, path: Path): ProbedFile {
  const away = path.replace(/0$/, '1')
  const use = async (opening: Promise<SftpHandle>, work: (handle: SftpHandle) => Promise<void>): Promise<void> => {
    const handle = await opening
    try {
      await work(handle)
    } finally {
      await sftp.close(handle)
    }
  }
  const sizeOf = async (): Promise<number | undefined> => {
    try {
      const { type, size } = await sftp.lstat(path)
      return type === 'file' ? size : Infinity // because anything else there is no probe
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOENT') return undefined
      throw thrown
    }
  }
  return {
    path: Buffer.from(path, 'latin1').toString(),
    make: async (body) => {
      // because servers have no word of their own for a name that is taken
      if ((await sizeOf()) !== undefined) throw Object.assign(new Error(`EEXIST: ${path}`), { code: 'EEXIST' })
      await use(sftp.create(path, 0o600), async (handle) => {
        await sftp.write(handle, 0, body)
        await sftp.chmod(handle, 0o400).catch(() => {}) // because some servers have no modes
      })
    },
    read: async () => {
      const [size, most] = [await sizeOf(), probeBodies[0].length]
      if (size === undefined) return undefined
      return size > most ? new Uint8Array(most + 1) : await collect(sftp.read(path))
    },
    unprotect: () => use(sftp.open(path), (handle) => sftp.chmod(handle, 0o600)),
    overwrite: (body) => use(sftp.openForWriting(path, 'kept'), (handle) => sftp.write(handle, 0, body)),
    truncate: () => use(sftp.openForWriting(path, 'emptied'), async () => {}),
    remove: () => sftp.remove(path),
    moveAway: async () => {
      try {
        await sftp.rename(path, away)
      } catch (thrown) {
        if (!sftp.has('posix-rename@openssh.com')) throw thrown
        await sftp.replace(path, away)
      }
    },
    moveBack: () => sftp.rename(away, path),
  }
}
