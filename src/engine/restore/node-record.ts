/**
 * Tree nodes as plain bytes: a tenth of the memory of objects, and handed to another thread by copying them.
 *
 * A record is a head of fixed size (offsets below), then name, link target, extended attributes (each: two lengths, name,
 * value), content (32 bytes an id) and the id of the subtree. Numbers are little endian.
 */
import { isEntryName } from '../filesystem/name.ts'
import { quoteName } from '../format/name.ts'
import { compareNames, type ExtendedAttribute, type NodeType, type TreeNode } from '../format/tree-node.ts'

/** A node that can be restored, as far as it alone can tell. */
export interface NodeRecord {
  readonly type: NodeType
  /** One path component, checked. */
  readonly name: Uint8Array
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeNs: bigint
  readonly atimeNs: bigint
  readonly inode: bigint
  readonly deviceId: bigint
  readonly device: bigint
  readonly size: number
  readonly links: number
  readonly linkTarget: Uint8Array
  readonly extendedAttributes: readonly ExtendedAttribute[]
  /** Ids of data blobs, 32 bytes each. */
  readonly content: Uint8Array
  /** 32 bytes; empty when it is not a directory. */
  readonly subtree: Uint8Array
}

/** A node that was left out of the records, and why. */
export interface RefusedNode {
  readonly severity: 'damage' | 'notice'
  /** As text for people. */
  readonly name: string
  readonly text: string
}

const types: readonly NodeType[] = ['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket']
const typeNumbers = new Map(types.map((type, position) => [type, position]))

const field = {
  length: 0,
  type: 4,
  mode: 8,
  uid: 12,
  gid: 16,
  links: 20,
  mtimeSeconds: 24,
  atimeSeconds: 32,
  mtimeNanoseconds: 40,
  atimeNanoseconds: 44,
  inode: 48,
  deviceId: 56,
  device: 64,
  size: 72,
  nameLength: 80,
  targetLength: 84,
  attributeCount: 88,
  contentCount: 92,
  subtreeLength: 96,
} as const
const headLength = 100
const idLength = 32
const billion = 1_000_000_000n
const maximumUint32 = 0xffff_ffff

/** Builds the records of one or many trees, one after the other. */
export class RecordWriter {
  #bytes = Buffer.alloc(4096)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** The records so far, in memory of their own. */
  take(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#bytes.subarray(0, this.#length))
  }

  /** Adds the nodes of one tree that can be restored and returns the others. */
  addTree(nodes: readonly TreeNode[]): RefusedNode[] {
    const refused: RefusedNode[] = []
    const seen = isAscending(nodes) ? undefined : new Set<string>()
    for (const node of nodes) {
      const reason = refusal(node, seen)
      if (reason) refused.push({ ...reason, name: quoteName(node.name) })
      else this.add(node)
    }
    return refused
  }

  add(node: TreeNode): void {
    const { name, extendedAttributes, content } = node
    const target = node.linkTarget ?? nothing
    const contentLength = (content?.length ?? 0) * idLength
    const values = extendedAttributes.map((attribute) => ({ ...attribute, name: Buffer.from(attribute.name) }))
    const attributesLength = values.reduce((sum, { name, value }) => sum + 8 + name.length + value.length, 0)
    const subtreeLength = node.subtree ? idLength : 0
    const length = headLength + name.length + target.length + attributesLength + contentLength + subtreeLength
    const start = this.#reserve(length)
    const bytes = this.#bytes

    bytes.writeUInt32LE(length, start + field.length)
    bytes.writeUInt32LE(typeNumbers.get(node.type)!, start + field.type)
    bytes.writeUInt32LE(node.mode, start + field.mode)
    bytes.writeUInt32LE(node.uid, start + field.uid)
    bytes.writeUInt32LE(node.gid, start + field.gid)
    bytes.writeUInt32LE(Math.min(node.links, maximumUint32), start + field.links)
    writeTime(bytes, start + field.mtimeSeconds, start + field.mtimeNanoseconds, node.mtimeNs)
    writeTime(bytes, start + field.atimeSeconds, start + field.atimeNanoseconds, node.atimeNs)
    bytes.writeBigUInt64LE(node.inode, start + field.inode)
    bytes.writeBigUInt64LE(node.deviceId, start + field.deviceId)
    bytes.writeBigUInt64LE(node.device, start + field.device)
    bytes.writeDoubleLE(node.size, start + field.size)
    bytes.writeUInt32LE(name.length, start + field.nameLength)
    bytes.writeUInt32LE(target.length, start + field.targetLength)
    bytes.writeUInt32LE(values.length, start + field.attributeCount)
    bytes.writeUInt32LE(content?.length ?? 0, start + field.contentCount)
    bytes.writeUInt32LE(subtreeLength, start + field.subtreeLength)

    let at = start + headLength
    const put = (part: Uint8Array): void => {
      bytes.set(part, at)
      at += part.length
    }
    put(name)
    put(target)
    for (const { name, value } of values) {
      bytes.writeUInt32LE(name.length, at)
      bytes.writeUInt32LE(value.length, at + 4)
      at += 8
      put(name)
      put(value)
    }
    for (const id of content ?? []) at += bytes.write(id, at, idLength, 'hex')
    if (node.subtree) bytes.write(node.subtree, at, idLength, 'hex')
  }

