/**
 * A tar archive as a stream: for each entry a header of 512 bytes, its bytes, and zeros up to a multiple of 512; in the end
 * 1,024 zeros. What a header has no room for (long paths, sizes from 8 GiB, parts of seconds, attributes) comes in records of
 * their own before it, `length key=value\n`.
 *
 * Names are bytes and stay what they are.
 *
 * Source: POSIX.1-2017, pax, "pax Interchange Format"; for attributes `SCHILY.xattr.`, as GNU tar and libarchive have them.
 */
import { exportError } from './errors.ts'

export type TarKind = 'file' | 'link' | 'symlink' | 'chardev' | 'dev' | 'dir' | 'fifo'

export interface TarHeader {
  readonly kind: TarKind
  /** Relative, raw bytes; a folder without a slash at its end. */
  readonly path: Buffer
  /** Bytes of a file, else 0. */
  readonly size: number
  /** `st_mode & 0o7777`. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly user: string
  readonly group: string
  readonly mtimeNs: bigint
  /** Where a link leads; of a hard link the path of the entry that came before. */
  readonly target?: Uint8Array
  /** `st_rdev`. */
  readonly device?: bigint
  readonly attributes?: readonly { readonly name: string; readonly value: Uint8Array }[]
}

export interface TarEntry {
  readonly header: TarHeader
  /** Exactly `size` bytes. */
  readonly content?: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
}

const block = 512
/** Small pieces are joined, because each goes through two programs. */
const pieceBytes = 1 << 16

/** Writes the archive. @throws `export.size-differs` when a content is not as long as its header says. */
export async function* writeTar(entries: AsyncIterable<TarEntry>): AsyncGenerator<Uint8Array, void, void> {
  yield* joined(separate(entries))
}

async function* separate(entries: AsyncIterable<TarEntry>): AsyncGenerator<Uint8Array, void, void> {
  for await (const { header, content } of entries) {
    yield encodeHeader(header)
    let bytes = 0
    for await (const piece of content ?? []) {
      bytes += piece.length
      if (bytes > header.size) break
      yield piece
    }
    if (bytes !== header.size) {
      throw exportError('export.size-differs', { path: header.path.toString(), bytes, expected: header.size })
    }
    yield Buffer.alloc(paddingOf(bytes))
  }
  yield Buffer.alloc(2 * block)
}

async function* joined(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  let waiting: Uint8Array[] = []
  let bytes = 0
  for await (const piece of pieces) {
    if (piece.length === 0) continue
    waiting.push(piece)
    bytes += piece.length
    if (bytes < pieceBytes) continue
    yield waiting.length === 1 ? piece : Buffer.concat(waiting)
    waiting = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(waiting)
}

function paddingOf(size: number): number {
  return (block - (size % block)) % block
}

const flags: Readonly<Record<TarKind, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  chardev: '3',
  dev: '4',
  dir: '5',
  fifo: '6',
}

/** The header of an entry, with the records before it when it needs any. */
export function encodeHeader(header: TarHeader): Buffer {
  const records = recordsOf(header)
  const plain = encodeBlock(header, flags[header.kind])
  if (records.length === 0) return plain
  const about = { ...header, path: Buffer.from('././@PaxHeader'), size: records.length, mode: 0o644 }
  const { target: _, ...named } = about
  return Buffer.concat([encodeBlock(named, 'x'), records, Buffer.alloc(paddingOf(records.length)), plain])
}

const pathRoom = 100
const nameRoom = 32
const sizeLimit = 8 ** 11
const idLimit = 8 ** 7

function encodeBlock(header: TarHeader, flag: string): Buffer {
  const { uid, gid, size, mtimeNs, target, device = 0n } = header
  const out = Buffer.alloc(block)
  const octal = (value: number, at: number, length: number): void =>
    void out.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1')
  pathOf(header).copy(out, 0, 0, pathRoom)
  octal(header.mode, 100, 8)
  octal(uid < idLimit ? uid : 0, 108, 8)
  octal(gid < idLimit ? gid : 0, 116, 8)
  octal(size < sizeLimit ? size : 0, 124, 12)
  octal(isPlainTime(mtimeNs) ? Number(mtimeNs / 1_000_000_000n) : 0, 136, 12)
  out.fill(' ', 148, 156)
  out.write(flag, 156, 'latin1')
  if (target) Buffer.from(target).copy(out, 157, 0, pathRoom)
  out.write('ustar\x0000', 257, 'latin1')
  out.write(fitting(header.user), 265)
  out.write(fitting(header.group), 297)
  const [major, minor] = numbersOf(device)
  octal(major < idLimit ? major : 0, 329, 8)
  octal(minor < idLimit ? minor : 0, 337, 8)
  const sum = out.reduce((total, byte) => total + byte, 0)
  out.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return out
}

function recordsOf(header: TarHeader): Buffer {
  const { uid, gid, size, mtimeNs, target, attributes = [] } = header
  const path = pathOf(header)
  const text = new Map<string, Uint8Array>()
  const set = (key: string, value: string | Uint8Array): void => void text.set(key, Buffer.from(value as string))
  if (path.length > pathRoom) set('path', path)
  if (target && target.length > pathRoom) set('linkpath', target)
  // Says that the records hold bytes, where they are no UTF-8.
  if ([...text.values()].some((value) => !isUtf8(value)))
    return Buffer.concat([record('hdrcharset', Buffer.from('BINARY')), ...rest()])
  return Buffer.concat(rest())

  function rest(): Buffer[] {
    if (size >= sizeLimit) set('size', String(size))
    if (uid >= idLimit) set('uid', String(uid))
    if (gid >= idLimit) set('gid', String(gid))
    if (!isPlainTime(mtimeNs) || mtimeNs % 1_000_000_000n !== 0n) set('mtime', secondsOf(mtimeNs))
    if (Buffer.byteLength(header.user) > nameRoom) set('uname', header.user)
    if (Buffer.byteLength(header.group) > nameRoom) set('gname', header.group)
    for (const { name, value } of attributes) set(`SCHILY.xattr.${name}`, value)
    return Array.from(text, ([key, value]) => record(key, value))
  }
}

/** `length key=value\n`, where the length counts its own digits. */
function record(key: string, value: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), value, Buffer.from('\n')])
  let length = body.length + 1
  while (String(length).length + body.length > length) length++
  return Buffer.concat([Buffer.from(String(length)), body])
}

function pathOf({ kind, path }: TarHeader): Buffer {
  return kind === 'dir' ? Buffer.concat([path, Buffer.from('/')]) : path
}

function isUtf8(bytes: Uint8Array): boolean {
  return Buffer.from(Buffer.from(bytes).toString()).equals(bytes)
}

function isPlainTime(ns: bigint): boolean {
  return ns >= 0n && ns / 1_000_000_000n < BigInt(sizeLimit)
}

function secondsOf(ns: bigint): string {
  const negative = ns < 0n
  const absolute = negative ? -ns : ns
  const fraction = String(absolute % 1_000_000_000n).padStart(9, '0')
  return `${negative ? '-' : ''}${absolute / 1_000_000_000n}.${fraction}`
}

function fitting(name: string): string {
  return Buffer.byteLength(name) > nameRoom ? '' : name
}

/** Major and minor number, as the C library of Linux packs them. */
function numbersOf(device: bigint): [number, number] {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n)
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n)
  return [Number(major), Number(minor)]
}
