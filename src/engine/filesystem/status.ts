import { constants, type BigIntStats } from 'node:fs'

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