  /** Takes back everything from byte `length` on. */
  cut(length: number): void {
    this.#length = length
  }

  /** Adds a record that lies elsewhere, as it is. */
  copy(records: Uint8Array, at: number): void {
    const length = recordLength(records, at)
    const start = this.#reserve(length)
    this.#bytes.set(records.subarray(at, at + length), start)
  }

  #reserve(length: number): number {
    const start = this.#length
    this.#length += length
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(this.#length, this.#bytes.length * 2))
      larger.set(this.#bytes.subarray(0, start))
      this.#bytes = larger
    }
    return start
  }
}

/** Bytes from this record to the next. */
export function recordLength(records: Uint8Array, at: number): number {
  return (records[at]! | (records[at + 1]! << 8) | (records[at + 2]! << 16) | (records[at + 3]! << 24)) >>> 0
}

/** The record that begins at `start`; its byte fields are views of `records`. */
export function readRecord(records: Buffer, start: number): NodeRecord {
  let at = start + headLength
  const take = (length: number): Uint8Array => (length === 0 ? nothing : records.subarray(at, (at += length)))
  const name = take(records.readUInt32LE(start + field.nameLength))
  const linkTarget = take(records.readUInt32LE(start + field.targetLength))
  const extendedAttributes: ExtendedAttribute[] = []
  for (let left = records.readUInt32LE(start + field.attributeCount); left > 0; left--) {
    const [nameLength, valueLength] = [records.readUInt32LE(at), records.readUInt32LE(at + 4)]
    at += 8
    extendedAttributes.push({ name: Buffer.from(take(nameLength)).toString(), value: take(valueLength) })
  }
  return {
    type: types[records.readUInt32LE(start + field.type)]!,
    name,
    mode: records.readUInt32LE(start + field.mode),
    uid: records.readUInt32LE(start + field.uid),
    gid: records.readUInt32LE(start + field.gid),
    mtimeNs: readTime(records, start + field.mtimeSeconds, start + field.mtimeNanoseconds),
    atimeNs: readTime(records, start + field.atimeSeconds, start + field.atimeNanoseconds),
    inode: records.readBigUInt64LE(start + field.inode),
    deviceId: records.readBigUInt64LE(start + field.deviceId),
    device: records.readBigUInt64LE(start + field.device),
    size: records.readDoubleLE(start + field.size),
    links: records.readUInt32LE(start + field.links),
    linkTarget,
    extendedAttributes,
    content: take(records.readUInt32LE(start + field.contentCount) * idLength),
    subtree: take(records.readUInt32LE(start + field.subtreeLength)),
  }
}

/** Each record of `records`, with its number from 0. */
export function* readRecords(records: Uint8Array): Generator<[number, NodeRecord], void, void> {
  const bytes = bufferOf(records)
  for (let at = 0, number = 0; at < bytes.length; at += recordLength(bytes, at)) yield [number++, readRecord(bytes, at)]
}

/** The same memory with Buffer's methods. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

const nothing = new Uint8Array(0)

function refusal(node: TreeNode, seen: Set<string> | undefined): Omit<RefusedNode, 'name'> | undefined {
  if (!isEntryName(node.name)) return damage('its name is not that of one entry, so it leads elsewhere')
  if (seen) {
    const name = Buffer.from(node.name).toString('latin1')
    if (seen.has(name)) return damage('another entry of the folder has the same name')
    seen.add(name)
  }
  switch (node.type) {
    case 'file':
      return node.content === undefined ? damage('a file without a list of its contents') : undefined
    case 'dir':
      return node.subtree === undefined ? damage('a folder without a list of its entries') : undefined
    case 'symlink':
      return node.linkTarget?.length ? undefined : damage('a link that leads nowhere')
    case 'socket':
      return { severity: 'notice', text: 'a socket is made by its program, and was left out' }
    default:
      return undefined
  }
}

function damage(text: string): Omit<RefusedNode, 'name'> {
  return { severity: 'damage', text }
}

/** As every sound tree is; only others can hold a name twice. */
function isAscending(nodes: readonly TreeNode[]): boolean {
  for (let position = 1; position < nodes.length; position++) {
    if (compareNames(nodes[position - 1]!.name, nodes[position]!.name) >= 0) return false
  }
  return true
}

function writeTime(bytes: Buffer, secondsAt: number, nanosecondsAt: number, ns: bigint): void {
  let seconds = ns / billion
  if (seconds * billion > ns) seconds -= 1n
  bytes.writeBigInt64LE(BigInt.asIntN(64, seconds), secondsAt)
  bytes.writeUInt32LE(Number(ns - seconds * billion), nanosecondsAt)
}

function readTime(bytes: Buffer, secondsAt: number, nanosecondsAt: number): bigint {
  return bytes.readBigInt64LE(secondsAt) * billion + BigInt(bytes.readUInt32LE(nanosecondsAt))
}

/** The hex id of one blob of the content of the record that begins at `start`. */
export function contentIdAt(records: Buffer, start: number, index: number): string {
  const end = start + recordLength(records, start) - records.readUInt32LE(start + field.subtreeLength)
  const at = end - (records.readUInt32LE(start + field.contentCount) - index) * idLength
  return records.toString('hex', at, at + idLength)
}
