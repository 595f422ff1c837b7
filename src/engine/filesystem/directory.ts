import {
  chmodSync,
  closeSync,
  constants,
  lchownSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs'

import { systemCode } from '#base'
import { openForReading, pathOfDescriptor, seconds, statusOf, timesForC } from './descriptor.ts'
import { filesystemError } from './errors.ts'
import { listAttributes, removeAttribute, setAttribute, type ExtendedAttributeValue } from './extended-attributes.ts'
import { calls, findLibc, getLibc, linux, systemError } from './libc.ts'
import { listNames } from './list-names.ts'
import { addressOfName, checkName, nameForC, textForC } from './name.ts'
import { callStatx, readStatus, writeStatus, type Status } from './status.ts'

const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_DIRECTORY, O_NOFOLLOW } = constants
const nodeTypes = { fifo: constants.S_IFIFO, chardev: constants.S_IFCHR, dev: constants.S_IFBLK } as const
const openChildFlags = BigInt(O_RDONLY | O_DIRECTORY | O_NOFOLLOW | linux.openCloseOnExec)
const slash = 0x2f
const einval = 22
const eloop = 40

/**
 * An open folder. Everything is done to entries of it by their name alone, and no link is ever followed: whoever swaps
 * a link in, at whatever moment, leads nowhere. Paths may be deeper than the system's limit of 4,096 bytes.
 *
 * Names are raw bytes. Descriptors belong to the whole process, so other threads can use `fd` and `pathOf`.
 * Calls are synchronous: they take a few microseconds each, and a promise takes longer.
 *
 * Every method throws what node:fs throws, an Error with the system's `code` (`ENOENT` …); `filesystem.name` for a name
 * that is not that of one entry; `filesystem.unsupported` for what takes the C library where it cannot be called.
 */
export class Directory implements Disposable {
  /** The descriptor; ends with the directory. */
  readonly fd: number
  #ownPrefix: Buffer | undefined
  #open: boolean
  /** Open, and nobody has read from the descriptor yet, so that its place is the beginning. */
  #isFresh: boolean

  private constructor(fd: number, owned = true) {
    this.fd = fd
    this.#open = owned
    this.#isFresh = owned
  }

  /** A folder that the operator names: links on the way to it, and at its end, are followed. */
  static open(path: string | Uint8Array): Directory {
    const bytes = typeof path === 'string' ? path : Buffer.from(path)
    return new Directory(openSync(bytes, O_RDONLY | O_DIRECTORY))
  }

  /** A folder that somebody else opened, perhaps in another thread, and will close. */
  static borrow(fd: number): Directory {
    return new Directory(fd, false)
  }

