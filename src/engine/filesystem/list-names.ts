import { callListEntries, systemError, type Libc } from './libc.ts'

const dot = 0x2e
const bytes = Buffer.alloc(1 << 16)
const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
const size = BigInt(bytes.length)

/** Where the fields of `struct linux_dirent64` lie. Source: getdents64(2). */
const lengthAt = 16
const nameAt = 19

/** The names in a folder that was just opened, without `.` and `..`, in the order the file system lists them. */
export function listNames(libc: Libc, fd: number): Buffer[] {
  const names: Buffer[] = []
  const descriptor = BigInt(fd)
  for (;;) {
    const filled = libc.syscall(callListEntries, descriptor, bytes, size, 0n)
    if (filled < 0) throw systemError(libc.errno(), 'getdents64', `/proc/self/fd/${fd}`)
    if (filled === 0) return names
    for (let at = 0; at < filled; at += view.getUint16(at + lengthAt, true)) {
      const start = at + nameAt
      let end = start
      while (bytes[end] !== 0) end++
      if (!isDots(start, end)) names.push(Buffer.from(bytes.subarray(start, end)))
    }
  }
}

function isDots(start: number, end: number): boolean {
  return bytes[start] === dot && (end === start + 1 || (end === start + 2 && bytes[start + 1] === dot))
}
