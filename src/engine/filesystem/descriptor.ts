/** What can be done to an open file or folder by its descriptor alone, so that no name is looked up again. */
import { constants, fchmodSync, fchownSync, fstatSync, fsyncSync, futimesSync, openSync } from 'node:fs'

import { systemCode } from '#base'
import { filesystemError } from './errors.ts'
import {
  listAttributeNames,
  listAttributes,
  removeAttribute,
  setAttribute,
  type ExtendedAttributeValue,
} from './extended-attributes.ts'
import { findLibc, linux, systemError } from './libc.ts'
import { callStatx, readStatus, statusFrom, type Status } from './status.ts'

const empty = Buffer.alloc(1)
let emptyAddress: bigint | undefined
const times = Buffer.alloc(32)
const billion = 1_000_000_000n

/**
 * Opens a file by a path whose end is not followed, and leaves its access time alone where the system allows that.
 *
 * Does not wait for the other end of a fifo: the caller must see from its status that it opened a file.
 */
export function openForReading(path: Uint8Array): number {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  try {
    return openSync(path as Buffer, flags | constants.O_NOATIME)
  } catch (thrown) {
    // because only the owner of a file, or root, may leave its access time alone
    if (systemCode(thrown) !== 'EPERM') throw thrown
    return openSync(path as Buffer, flags)
  }
}

export function statusOf(fd: number): Status {
  const libc = findLibc()
  if (!libc) return statusFrom(fstatSync(fd, { bigint: true }))
  emptyAddress ??= libc.addressOf(empty)
  if (!callStatx(libc, fd, emptyAddress, linux.atEmptyPath)) {
    throw systemError(libc.errno(), 'statx', pathOfDescriptor(fd))
  }
  return readStatus()
}

export function setOwnerOf(fd: number, uid: number, gid: number): void {
  fchownSync(fd, uid, gid)
}

export function setModeOf(fd: number, mode: number): void {
  fchmodSync(fd, mode)
}

/** Exact to the nanosecond. @throws `filesystem.unsupported` after setting the nearest time it can, without libc. */
export function setTimesOf(fd: number, atimeNs: bigint, mtimeNs: bigint): void {
  const libc = findLibc()
  if (!libc) {
    futimesSync(fd, seconds(atimeNs), seconds(mtimeNs))
    throw filesystemError('filesystem.unsupported', { verb: 'set times to the nanosecond' })
  }
  if (libc.futimens(fd, timesForC(atimeNs, mtimeNs)) < 0) {
    throw systemError(libc.errno(), 'futimens', pathOfDescriptor(fd))
  }
}

/** In the order the kernel lists them. @throws `filesystem.unsupported` without libc. */
export function extendedAttributesOf(fd: number): readonly ExtendedAttributeValue[] {
  return listAttributes(fd)
}

/** As `extendedAttributesOf`, without their values. */
export function extendedAttributeNamesOf(fd: number): readonly string[] {
  return listAttributeNames(fd)
}

export function setExtendedAttributeOf(fd: number, attribute: string, value: Uint8Array): void {
  setAttribute(fd, attribute, value)
}

export function removeExtendedAttributeOf(fd: number, attribute: string): void {
  removeAttribute(fd, attribute)
}

/**
 * Makes everything written to the file system that holds `fd` durable.
 *
 * @returns false when this machine has no such call; then only `fd` itself was made durable.
 */
export function syncFilesystem(fd: number): boolean {
  const libc = findLibc()
  if (!libc) {
    fsyncSync(fd)
    return false
  }
  if (libc.syncfs(fd) < 0) throw systemError(libc.errno(), 'syncfs', pathOfDescriptor(fd))
  return true
}

/**
 * Lets the disk begin with bytes that were just written, and does not wait for it: who syncs the file system later finds
 * less to do. Nothing is promised, and a machine without such a call does without.
 */
export function beginWriteOut(fd: number, position: number, length: number): void {
  findLibc()?.sync_file_range(fd, BigInt(position), BigInt(length), linux.syncFileRangeWrite)
}

/** Whether `syncFilesystem` makes everything durable; where it does not, each file must be synced by itself. */
export function canSyncFilesystem(): boolean {
  return findLibc() !== undefined
}

/** Two `struct timespec`, access before modification, for the one call that follows. */
export function timesForC(atimeNs: bigint, mtimeNs: bigint): Buffer {
  writeTime(0, atimeNs)
  writeTime(16, mtimeNs)
  return times
}

/** For node:fs, which takes a double. */
export function seconds(ns: bigint): number {
  return Number(ns / 1000n) / 1_000_000
}

export function pathOfDescriptor(fd: number): string {
  return `/proc/self/fd/${fd}`
}

function writeTime(offset: number, ns: bigint): void {
  let whole = ns / billion
  if (whole * billion > ns) whole -= 1n
  times.writeBigInt64LE(BigInt.asIntN(64, whole), offset)
  times.writeBigInt64LE(ns - whole * billion, offset + 8)
}
