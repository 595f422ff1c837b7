import { sha256 } from '../crypto/hash.ts'
import type { EntryType } from '../filesystem/status.ts'
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
const typeNumbers = { file: 1, dir: 2, symlink: 3, dev: 4, chardev: 5, fifo: 6, socket: 7 } as const
const fixed = 72
const treeIdLength = 32

/**
 * Digest of what a folder holds: first everything but folders, then the folders with the ids of their trees, both in
 * the order of names. The status of an entry and its node in a tree count the same.
 *
 * Layout, each entry: name length uint32, type and mode uint32, uid, gid uint32, size float64, mtime, ctime int64,
 * inode, device id uint64, links uint32, 0, device uint64 (all LE), name, tree id of a folder (32 bytes).
 */
export class FolderDigest {
  #bytes = Buffer.alloc(1 << 16)
  #view = new DataView(this.#bytes.buffer)
  #length = 0

  clear(): this {
    this.#length = 0
    return this
  }

  /** @param subtree - of a folder: the id of its tree, 32 bytes or hex. */
  add(name: Uint8Array, entry: EntryFields, subtree?: Uint8Array | string): void {
    const end = this.#length + fixed + name.length + treeIdLength
    if (end > this.#bytes.length) this.#grow(end)
    const view = this.#view
    const at = this.#length
    const { type } = entry
    const isDevice = type === 'dev' || type === 'chardev'
    view.setUint32(at, name.length, true)
    view.setUint32(at + 4, (typeNumbers[type] << 16) | entry.mode, true)
    view.setUint32(at + 8, entry.uid, true)
    view.setUint32(at + 12, entry.gid, true)
    view.setFloat64(at + 16, type === 'file' ? entry.size : 0, true)
    view.setBigInt64(at + 24, entry.mtimeNs, true)
    view.setBigInt64(at + 32, entry.ctimeNs, true)
    view.setBigUint64(at + 40, entry.inode, true)
    view.setBigUint64(at + 48, entry.deviceId, true)
    view.setUint32(at + 56, linkedTypes.has(type) ? entry.links : 0, true)
    view.setUint32(at + 60, 0, true)
    view.setBigUint64(at + 64, isDevice ? entry.device : 0n, true)
    this.#bytes.set(name, at + fixed)
    this.#length = at + fixed + name.length
    if (subtree !== undefined) this.#addTreeId(subtree)
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

  #addTreeId(id: Uint8Array | string): void {
    if (typeof id === 'string') this.#bytes.write(id, this.#length, 'hex')
    else this.#bytes.set(id, this.#length)
    this.#length += treeIdLength
  }

  #grow(needed: number): void {
    const larger = Buffer.alloc(needed * 2)
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}
