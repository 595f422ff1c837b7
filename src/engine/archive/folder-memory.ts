/**
 * What is remembered from one backup to the next: of each folder of the last snapshot, what it held and which tree that
 * became, so that a folder in which nothing changed need not be looked up in the repository. Where a folder lies does
 * not matter: what holds the same, down to inodes and change times, has the same tree.
 *
 *     magic (8) · repository id (32) · snapshot id (32) · four counts (uint32 LE: index files, users, groups, folders)
 *     index file ids (32 each) · users · groups (number uint32 LE, digest of the name 16)
 *     folders, in order of their digests (digest of the content 16, tree id 32)
 *     SHA-256 of all before (32)
 *
 * No name is in it in the clear.
 */
import { sha256 } from '../crypto/hash.ts'
import { digestLength } from './folder-digest.ts'

const magic = Buffer.from('BWfolds2')
const idLength = 32
const countsAt = magic.length + 2 * idLength
const headLength = countsAt + 4 * 4
const accountLength = 4 + digestLength
const folderLength = digestLength + idLength

/** What a memory is about: it may be believed only where all of this is still so. */
export interface MemoryHead {
  /** Hex. */
  readonly repository: string
  /** Hex id of the snapshot. */
  readonly snapshot: string
  /** Hex ids of the index files that name the blobs of its trees. */
  readonly indexes: readonly string[]
}

/** A memory as it was read. */
export class FolderMemory {
  readonly repository: string
  readonly snapshot: string
  readonly indexes: readonly string[]
  readonly #users: Buffer
  readonly #groups: Buffer
  readonly #folders: Buffer
  readonly #view: DataView

  private constructor(bytes: Buffer, counts: readonly number[]) {
    let at = magic.length
    const take = (length: number): Buffer => bytes.subarray(at, (at += length))
    this.repository = take(idLength).toString('hex')
    this.snapshot = take(idLength).toString('hex')
    at = headLength
    this.indexes = Array.from({ length: counts[0]! }, () => take(idLength).toString('hex'))
    this.#users = take(counts[1]! * accountLength)
    this.#groups = take(counts[2]! * accountLength)
    this.#folders = take(counts[3]! * folderLength)
    this.#view = new DataView(this.#folders.buffer, this.#folders.byteOffset, this.#folders.length)
  }

  /** Undefined for bytes that are no memory, or not the whole of one. */
  static decode(encoded: Uint8Array): FolderMemory | undefined {
    const bytes = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length)
    if (bytes.length < headLength + idLength || !bytes.subarray(0, magic.length).equals(magic)) return undefined
    const counts = [0, 4, 8, 12].map((offset) => bytes.readUInt32LE(countsAt + offset))
    const lengths = [idLength, accountLength, accountLength, folderLength]
    const length = counts.reduce((sum, count, nth) => sum + count * lengths[nth]!, headLength + idLength)
    if (bytes.length !== length) return undefined
    if (!sha256(bytes.subarray(0, -idLength)).equals(bytes.subarray(-idLength))) return undefined
    return new FolderMemory(bytes, counts)
  }

  /** Whether every user and every group that was seen still has the same name. */
  hasSameNames(nameOfUser: (uid: number) => string, nameOfGroup: (gid: number) => string): boolean {
    return areSameNames(this.#users, nameOfUser) && areSameNames(this.#groups, nameOfGroup)
  }

  /** Numbers of the users that were seen. */
  get users(): readonly number[] {
    return numbersIn(this.#users)
  }

  get groups(): readonly number[] {
    return numbersIn(this.#groups)
  }

  /** The id of the tree of a folder that holds what `digest` says, 32 bytes; undefined when none held that. */
  treeOf(digest: Uint8Array): Uint8Array | undefined {
    const wanted = firstWord(digest)
    let low = 0
    let high = this.#folders.length / folderLength
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#view.getUint32(middle * folderLength) < wanted) low = middle + 1
      else high = middle
    }
    for (let at = low * folderLength; at < this.#folders.length; at += folderLength) {
      if (isAt(this.#folders, at, digest)) return this.#folders.subarray(at + digestLength, at + folderLength)
      if (this.#view.getUint32(at) !== wanted) return undefined
    }
    return undefined
  }
}

/** The memory of the backup that is under way. */
export class FolderMemoryWriter {
  readonly #users = new Map<number, string>()
  readonly #groups = new Map<number, string>()
  #folders = Buffer.alloc(1024 * folderLength)
  #count = 0

  /** @param tree - 32 bytes, or hex. */
  add(digest: Uint8Array, tree: Uint8Array | string): void {
    const at = this.#count * folderLength
    if (at === this.#folders.length) this.#folders = Buffer.concat([this.#folders, Buffer.alloc(at)])
    this.#folders.set(digest, at)
    if (typeof tree === 'string') this.#folders.write(tree, at + digestLength, 'hex')
    else this.#folders.set(tree, at + digestLength)
    this.#count++
  }

  /** A name that stands in the trees. */
  addUser(uid: number, name: string): void {
    this.#users.set(uid, name)
  }

  /** As `addUser`. */
  addGroup(gid: number, name: string): void {
    this.#groups.set(gid, name)
  }

  encode(head: MemoryHead): Uint8Array {
    const counts = Buffer.alloc(16)
    for (const [nth, count] of [head.indexes.length, this.#users.size, this.#groups.size, this.#count].entries()) {
      counts.writeUInt32LE(count, nth * 4)
    }
    const body = Buffer.concat([
      magic,
      ...[head.repository, head.snapshot].map((id) => Buffer.from(id, 'hex')),
      counts,
      ...head.indexes.map((id) => Buffer.from(id, 'hex')),
      encodeNames(this.#users),
      encodeNames(this.#groups),
      this.#sorted(),
    ])
    return Buffer.concat([body, sha256(body)])
  }

  /** Folders whose digests begin with the same word are in no order. */
  #sorted(): Buffer {
    const folders = this.#folders
    const words = Uint32Array.from({ length: this.#count }, (_, nth) => folders.readUInt32BE(nth * folderLength))
    const order = Uint32Array.from(words, (_, nth) => nth).sort((a, b) => words[a]! - words[b]!)
    const sorted = Buffer.alloc(this.#count * folderLength)
    for (const [place, nth] of order.entries()) {
      folders.copy(sorted, place * folderLength, nth * folderLength, (nth + 1) * folderLength)
    }
    return sorted
  }
}

function encodeNames(names: ReadonlyMap<number, string>): Buffer {
  const bytes = Buffer.alloc(names.size * accountLength)
  let at = 0
  for (const [number, name] of names) {
    bytes.writeUInt32LE(number, at)
    bytes.set(digestOfName(name), at + 4)
    at += accountLength
  }
  return bytes
}

function numbersIn(accounts: Buffer): number[] {
  return Array.from({ length: accounts.length / accountLength }, (_, nth) => accounts.readUInt32LE(nth * accountLength))
}

function areSameNames(accounts: Buffer, nameOf: (number: number) => string): boolean {
  return numbersIn(accounts).every((number, nth) =>
    isAt(accounts, nth * accountLength + 4, digestOfName(nameOf(number))),
  )
}

function digestOfName(name: string): Uint8Array {
  return sha256(Buffer.from(name)).subarray(0, digestLength)
}

function firstWord(digest: Uint8Array): number {
  return ((digest[0]! << 24) | (digest[1]! << 16) | (digest[2]! << 8) | digest[3]!) >>> 0
}

function isAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let place = 0; place < wanted.length; place++) if (bytes[at + place] !== wanted[place]) return false
  return true
}
