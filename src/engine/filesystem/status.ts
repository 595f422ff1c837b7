import { constants, type BigIntStats } from 'node:fs'

import { calls, type Libc } from './libc.ts'

/** What an entry of a folder is: `dev` is a block device, `chardev` a character device. */
export type EntryType = 'file' | 'dir' | 'symlink' | 'dev' | 'chardev' | 'fifo' | 'socket'

/** What the file system tells about one entry. */
export interface Status {
  readonly type: EntryType
  /** Permission bits with setuid, setgid and sticky: `st_mode & 0o7777`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes, of files; what the system says, of other types. */
  readonly size: number
  /** Nanoseconds since 1970, UTC; as all times here. */
  readonly mtimeNs: bigint
  readonly atimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  /** The device that holds the entry, `st_dev`. */
  readonly deviceId: bigint
  readonly links: number
  /** The device that the entry stands for, `st_rdev`; 0 when it stands for none. */
  readonly device: bigint
  /** Bytes allocated on the disk: fewer than `size` where a file has holes. */
  readonly allocated: number
}

const types = new Map<number, EntryType>([
  [constants.S_IFREG, 'file'],
  [constants.S_IFDIR, 'dir'],
  [constants.S_IFLNK, 'symlink'],
  [constants.S_IFBLK, 'dev'],
  [constants.S_IFCHR, 'chardev'],
  [constants.S_IFIFO, 'fifo'],
  [constants.S_IFSOCK, 'socket'],
])

const billion = 1_000_000_000n

/** Where `statx` writes its answer; reused by each call. */
export const statusBuffer = Buffer.alloc(256)
const view = new DataView(statusBuffer.buffer, statusBuffer.byteOffset, statusBuffer.length)

/** The same as words, for whoever looks at many entries and keeps few; see `statusWord`. */
export const statusWords = new Uint32Array(statusBuffer.buffer, statusBuffer.byteOffset, statusBuffer.length / 4)

/** Where fields begin in `statusWords`; sizes, inodes and seconds take two, lower half first. Source: struct statx. */
export const statusWord = {
  links: 4,
  uid: 5,
  gid: 6,
  mode: 7,
  inode: 8,
  size: 10,
  ctime: 24,
  mtime: 28,
  deviceMajor: 32,
  deviceMinor: 33,
  holderMajor: 34,
  holderMinor: 35,
} as const

/** The fields of `STATX_BASIC_STATS`. */
const basicStats = 0x7ffn
let address: bigint | undefined

/** Asks for the status of what lies in an open folder, into `statusBuffer`. @returns false when it failed. */
export function callStatx(libc: Libc, folder: number, name: bigint, flags: number): boolean {
  address ??= libc.addressOf(statusBuffer)
  return libc.syscall(calls.statx, BigInt(folder), name, BigInt(flags), basicStats, address, 0n) >= 0
}

/** The type of the entry that `statusBuffer` is about. */
export function typeInBuffer(): EntryType {
  return typeOf(statusWords[statusWord.mode]! & 0xffff)
}

/** The answer that lies in `statusBuffer`. Source: statx(2), struct statx. */
export function readStatus(): Status {
  const mode = view.getUint16(0x1c, true)
  const rdevMajor = view.getUint32(0x80, true)
  const rdevMinor = view.getUint32(0x84, true)
  return {
    type: typeOf(mode),
    mode: mode & 0o7777,
    uid: view.getUint32(0x14, true),
    gid: view.getUint32(0x18, true),
    size: Number(view.getBigUint64(0x28, true)),
    mtimeNs: timeAt(0x70),
    atimeNs: timeAt(0x40),
    ctimeNs: timeAt(0x60),
    inode: view.getBigUint64(0x20, true),
    deviceId: holderOf(view.getUint32(0x88, true), view.getUint32(0x8c, true)),
    links: view.getUint32(0x10, true),
    device: rdevMajor === 0 && rdevMinor === 0 ? 0n : deviceNumber(rdevMajor, rdevMinor),
    allocated: Number(view.getBigUint64(0x30, true)) * 512,
  }
}

/** Puts the answer of node:fs into `statusBuffer`. */
export function writeStatus(stats: BigIntStats): void {
  view.setUint32(0x10, Number(stats.nlink), true)
  view.setUint32(0x14, Number(stats.uid), true)
  view.setUint32(0x18, Number(stats.gid), true)
  view.setUint32(0x1c, Number(stats.mode), true)
  view.setBigUint64(0x20, stats.ino, true)
  view.setBigUint64(0x28, stats.size, true)
  view.setBigUint64(0x30, stats.blocks, true)
  writeTime(0x40, stats.atimeNs)
  writeTime(0x60, stats.ctimeNs)
  writeTime(0x70, stats.mtimeNs)
  for (const [offset, device] of [
    [0x80, stats.rdev],
    [0x88, stats.dev],
  ] as const) {
    view.setUint32(offset, majorOf(device), true)
    view.setUint32(offset + 4, minorOf(device), true)
  }
}

/** The same from the answer of node:fs. */
export function statusFrom(stats: BigIntStats): Status {
  return {
    type: typeOf(Number(stats.mode)),
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    mtimeNs: stats.mtimeNs,
    atimeNs: stats.atimeNs,
    ctimeNs: stats.ctimeNs,
    inode: stats.ino,
    deviceId: stats.dev,
    links: Number(stats.nlink),
    device: stats.rdev,
    allocated: Number(stats.blocks) * 512,
  }
}

function typeOf(mode: number): EntryType {
  return types.get(mode & constants.S_IFMT) ?? 'file'
}

function writeTime(offset: number, ns: bigint): void {
  const fraction = ((ns % billion) + billion) % billion
  view.setBigInt64(offset, (ns - fraction) / billion, true)
  view.setUint32(offset + 8, Number(fraction), true)
}

function timeAt(offset: number): bigint {
  return view.getBigInt64(offset, true) * billion + BigInt(view.getUint32(offset + 8, true))
}

let lastHolder = { major: 0, minor: 0, number: 0n }

/** Most entries lie on the device of the one before. */
function holderOf(major: number, minor: number): bigint {
  if (major !== lastHolder.major || minor !== lastHolder.minor) {
    lastHolder = { major, minor, number: deviceNumber(major, minor) }
  }
  return lastHolder.number
}

/** Source: makedev(3), the 64 bits of glibc's dev_t. */
export function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)]
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn)
}

/** Source: major(3). */
export function majorOf(device: bigint): number {
  return Number(((device >> 32n) & 0xfffff000n) | ((device >> 8n) & 0xfffn))
}

/** Source: minor(3). */
export function minorOf(device: bigint): number {
  return Number(((device >> 12n) & 0xffffff00n) | (device & 0xffn))
}
