/**
 * Trees: one directory as a JSON document, `{"nodes":[…]}` and a line feed, without any other white space.
 *
 * The bytes are canonical, those of restic 0.14 under TZ=UTC, because a tree's id is the hash of them: other bytes for the same
 * directory would be stored again. Reading takes any JSON, unknown fields, and nodes in any order.
 *
 * Source: restic-format §9.
 */
import { ByteWriter } from './byte-writer.ts'
import { damaged } from './errors.ts'
import { isNodeType, permissionsOf, toGoMode, type NodeType } from './file-mode.ts'
import * as json from './json.ts'
import { quoteName, unquoteName } from './name.ts'
import { splitTree } from './split-tree.ts'
import { missingTime, parseTime } from './time.ts'
import { markedText } from './utf8.ts'

export type { NodeType }

export interface ExtendedAttribute {
  /** Text as restic stores it. */
  readonly name: string
  readonly value: Uint8Array
}

/** One line of a directory. Ids are lower-case hex, times are nanoseconds since 1970, UTC. */
export interface TreeNode {
  /** Raw bytes. In a tree that others wrote it may be anything, even empty, `..` or a path: whoever restores must look. */
  readonly name: Uint8Array
  readonly type: NodeType
  /** Permissions with setuid, setgid and sticky: `st_mode & 0o7777`. */
  readonly mode: number
  readonly mtimeNs: bigint
  readonly atimeNs: bigint
  readonly ctimeNs: bigint
  readonly uid: number
  readonly gid: number
  /** Name of the owner where the tree was made; empty when the id had none. */
  readonly user: string
  readonly group: string
  readonly inode: bigint
  readonly deviceId: bigint
  /** Bytes of a file, 0 for everything else. */
  readonly size: number
  readonly links: number
  /** Raw bytes; symbolic links only. */
  readonly linkTarget?: Uint8Array
  readonly extendedAttributes: readonly ExtendedAttribute[]
  /** `st_rdev` of `dev` and `chardev`, else 0. */
  readonly device: bigint
  /** Ids of the data blobs of a file, in order. Undefined for a file only when a damaged tree has none. */
  readonly content?: readonly string[]
  /** Id of the tree blob of a directory. Undefined for a directory only when a damaged tree has none. */
  readonly subtree?: string
}

/** Compares as unsigned bytes, which is the order of nodes in a tree. */
export function compareNames(a: Uint8Array, b: Uint8Array): number {
  return Buffer.compare(a, b)
}

const noBytes = new Uint8Array(0)

const nodesOfSmallTree = 128
/** Used again for each small tree, because most of them are. */
const smallTree = new ByteWriter(16 + nodesOfSmallTree * 512)

/** The canonical bytes of a directory. `nodes` must be sorted by {@link compareNames}, without two of one name. */
export function encodeTree(nodes: readonly TreeNode[]): Uint8Array {
  const out = nodes.length <= nodesOfSmallTree ? smallTree : new ByteWriter(16 + nodes.length * 512)
  out.clear() // because the one before may have thrown
  const owners = new OwnerText()
  out.ascii('{"nodes":[')
  for (let position = 0; position < nodes.length; position++) {
    if (position > 0) out.ascii(',')
    writeNode(out, nodes[position]!, owners)
  }
  out.ascii(']}\n')
  return out.finish()
}

/** The canonical JSON text of one node. */
export function encodeTreeNode(node: TreeNode): string {
  const out = new ByteWriter(512)
  writeNode(out, node, new OwnerText())
  return json.textFrom(out.finish(), what)
}

function writeNode(out: ByteWriter, node: TreeNode, owners: OwnerText): void {
  const { type } = node
  out.ascii('{"name":"')
  writeName(out, node.name)
  out.ascii('","type":"')
  out.ascii(type)
  out.ascii('"')
  writeCount(out, ',"mode":', toGoMode(type, node.mode))
  writeTimes(out, node)
  owners.write(out, node)
  writeUint64(out, ',"inode":', node.inode)
  writeUint64(out, ',"device_id":', node.deviceId)
  if (type === 'file') writeCount(out, ',"size":', node.size)
  if (hasLinks[type]) writeCount(out, ',"links":', node.links)
  if (node.linkTarget !== undefined) writeLinkTarget(out, node.linkTarget)
  if (node.extendedAttributes.length > 0) writeAttributes(out, node.extendedAttributes)
  writeUint64(out, ',"device":', node.device)
  writeContent(out, node.content)
  if (node.subtree !== undefined) {
    out.ascii(',"subtree":"')
    out.ascii(node.subtree)
    out.ascii('"')
  }
  out.ascii('}')
}

