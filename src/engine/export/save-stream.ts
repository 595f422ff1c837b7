import { closeSync, fstatSync, fsync, lstatSync, writeFile } from 'node:fs'
import { basename, dirname } from 'node:path'
import { promisify } from 'node:util'

import { AppError, randomHex, systemCode, textOf } from '#base'
import { Directory } from '../filesystem/directory.ts'
import { exportError } from './errors.ts'

const write = promisify(writeFile)
const sync = promisify(fsync)

/** The name of an export that is being written where files must have one. */
const passingName = /^\..+\.bewaar-[0-9a-f]{8}\.part$/
/** An export that nothing was written to for so long is one that was killed. */
const abandonedMs = 24 * 60 * 60 * 1000

/**
 * Writes a stream into a file that is not there yet, for its owner alone. It gets its name when all of it is on the disk, and has
 * none before: when the process is killed, nothing is left. Where a file system has no such files it has a passing name, and what
 * killed processes have left under such names, a day ago or longer, is removed.
 *
 * @returns the bytes that were written.
 * @throws `export.exists`; `export.unwritable`; what the stream throws. Nothing is left then.
 */
export async function saveStream(file: string, stream: AsyncIterable<Uint8Array>): Promise<number> {
  const name = Buffer.from(basename(file))
  const failed = (thrown: unknown): unknown => {
    if (thrown instanceof AppError || systemCode(thrown) === undefined) return thrown
    if (systemCode(thrown) === 'EEXIST') return exportError('export.exists', { file }, thrown)
    return exportError('export.unwritable', { file, reason: textOf(thrown) }, thrown)
  }
  try {
    using folder = Directory.open(dirname(file))
    // Before the snapshot is read, because that may take hours.
    if (folder.findStatus(name)) throw exportError('export.exists', { file })
    using passing = openPassing(folder, name)
    sweep(folder, fstatSync(passing.fd).mtimeMs)
    let bytes = 0
    for await (const piece of stream) {
      await write(passing.fd, piece)
      bytes += piece.length
    }
    await sync(passing.fd)
    passing.settle()
    await sync(folder.fd)
    return bytes
  } catch (thrown) {
    throw failed(thrown)
  }
}

/** A file that is there while it is written, and not after that, unless it was settled. */
interface PassingFile extends Disposable {
  readonly fd: number
  /** Gives it its name. @throws EEXIST when something has it. */
  settle(): void
}

function openPassing(folder: Directory, name: Buffer): PassingFile {
  const unnamed = folder.createUnnamed()
  if (unnamed !== undefined) {
    return {
      fd: unnamed,
      settle: () => folder.nameFile(unnamed, name),
      [Symbol.dispose]: () => closeSync(unnamed),
    }
  }
  const passing = Buffer.from(`.${name.subarray(0, 200).toString('latin1')}.bewaar-${randomHex(4)}.part`, 'latin1')
  const fd = folder.createFile(passing)
  let isThere = true
  return {
    fd,
    settle: () => {
      try {
        folder.makeHardLink(folder, passing, name)
      } catch (thrown) {
        if (!linkless.has(systemCode(thrown) ?? '')) throw thrown
        folder.rename(passing, folder, name, { noReplace: true })
        isThere = false
      }
    },
    [Symbol.dispose]: () => {
      closeSync(fd)
      if (isThere) folder.unlink(passing)
    },
  }
}

/** What file systems without hard links say: those of most memory sticks. */
const linkless: ReadonlySet<string> = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS'])

/** @param nowMs - by the clock of the file system, because that is whose times are compared. */
function sweep(folder: Directory, nowMs: number): void {
  for (const name of folder.names()) {
    if (!passingName.test(name.toString('latin1'))) continue
    try {
      const { mtimeMs } = lstatSync(folder.pathOf(name))
      if (nowMs - mtimeMs > abandonedMs) folder.unlink(name)
    } catch (thrown) {
      if (systemCode(thrown) === undefined) throw thrown // because what cannot be removed keeps nobody from his export
    }
  }
}
