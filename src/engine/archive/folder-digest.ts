import { constants } from 'node:fs'

import { sha256 } from '../crypto/hash.ts'
import { majorOf, minorOf, statusWord, statusWords, type EntryType } from '../filesystem/status.ts'
import { linkedTypes } from './node.ts'

/** What a status tells of an entry, and what a node keeps of it. */
export interface EntryFields {
  readonly type: EntryType
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly deviceId: bigint
  readonly links: number
  readonly device: bigint
}

export const digestLength = 16
const typeBits: Readonly<Record<EntryType, number>> = {
  file: constants.S_IFREG,
  dir: constants.S_IFDIR,
  symlink: constants.S_IFLNK,
  dev: constants.S_IFBLK,
  chardev: constants.S_IFCHR,
  fifo: constants.S_IFIFO,
  socket: constants.S_IFSOCK,
}
const fixed = 80
const treeIdLength = 32
const billion = 1_000_000_000n

/**
 * Digest of what a folder holds: first everything but folders, then the folders with the ids of their trees, both in
 * the order of names. The status of an entry and its node in a tree count the same.
 *
 * Layout, each entry: name length, type and mode, uid, gid uint32, size uint64, mtime and ctime (seconds int64, nanoseconds
 * uint32), inode uint64, major and minor number of the device that holds it, links, major and minor number of the device
 * that it stands for uint32, 0 (all LE), name and zeros up to a multiple of 4, tree id of a folder (32 bytes).
 */
export class FolderDigest {
  #bytes = Buffer.alloc(1 << 16)
  #view = new DataView(this.#bytes.buffer)
  #words = new Uint32Array(this.#bytes.buffer)
  #length = 0
  /** Most entries lie on the device of the one before. */
  #holder = { number: 0n, major: 0, minor: 0 }

  clear(): this {
    this.#length = 0
    return this
  }

  /** @param subtree - of a folder: the id of its tree, 32 bytes or hex. */
  add(name: Uint8Array, entry: EntryFields, subtree?: Uint8Array | string): void {
    const at = this.#begin(name)
    const view = this.#view
    const { type } = entry
    const isDevice = type === 'dev' || type === 'chardev'
    view.setUint32(at + 4, typeBits[type] | entry.mode, true)
    view.setUint32(at + 8, entry.uid, true)
    view.setUint32(at + 12, entry.gid, true)
    view.setBigUint64(at + 16, type === 'file' ? BigInt(entry.size) : 0n, true)
    this.#setTime(at + 24, entry.mtimeNs)
    this.#setTime(at + 36, entry.ctimeNs)
    view.setBigUint64(at + 48, entry.inode, true)
    this.#setHolder(at + 56, entry.deviceId)
    view.setUint32(at + 64, linkedTypes.has(type) ? entry.links : 0, true)
    view.setUint32(at + 68, isDevice ? majorOf(entry.device) : 0, true)
    view.setUint32(at + 72, isDevice ? minorOf(entry.device) : 0, true)
    if (subtree !== undefined) this.#addTreeId(subtree)
  }

  /** As `add` of the status that lies in `statusBuffer`, of something that is no folder. */
  addFromBuffer(name: Uint8Array, type: EntryType): void {
    const at = this.#begin(name) / 4
    const words = this.#words
    const isDevice = type === 'dev' || type === 'chardev'
    words[at + 1] = statusWords[statusWord.mode]! & 0xffff
    words[at + 2] = statusWords[statusWord.uid]!
    words[at + 3] = statusWords[statusWord.gid]!
    words[at + 4] = type === 'file' ? statusWords[statusWord.size]! : 0
    words[at + 5] = type === 'file' ? statusWords[statusWord.size + 1]! : 0
    for (let word = 0; word < 3; word++) {
      words[at + 6 + word] = statusWords[statusWord.mtime + word]!
      words[at + 9 + word] = statusWords[statusWord.ctime + word]!
    }
    words[at + 12] = statusWords[statusWord.inode]!
    words[at + 13] = statusWords[statusWord.inode + 1]!
    words[at + 14] = statusWords[statusWord.holderMajor]!
    words[at + 15] = statusWords[statusWord.holderMinor]!
    words[at + 16] = linkedTypes.has(type) ? statusWords[statusWord.links]! : 0
    words[at + 17] = isDevice ? statusWords[statusWord.deviceMajor]! : 0
    words[at + 18] = isDevice ? statusWords[statusWord.deviceMinor]! : 0
  }

  /** Ends the first part, to be carried over into the second; the digest is then empty. */
  takeEntries(): Uint8Array | undefined {
    return this.#length === 0 ? undefined : this.#take()
  }

  /** The digest of both parts, 16 bytes; it is then empty. */
  finish(entries: Uint8Array | undefined): Uint8Array {
    if (entries === undefined) return this.#take().subarray(0, digestLength)
    if (this.#length === 0) return entries.subarray(0, digestLength)
    const folders = this.#take()
    return sha256(Buffer.concat([entries, folders])).subarray(0, digestLength)
  }

  #take(): Uint8Array {
    const taken = sha256(this.#bytes.subarray(0, this.#length))
    this.#length = 0
    return taken
  }

  /** Makes room for an entry and puts its name there. @returns where the entry begins. */
  #begin(name: Uint8Array): number {
    const at = this.#length
    const end = at + fixed + Math.ceil(name.length / 4) * 4
    if (end + treeIdLength > this.#bytes.length) this.#grow(end + treeIdLength)
    const words = this.#words
    words[end / 4 - 1] = 0
    this.#view.setUint32(at, name.length, true)
    words[at / 4 + 19] = 0
    const bytes = this.#bytes
    for (let place = 0; place < name.length; place++) bytes[at + fixed + place] = name[place]!
    this.#length = end
    return at
  }

  #setHolder(at: number, number: bigint): void {
    if (number !== this.#holder.number) this.#holder = { number, major: majorOf(number), minor: minorOf(number) }
    this.#view.setUint32(at, this.#holder.major, true)
    this.#view.setUint32(at + 4, this.#holder.minor, true)
  }

  #setTime(at: number, ns: bigint): void {
    let seconds = ns / billion
    if (seconds * billion > ns) seconds -= 1n
    this.#view.setBigInt64(at, seconds, true)
    this.#view.setUint32(at + 8, Number(ns - seconds * billion), true)
  }

  #addTreeId(id: Uint8Array | string): void {
    if (typeof id === 'string') this.#bytes.write(id, this.#length, 'hex')
    else this.#bytes.set(id, this.#length)
    this.#length += treeIdLength
  }

  #grow(needed: number): void {
    const larger = Buffer.alloc(Math.ceil(needed / 4) * 8)
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
    this.#words = new Uint32Array(larger.buffer)
  }
}