const hasLinks: Readonly<Record<NodeType, boolean>> = {
  file: true,
  dir: false,
  symlink: true,
  dev: true,
  chardev: true,
  fifo: false,
  socket: false,
}

function writeName(out: ByteWriter, name: Uint8Array): void {
  for (let at = 0; at < name.length; at++) {
    const byte = name[at]!
    const isPlain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x26 && byte !== 0x5c
    if (!isPlain || byte === 0x3c || byte === 0x3e) return out.text(json.jsonString(quoteName(name)).slice(1, -1))
  }
  out.bytes(name)
}

function writeTimes(out: ByteWriter, { mtimeNs, atimeNs, ctimeNs }: TreeNode): void {
  out.ascii(',"mtime":"')
  const start = out.length
  out.time(mtimeNs)
  const end = out.length
  out.ascii('","atime":"')
  if (atimeNs === mtimeNs) out.again(start, end)
  else out.time(atimeNs)
  out.ascii('","ctime":"')
  out.time(ctimeNs)
  out.ascii('"')
}

/** The text of the owner written last, because most nodes of a tree belong to one. */
class OwnerText {
  #last: Pick<TreeNode, 'uid' | 'gid' | 'user' | 'group'> = { uid: -1, gid: -1, user: '', group: '' }
  #bytes: Uint8Array = noBytes

