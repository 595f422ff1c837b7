/**
 * The calls of the C library that Node has no word for, through Node's foreign function interface.
 *
 * This is the only file that knows it. Loaded at the first use and once per thread; where the interface or the library
 * is missing, `findLibc` gives undefined and callers do with what node:fs offers, or throw `filesystem.unsupported`.
 *
 * Buffers handed to a call must live outside V8's heap (`Buffer.alloc`), end strings with a zero byte, and are only
 * read or written while the call lasts. Every function returns -1 on failure; `errno` must then be read at once.
 */
import { constants } from 'node:fs'
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'

import { openForeign, type ForeignDefinitions, type ForeignLibrary } from '#base'
import { filesystemError } from './errors.ts'

const definitions = {
  llistxattr: { return: 'i32', arguments: ['buffer', 'buffer', 'u64'] },
  lgetxattr: { return: 'i32', arguments: ['buffer', 'buffer', 'buffer', 'u64'] },
  lsetxattr: { return: 'i32', arguments: ['buffer', 'buffer', 'buffer', 'u64', 'i32'] },
  lremovexattr: { return: 'i32', arguments: ['buffer', 'buffer'] },
  fgetxattr: { return: 'i32', arguments: ['i32', 'buffer', 'buffer', 'u64'] },
  fsetxattr: { return: 'i32', arguments: ['i32', 'buffer', 'buffer', 'u64', 'i32'] },
  fremovexattr: { return: 'i32', arguments: ['i32', 'buffer'] },
  futimens: { return: 'i32', arguments: ['i32', 'buffer'] },
  utimensat: { return: 'i32', arguments: ['i32', 'buffer', 'buffer', 'i32'] },
  renameat2: { return: 'i32', arguments: ['i32', 'buffer', 'i32', 'buffer', 'u32'] },
  linkat: { return: 'i32', arguments: ['i32', 'buffer', 'i32', 'buffer', 'i32'] },
  syncfs: { return: 'i32', arguments: ['i32'] },
  sync_file_range: { return: 'i32', arguments: ['i32', 'i64', 'i64', 'u32'] },
  syscall: { return: 'i32', arguments: ['i64', 'i64', 'i64', 'i64', 'i64', 'i64', 'i64'] },
  getpwuid_r: { return: 'i32', arguments: ['u32', 'buffer', 'buffer', 'u64', 'buffer'] },
  getgrgid_r: { return: 'i32', arguments: ['u32', 'buffer', 'buffer', 'u64', 'buffer'] },
  __errno_location: { return: 'pointer', arguments: [] },
} as const satisfies ForeignDefinitions

export type Libc = ForeignLibrary<typeof definitions> & {
  /** Why the last call of this thread failed; any other call in between may have changed it. */
  errno(): number
}

/** Numbers of the Linux interface that are the same on x64 and arm64. */
export const linux = {
  atSymlinkNoFollow: 0x100,
  atSymlinkFollow: 0x400,
  atEmptyPath: 0x1000,
  renameNoReplace: 1,
  syncFileRangeWrite: 2,
  openPath: 0x20_0000,
  openUnnamed: 0x40_0000 | constants.O_DIRECTORY,
  openCloseOnExec: 0x8_0000,
} as const

/**
 * Numbers of calls that are made for every entry, or that older C libraries do not export, for `syscall`. Node's interface
 * takes seven numbers through memory, in a third of the time that fewer arguments with buffers among them take; so
 * buffers that are used again are given by their addresses, and what a call does not take is 0.
 */
export const calls =
  process.arch === 'arm64'
    ? { makeNode: 33n, openAt: 56n, listEntries: 61n, listAttributes: 13n, statx: 291n }
    : { makeNode: 259n, openAt: 257n, listEntries: 217n, listAttributes: 196n, statx: 332n }

let loaded: { readonly libc: Libc | undefined } | undefined

/** The C library, or undefined when this process cannot call it. */
export function findLibc(): Libc | undefined {
  loaded ??= { libc: load() }
  return loaded.libc
}

/** The C library. @throws `filesystem.unsupported`, naming what cannot be done without it. */
export function getLibc(verb: string): Libc {
  const libc = findLibc()
  if (!libc) throw filesystemError('filesystem.unsupported', { verb })
  return libc
}

function load(): Libc | undefined {
  if (process.platform !== 'linux') return undefined
  const libc = openForeign('libc.so.6', definitions) ?? openForeign(null, definitions)
  if (!libc) return undefined
  const errnoPointer = libc.__errno_location()
  return Object.assign(libc, { errno: () => libc.int32At(errnoPointer) })
}

/** An error in the form of node:fs: `code` is the system's short name (`ENOENT`). */
export function systemError(errno: number, call: string, path: Uint8Array | string): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno)
  const shown = typeof path === 'string' ? path : Buffer.from(path).toString()
  return Object.assign(new Error(`${code}: ${getSystemErrorMessage(-errno)}, ${call} '${shown}'`), {
    code,
    errno: -errno,
    syscall: call,
    path: shown,
  })
}
