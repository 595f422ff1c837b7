import { closeSync, constants, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'

import { randomHex, systemCode, textOf } from '#base'
import type { Sealer } from '../crypto/seal.ts'
import { beginWriteOut, canSyncFilesystem, statusOf } from '../filesystem/descriptor.ts'
import { Directory } from '../filesystem/directory.ts'
import { restoreError } from './errors.ts'
import { UnsetNotes } from './finding.ts'
import type { PartialFile, WriteJob, WriteResult } from './job.ts'
import { setMetadata, type Note } from './metadata.ts'
import { readRecords, type NodeRecord } from './node-record.ts'
import { openRun } from './open-run.ts'

const { O_WRONLY, O_NOFOLLOW } = constants

/** Bytes of zeros from which on a hole is left instead of writing them. */
const holeLength = 64 * 1024
const zeros = Buffer.alloc(holeLength)

/** Nothing more fits: trying the other files would only fail as often as there are files. */
const exhausted = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'])

/**
 * Does a job of writes. One blob is in memory at a time, and nothing of it is written before it was checked.
 *
 * @throws `restore.target-full`; every other trouble is part of the result.
 */
export function writeFiles(job: WriteJob, sealer: Sealer): WriteResult {
  const records = [...readRecords(job.records)].map(([, record]) => record)
  const damaged: { blob: number; reason: string }[] = []
  const failed = new Map<number, string>()
  const notes = new UnsetNotes()
  let done = 0
  let bytes = 0

  const whole = (file: number, plain: Uint8Array): void => {
    const record = records[file]!
    const staged = job.staged?.[file] || undefined
    const directory = Directory.borrow(job.folders[file]!)
    const target = { directory, replace: job.replacing[file] === 1, ...(staged && { staged: Buffer.from(staged) }) }
    try {
      create(target, record, plain, (what, code) => notes.add(what, code, file))
      done++
      bytes += plain.length
    } catch (thrown) {
      failed.set(file, reasonOf(thrown))
    }
  }
  const partial = (file: number, position: number, plain: Uint8Array): void => {
    try {
      withPartialFile(job.partial[~file]!, (fd) => writeSparsely(fd, plain, position))
      bytes += plain.length
    } catch (thrown) {
      failed.set(file, reasonOf(thrown))
    }
  }

  let blob = 0
  let write = 0
  for (const plain of plainBlobs(job, sealer)) {
    const end = write + job.writesOf[blob]!
    if (plain instanceof Error) damaged.push({ blob, reason: plain.message })
    for (; write < end; write++) {
      if (plain instanceof Error) continue
      const file = job.writes[write * 2]!
      if (file >= 0) whole(file, plain)
      else if (!failed.has(file)) partial(file, job.writes[write * 2 + 1]!, plain)
    }
    blob++
  }
  for (const [file, record] of records.entries()) if (record.content.length === 0) whole(file, zeros.subarray(0, 0))
  return { damaged, failed: [...failed].map(([file, text]) => ({ file, text })), unset: notes.list(), done, bytes }
}

function plainBlobs({ run, plain }: WriteJob, sealer: Sealer): Iterable<Uint8Array | Error> {
  if (!run) return []
  return plain ? [run.bytes] : openRun(run, 'data', sealer)
}

/** A name that nothing has and nobody can guess. */
export function temporaryName(): string {
  return `.bewaar-${randomHex(12)}.part`
}

/** Whether a name is one of those, of a restore that was killed. */
export function isTemporaryName(name: Uint8Array): boolean {
  return name.length === 37 && /^\.bewaar-[0-9a-f]{24}\.part$/.test(Buffer.from(name).toString('latin1'))
}

/** Opens a file that gets its bytes in parts, if it still is the one that was created. */
export function withPartialFile(file: PartialFile, use: (fd: number) => void): void {
  const fd = openSync(Directory.borrow(file.folder).pathOf(Buffer.from(file.name)), O_WRONLY | O_NOFOLLOW)
  try {
    const { type, inode } = statusOf(fd)
    if (type !== 'file' || inode !== file.inode) throw new Error('somebody exchanged it while it was restored')
    use(fd)
  } finally {
    closeSync(fd)
  }
}

/** Sets the length, which a hole at the end does not, and all metadata. */
export function finishFile(fd: number, record: NodeRecord, note: Note, length = 0): void {
  if (length !== record.size) ftruncateSync(fd, record.size)
  setMetadata(fd, record, note)
  if (!canSyncFilesystem()) fsyncSync(fd)
}

/** The reason why one entry failed. @throws `restore.target-full` when all others would too. */
export function reasonOf(thrown: unknown): string {
  const code = systemCode(thrown)
  if (code !== undefined && exhausted.has(code)) {
    throw restoreError('restore.target-full', { reason: textOf(thrown) }, thrown)
  }
  return textOf(thrown)
}

interface Target {
  readonly directory: Directory
  readonly replace: boolean
  /** The name that it is made under, and keeps. */
  readonly staged?: Buffer
}

function create(target: Target, record: NodeRecord, plain: Uint8Array, note: Note): void {
  const { directory, staged } = target
  if (record.type === 'file') return createFile(target, record, plain, note)
  const replace = target.replace && !staged
  const name = staged ?? (replace ? Buffer.from(temporaryName()) : record.name)
  makeEntry(directory, name, record)
  try {
    setMetadata({ directory, name }, record, note)
    if (replace) directory.rename(name, directory, record.name)
  } catch (thrown) {
    directory.unlink(name)
    throw thrown
  }
}

/** The file has its name only when it is whole: whoever kills us leaves no half one. */
function createFile({ directory, replace, staged }: Target, record: NodeRecord, plain: Uint8Array, note: Note): void {
  const unnamed = replace || staged ? undefined : directory.createUnnamed()
  if (unnamed !== undefined) {
    try {
      finishFile(unnamed, record, note, writeSparsely(unnamed, plain, 0))
      directory.nameFile(unnamed, record.name)
    } finally {
      closeSync(unnamed)
    }
    return
  }
  const name = staged ?? Buffer.from(temporaryName())
  const fd = directory.createFile(name)
  try {
    finishFile(fd, record, note, writeSparsely(fd, plain, 0))
    if (!staged) giveName(directory, name, record.name, !replace)
  } catch (thrown) {
    directory.unlink(name)
    throw thrown
  } finally {
    closeSync(fd)
  }
}

/** @param isNew - whether nothing may have the name. */
export function giveName(directory: Directory, from: Uint8Array, to: Uint8Array, isNew: boolean): void {
  if (!isNew) return directory.rename(from, directory, to)
  try {
    directory.rename(from, directory, to, { noReplace: true })
  } catch (thrown) {
    const code = systemCode(thrown)
    if (code !== 'EINVAL' && code !== 'ENOSYS' && code !== 'filesystem.unsupported') throw thrown
    // Not every file system can refuse in the same step, so that leaves a moment for somebody to take the name.
    if (directory.findStatus(to)) throw new Error('something has its name', { cause: thrown })
    directory.rename(from, directory, to)
  }
}

function makeEntry(directory: Directory, name: Uint8Array, record: NodeRecord): void {
  switch (record.type) {
    case 'symlink':
      return directory.makeSymlink(record.linkTarget, name)
    case 'fifo':
    case 'chardev':
    case 'dev':
      return directory.makeNode(name, record.type, record.device)
    case 'file':
    case 'dir':
    case 'socket':
      throw new Error(`a ${record.type} is not made like a file`)
    default:
      return record.type satisfies never
  }
}

/**
 * Leaves holes where a stretch of `holeLength`, counted from the beginning of the file, is zero.
 *
 * @returns where the last byte that was written ends; 0 when none was.
 */
function writeSparsely(fd: number, plain: Uint8Array, position: number): number {
  let from = 0
  const firstWhole = (holeLength - (position % holeLength)) % holeLength
  for (let at = firstWhole; at + holeLength <= plain.length; at += holeLength) {
    if (!isZero(plain, at)) continue
    writeAll(fd, plain.subarray(from, at), position + from)
    from = at + holeLength
  }
  if (from === plain.length) return 0
  writeAll(fd, plain.subarray(from), position + from)
  return position + plain.length
}

function isZero(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0 && bytes[at + holeLength - 1] === 0 && zeros.equals(bytes.subarray(at, at + holeLength))
}

/** Bytes from which on the disk is better told at once than at the end, when all that is left is to wait for it. */
const worthWriteOut = 128 * 1024

function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.length;) {
    written += writeSync(fd, bytes, written, bytes.length - written, position + written)
  }
  if (bytes.length >= worthWriteOut) beginWriteOut(fd, position, bytes.length)
}