  write(out: ByteWriter, node: TreeNode): void {
    const last = this.#last
    if (node.uid !== last.uid || node.gid !== last.gid || node.user !== last.user || node.group !== last.group) {
      const user = node.user === '' ? '' : `,"user":${json.jsonString(node.user)}`
      const group = node.group === '' ? '' : `,"group":${json.jsonString(node.group)}`
      this.#bytes = Buffer.from(`,"uid":${node.uid},"gid":${node.gid}${user}${group}`)
      this.#last = node
    }
    out.bytes(this.#bytes)
  }
}

function writeCount(out: ByteWriter, key: string, value: number): void {
  if (value === 0) return
  out.ascii(key)
  out.count(value)
}

function writeUint64(out: ByteWriter, key: string, value: bigint): void {
  if (value === 0n) return
  out.ascii(key)
  if (value <= 0x7fff_ffffn) out.count(Number(value))
  else out.ascii(String(value))
}

function writeText(out: ByteWriter, key: string, text: string): void {
  if (text === '') return
  out.ascii(key)
  out.text(json.jsonString(text))
}

/** Bytes that are not UTF-8 are kept in a field of their own; restic 0.14 ignores it, 0.16 and later read it. */
function writeLinkTarget(out: ByteWriter, target: Uint8Array): void {
  const marked = markedText(target)
  writeText(out, ',"linktarget":', marked)
  if (!marked.isWellFormed()) writeText(out, ',"linktarget_raw":', json.toBase64(target))
}

function writeAttributes(out: ByteWriter, attributes: readonly ExtendedAttribute[]): void {
  out.ascii(',"extended_attributes":[')
  for (const [position, { name, value }] of attributes.entries()) {
    out.text(`${position > 0 ? ',' : ''}{"name":${json.jsonString(name)},"value":"${json.toBase64(value)}"}`)
  }
  out.ascii(']')
}

function writeContent(out: ByteWriter, ids: readonly string[] | undefined): void {
  if (ids === undefined) return out.ascii(',"content":null')
  out.ascii(',"content":[')
  for (let position = 0; position < ids.length; position++) {
    out.ascii(position === 0 ? '"' : ',"')
    out.ascii(ids[position]!)
    out.ascii('"')
  }
  out.ascii(']')
}

const what = 'tree'
const noAttributes: readonly ExtendedAttribute[] = []
const maximumUint64 = 2n ** 64n - 1n

/**
 * The nodes of a tree blob, in its order. Nothing is left out or mended: what only `check` and a restore can judge (names,
 * order, a file without content, a directory without its tree) comes through.
 *
 * @param wholeBelow - longer trees, in bytes, are split between nodes before they become text.
 * @throws `format.damaged` when the bytes are no tree, or a field is not what it must be.
 */
export function decodeTree(bytes: Uint8Array, wholeBelow: number = 256 * 2 ** 20): TreeNode[] {
  if (bytes.length < wholeBelow) return decodeText(json.textFrom(bytes, what), nodesOfTree)
  const nodes: TreeNode[] = []
  for (const piece of splitTree(bytes, wholeBelow)) {
    for (const node of decodeText(`[${json.textFrom(piece, what)}]`, asNodeList)) nodes.push(node)
  }
  return nodes
}

function nodesOfTree(document: unknown): readonly unknown[] {
  const { nodes } = json.asObject(document, what)
  if (nodes === undefined) throw damaged(what, 'it has no nodes')
  return asNodeList(nodes)
}

function asNodeList(nodes: unknown): readonly unknown[] {
  return json.asList(nodes, what)
}

/** Numbers that JSON.parse may round, found by what stands before them: inside a string those quotes would be escaped. */
const longNumber = /("(?:inode|device_id|device)"\s*:\s*)(\d{16,})/g

function decodeText(text: string, listOf: (document: unknown) => readonly unknown[]): TreeNode[] {
  const nodes = listOf(json.parseText(text, what))
  const decoded = nodes.map(decodeNode)
  if (!decoded.some(isRounded)) return decoded
  // Only then, because few file systems have numbers that long and the replacement costs as much as parsing.
  const exact = listOf(json.parseText(text.replace(longNumber, '$1"$2"'), what)).map(decodeNode)
  if (exact.some(isRounded)) throw damaged(what, 'a whole number is expected')
  return exact
}

/** In place of a number that JSON.parse rounded. */
const rounded = -1n

function isRounded(node: TreeNode): boolean {
  return node.inode === rounded || node.deviceId === rounded || node.device === rounded
}

function decodeNode(value: unknown): TreeNode {
  const fields = json.asObject(value, what)
  const { type, mtime, atime, ctime } = fields
  if (!isNodeType(type)) throw damaged(what, 'a node is of no known type')
  const mtimeNs = decodeTime(mtime)
  const node: { -readonly [Field in keyof TreeNode]: TreeNode[Field] } = {
    name: unquoteName(json.asText(fields['name'], what)),
    type,
    mode: permissionsOf(json.asCount(fields['mode'], what, json.maximumUint32)),
    mtimeNs,
    atimeNs: atime === mtime ? mtimeNs : decodeTime(atime),
    ctimeNs: ctime === mtime ? mtimeNs : decodeTime(ctime),
    uid: json.asCount(fields['uid'], what, json.maximumUint32),
    gid: json.asCount(fields['gid'], what, json.maximumUint32),
    user: json.asText(fields['user'], what),
    group: json.asText(fields['group'], what),
    inode: decodeUint64(fields['inode']),
    deviceId: decodeUint64(fields['device_id']),
    size: json.asCount(fields['size'], what),
    links: json.asCount(fields['links'], what),
    extendedAttributes: decodeAttributes(fields['extended_attributes']),
    device: decodeUint64(fields['device']),
  }
  const content = decodeContent(fields['content'], type)
  if (content !== undefined) node.content = content
  const subtree = json.asIdOrNone(fields['subtree'], what)
  if (subtree !== undefined) node.subtree = subtree
  if (subtree !== undefined && type !== 'dir') throw damaged(what, `a ${type} has a tree below it`)
  const linkTarget = decodeLinkTarget(fields)
  if (linkTarget.length > 0) node.linkTarget = linkTarget
  if (linkTarget.length > 0 && type !== 'symlink') throw damaged(what, `a ${type} has a link target`)
  return node
}

function decodeTime(value: unknown): bigint {
  const text = json.asText(value, what)
  return text === '' && value !== '' ? missingTime : parseTime(text, what)
}

/** A long number comes as a text, see {@link longNumber}. */
function decodeUint64(value: unknown): bigint {
  if (value === undefined || value === null) return 0n
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) {
    return value <= Number.MAX_SAFE_INTEGER ? BigInt(value) : rounded
  }
  if (typeof value === 'string' && /^\d{16,20}$/.test(value) && BigInt(value) <= maximumUint64) return BigInt(value)
  throw damaged(what, 'a whole number below 2^64 is expected')
}

function decodeAttributes(value: unknown): readonly ExtendedAttribute[] {
  const items = json.asList(value, what)
  if (items.length === 0) return noAttributes
  return items.map((item) => {
    const fields = json.asObject(item, what)
    return { name: json.asText(fields['name'], what), value: json.asBytes(fields['value'], what) }
  })
}

function decodeContent(value: unknown, type: NodeType): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const ids = json.asList(value, what).map((id) => json.asId(id, what))
  if (type === 'file') return ids
  if (ids.length > 0) throw damaged(what, `a ${type} has content`)
  return undefined
}

function decodeLinkTarget(fields: json.JsonObject): Uint8Array {
  const { linktarget, linktarget_raw: raw } = fields
  if (raw !== undefined && raw !== null) return Buffer.from(json.asBytes(raw, what))
  return linktarget === undefined ? noBytes : Buffer.from(json.asText(linktarget, what))
}
