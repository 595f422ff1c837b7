import { closeSync, constants, openSync } from 'node:fs'

import { calls, findLibc, linux, systemError, type Libc } from './libc.ts'
import { callStatx, typeInBuffer, type EntryType } from './status.ts'

const dot = 0x2e
const bytes = Buffer.alloc(1 << 16)
const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
const size = BigInt(bytes.length)
let address: bigint | undefined

/** Where the fields of `struct linux_dirent64` lie. Source: getdents64(2). */
const lengthAt = 16
const typeAt = 18
const nameAt = 19
/** By `d_type`; others are asked for. */
const types = new Map<number, EntryType>([
  [1, 'fifo'],
  [2, 'chardev'],
  [4, 'dir'],
  [6, 'dev'],
  [8, 'file'],
  [10, 'symlink'],
  [12, 'socket'],
])

/** The names in a folder that was just opened, without `.` and `..`, in the order the file system lists them. */
export function listNames(libc: Libc, fd: number): Buffer[] {
  const names: Buffer[] = []
  for (let filled = fill(libc, fd); filled > 0; filled = fill(libc, fd)) {
    const copy = Buffer.from(bytes.subarray(0, filled)) // one for all, because each has its own cost
    forEachName(filled, (start, end) => names.push(copy.subarray(start, end)))
  }
  return names
}

/** A name, each byte one character (latin1), and what has it. */
export interface ListedEntry {
  readonly name: string
  readonly kind: EntryType
}

/**
 * What lies in a folder, without `.` and `..`, in the order the file system lists it. Links in `path` are followed, and
 * those in the folder are not.
 *
 * @returns undefined where the C library cannot be called. @throws what node:fs throws, an Error with the system's `code`.
 */
export function listFolder(path: Uint8Array): ListedEntry[] | undefined {
  const libc = findLibc()
  if (!libc) return undefined
  const fd = openSync(path as Buffer, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    const entries: ListedEntry[] = []
    for (let filled = fill(libc, fd); filled > 0; filled = fill(libc, fd)) {
      forEachName(filled, (start, end) => {
        const kind = types.get(bytes[start - nameAt + typeAt]!) ?? typeOf(libc, fd, start)
        if (kind) entries.push({ name: bytes.toString('latin1', start, end), kind })
      })
    }
    return entries
  } finally {
    closeSync(fd)
  }
}

/** Of the name that begins at a place of the answer; undefined when it is gone. */
function typeOf(libc: Libc, fd: number, start: number): EntryType | undefined {
  return callStatx(libc, fd, address! + BigInt(start), linux.atSymlinkNoFollow) ? typeInBuffer() : undefined
}

/** Asks for the next entries. @returns the length of the answer, 0 after the last. */
function fill(libc: Libc, fd: number): number {
  address ??= libc.addressOf(bytes)
  const filled = libc.syscall(calls.listEntries, BigInt(fd), address, size, 0n, 0n, 0n)
  if (filled < 0) throw systemError(libc.errno(), 'getdents64', `/proc/self/fd/${fd}`)
  return filled
}

function forEachName(filled: number, take: (start: number, end: number) => void): void {
  for (let at = 0; at < filled; at += view.getUint16(at + lengthAt, true)) {
    const start = at + nameAt
    let end = start
    while (bytes[end] !== 0) end++
    if (!isDots(start, end)) take(start, end)
  }
}

function isDots(start: number, end: number): boolean {
  return bytes[start] === dot && (end === start + 1 || (end === start + 2 && bytes[start + 1] === dot))
}