  openChild(name: Uint8Array): Directory {
    const libc = findLibc()
    if (!libc) return new Directory(openSync(this.pathOf(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
    const fd = libc.syscall(calls.openAt, BigInt(this.fd), addressOfName(libc, name), openChildFlags, 0n, 0n, 0n)
    if (fd < 0) throw systemError(libc.errno(), 'open', name)
    return new Directory(fd)
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.fd)
    this.#open = false
    this.#isFresh = false
  }

  /** A path to an entry that holds for all threads of this process while the directory is open. Its end may be a link. */
  pathOf(name: Uint8Array): Buffer {
    checkName(name)
    const prefix = this.#prefix
    const path = Buffer.allocUnsafe(prefix.length + name.length)
    path.set(prefix)
    path.set(name, prefix.length)
    return path
  }

  /** In the order the file system lists them. */
  names(): Buffer[] {
    const libc = this.#isFresh ? findLibc() : undefined
    this.#isFresh = false
    return libc ? listNames(libc, this.fd) : readdirSync(this.#prefix, { encoding: 'buffer' })
  }

  status(name: Uint8Array): Status {
    this.fillStatus(name)
    return readStatus()
  }

  /** As `status`, into `statusBuffer`, where it stays until the next call of any directory. */
  fillStatus(name: Uint8Array): void {
    const libc = findLibc()
    if (!libc) return writeStatus(lstatSync(this.pathOf(name), { bigint: true }))
    if (!callStatx(libc, this.fd, addressOfName(libc, name), linux.atSymlinkNoFollow)) {
      throw systemError(libc.errno(), 'statx', name)
    }
  }

  /** As `status`; undefined when there is no such entry. */
  findStatus(name: Uint8Array): Status | undefined {
    try {
      return this.status(name)
    } catch (thrown) {
      if (systemCode(thrown) === 'ENOENT') return undefined
      throw thrown
    }
  }

  ownStatus(): Status {
    return statusOf(this.fd)
  }

  readLink(name: Uint8Array): Buffer {
    return readlinkSync(this.pathOf(name), { encoding: 'buffer' })
  }

  /** Of the entry itself, also when it is a link; in the order the kernel lists them. */
  extendedAttributes(name: Uint8Array): readonly ExtendedAttributeValue[] {
    return listAttributes(this.#pathForC(name))
  }

  /** Of the directory itself. */
  ownExtendedAttributes(): readonly ExtendedAttributeValue[] {
    return listAttributes(this.fd)
  }

  /** As `openForReading`. */
  openFile(name: Uint8Array): number {
    return openForReading(this.pathOf(name))
  }

  makeDirectory(name: Uint8Array, mode = 0o700): void {
    mkdirSync(this.pathOf(name), { mode })
  }

  /** A file that was not there before, open for writing. */
  createFile(name: Uint8Array, mode = 0o600): number {
    return openSync(this.pathOf(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode)
  }

  /**
   * A file without a name, open for writing, that is gone with its descriptor unless `nameFile` gives it one.
   *
   * @returns undefined where the file system has no such files.
   */
  createUnnamed(mode = 0o600): number | undefined {
    if (!findLibc()) return undefined
    try {
      return openSync(this.#prefix, O_WRONLY | linux.openUnnamed, mode)
    } catch (thrown) {
      const code = systemCode(thrown)
      if (code === 'EOPNOTSUPP' || code === 'ENOTSUP' || code === 'EISDIR' || code === 'EINVAL') return undefined
      throw thrown
    }
  }

  /** Gives a file of `createUnnamed` its name. @throws EEXIST when something has it. */
  nameFile(fd: number, name: Uint8Array): void {
    const libc = getLibc('give a file its name')
    const path = textForC(pathOfDescriptor(fd))
    if (libc.linkat(this.fd, path, this.fd, nameForC(name), linux.atSymlinkFollow) < 0) {
      throw systemError(libc.errno(), 'linkat', name)
    }
  }

  makeSymlink(target: Uint8Array, name: Uint8Array): void {
    symlinkSync(Buffer.from(target), this.pathOf(name))
  }

  /** Another name for the entry `fromName` of `from`; a link is itself linked, not what it leads to. */
  makeHardLink(from: Directory, fromName: Uint8Array, name: Uint8Array): void {
    linkSync(from.pathOf(fromName), this.pathOf(name))
  }

  /**
   * @param device - `st_rdev` of the device; of no meaning for a fifo.
   * @throws EINVAL for a device whose number Linux cannot have.
   */
  makeNode(name: Uint8Array, type: keyof typeof nodeTypes, device = 0n, mode = 0o600): void {
    const libc = getLibc('create fifos and devices')
    if (device < 0n || device >= 1n << 32n) throw systemError(einval, 'mknodat', name)
    const fields = BigInt(nodeTypes[type] | mode)
    const entry = addressOfName(libc, name)
    if (libc.syscall(calls.makeNode, BigInt(this.fd), entry, fields, device, 0n, 0n) < 0) {
      throw systemError(libc.errno(), 'mknodat', name)
    }
  }

  unlink(name: Uint8Array): void {
    unlinkSync(this.pathOf(name))
  }

  removeDirectory(name: Uint8Array): void {
    rmdirSync(this.pathOf(name))
  }

  /**
   * Gives an entry another name, here or in another folder of the same file system, in one step.
   *
   * @param options - `noReplace` fails with EEXIST where a plain rename would replace what has the name.
   */
  rename(name: Uint8Array, to: Directory, toName: Uint8Array, options: { readonly noReplace?: boolean } = {}): void {
    if (!options.noReplace) return renameSync(this.pathOf(name), to.pathOf(toName))
    const libc = getLibc('rename without replacing')
    if (libc.renameat2(this.fd, nameForC(name, 0), to.fd, nameForC(toName, 1), linux.renameNoReplace) < 0) {
      throw systemError(libc.errno(), 'renameat2', name)
    }
  }

  setOwner(name: Uint8Array, uid: number, gid: number): void {
    lchownSync(this.pathOf(name), uid, gid)
  }

  /** @throws ELOOP when the entry is a link: those have no mode on Linux. */
  setMode(name: Uint8Array, mode: number): void {
    // Linux has no chmod that does not follow links; a descriptor that can do nothing else stands for the entry itself.
    const fd = openSync(this.pathOf(name), linux.openPath | O_NOFOLLOW)
    try {
      if (statusOf(fd).type === 'symlink') throw systemError(eloop, 'chmod', name)
      chmodSync(pathOfDescriptor(fd), mode)
    } finally {
      closeSync(fd)
    }
  }

  /** Exact to the nanosecond. @throws `filesystem.unsupported` after setting the nearest time it can, without libc. */
  setTimes(name: Uint8Array, atimeNs: bigint, mtimeNs: bigint): void {
    const libc = findLibc()
    if (!libc) {
      lutimesSync(this.pathOf(name), seconds(atimeNs), seconds(mtimeNs))
      throw filesystemError('filesystem.unsupported', { verb: 'set times to the nanosecond' })
    }
    if (libc.utimensat(this.fd, nameForC(name), timesForC(atimeNs, mtimeNs), linux.atSymlinkNoFollow) < 0) {
      throw systemError(libc.errno(), 'utimensat', name)
    }
  }

  setExtendedAttribute(name: Uint8Array, attribute: string, value: Uint8Array): void {
    setAttribute(this.#pathForC(name), attribute, value)
  }

  removeExtendedAttribute(name: Uint8Array, attribute: string): void {
    removeAttribute(this.#pathForC(name), attribute)
  }

  get #prefix(): Buffer {
    return (this.#ownPrefix ??= Buffer.from(`${pathOfDescriptor(this.fd)}/`))
  }

  #pathForC(name: Uint8Array): Buffer {
    const prefix = this.#prefix
    const bytes = nameForC(name)
    const length = name.length + 1
    if (prefix.length + length > pathScratch.length) return textForC(this.pathOf(name))
    pathScratch.set(prefix)
    for (let i = 0; i < length; i++) pathScratch[prefix.length + i] = bytes[i]!
    return pathScratch
  }
}

const pathScratch = Buffer.alloc(640)

/** Splits a path at its slashes; empty parts are left out. */
export function splitPath(path: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (let start = 0; start <= path.length;) {
    const found = path.indexOf(slash, start)
    const end = found < 0 ? path.length : found
    if (end > start) parts.push(path.subarray(start, end))
    start = end + 1
  }
  return parts
}
