/**
 * The bytes of SFTP version 3: `length uint32, type byte, request id uint32, fields`, all numbers big-endian, strings with
 * their length before them. The other side is not trusted: each length is checked against the bytes that are there.
 *
 * Source: draft-ietf-secsh-filexfer-02.
 */
import type { EntryFacts, EntryType } from './entry.ts'

export const packetType = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attributes: 105,
  extended: 200,
  extendedReply: 201,
} as const

export const statusCode = { ok: 0, eof: 1, missing: 2, denied: 3, unsupported: 8 } as const

/** Bytes: no packet of ours or theirs is larger. OpenSSH itself ends at 256 KiB. */
const largestPacket = 1 << 20
const flags = { size: 1, owner: 2, permissions: 4, times: 8, extended: 0x80000000 } as const
const types = new Map<number, EntryType>([
  [0o100000, 'file'],
  [0o040000, 'dir'],
  [0o120000, 'symlink'],
  [0o060000, 'dev'],
  [0o020000, 'chardev'],
  [0o010000, 'fifo'],
  [0o140000, 'socket'],
])

/** What the other side said is not SFTP. */
export class GarbledPacket extends Error {
  override readonly name = 'GarbledPacket'
}

/** A field of a packet: a number is a uint32, a bigint a uint64, text (latin1) or bytes a string. */
export type Field = number | bigint | string | Uint8Array

export function encodePacket(type: number, ...fields: readonly Field[]): Buffer {
  return encode(type, fields, 0)
}

/** The same for a packet that ends with many bytes, which are not copied. */
export function encodePacketParts(type: number, ...fields: readonly [...Field[], Uint8Array]): Uint8Array[] {
  const body = fields.at(-1) as Uint8Array
  return [encode(type, [...fields.slice(0, -1), body.length], body.length), body]
}

/** @param following - bytes of the packet that are sent after it. */
function encode(type: number, fields: readonly Field[], following: number): Buffer {
  const sizes = fields.map(sizeOf)
  const size = sizes.reduce((sum, part) => sum + part, 1)
  const packet = Buffer.allocUnsafe(4 + size)
  packet.writeUInt32BE(size + following)
  packet[4] = type
  let at = 5
  for (const [nth, field] of fields.entries()) {
    if (typeof field === 'number') packet.writeUInt32BE(field, at)
    else if (typeof field === 'bigint') packet.writeBigUInt64BE(field, at)
    else {
      packet.writeUInt32BE(sizes[nth]! - 4, at)
      if (typeof field === 'string') packet.write(field, at + 4, 'latin1')
      else packet.set(field, at + 4)
    }
    at += sizes[nth]!
  }
  return packet
}

function sizeOf(field: Field): number {
  if (typeof field === 'number') return 4
  return typeof field === 'bigint' ? 8 : 4 + field.length
}

/** Splits what arrives into packets without their length. @throws GarbledPacket when one would be too large. */
export async function* splitPackets(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<PacketReader, void, void> {
  let waiting: Buffer[] = []
  let size = 0
  let needed = 4
  for await (const piece of pieces) {
    waiting.push(Buffer.from(piece.buffer, piece.byteOffset, piece.length))
    size += piece.length
    if (size < needed) continue
    // because joining once what makes up a packet copies each byte at most once
    let rest = waiting.length === 1 ? waiting[0]! : Buffer.concat(waiting, size)
    for (needed = 4; rest.length >= 4; needed = 4) {
      needed = 4 + lengthOf(rest)
      if (rest.length < needed) break
      yield new PacketReader(rest.subarray(4, needed))
      rest = rest.subarray(needed)
    }
    waiting = rest.length === 0 ? [] : [rest]
    size = rest.length
  }
}

function lengthOf(packet: Buffer): number {
  const length = packet.readUInt32BE()
  if (length === 0 || length > largestPacket) throw new GarbledPacket(`a packet of ${length} bytes`)
  return length
}

/** Reads the fields of one packet, in order. */
export class PacketReader {
  readonly type: number
  readonly #bytes: Buffer
  #at = 1

  constructor(bytes: Buffer) {
    this.type = bytes[0]!
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4))
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#advance(8))
  }

  /** A view: what is kept for long must be copied. */
  bytes(): Buffer {
    const length = this.uint32()
    const start = this.#advance(length)
    return this.#bytes.subarray(start, start + length)
  }

  latin1(): string {
    return this.bytes().toString('latin1')
  }

  /** What attributes tell; times in whole seconds, names of owners not at all. */
  facts(): EntryFacts {
    const has = this.uint32()
    const size = has & flags.size ? Number(this.uint64()) : 0
    const [uid, gid] = has & flags.owner ? [this.uint32(), this.uint32()] : [0, 0]
    const permissions = has & flags.permissions ? this.uint32() : 0
    const [atime, mtime] = has & flags.times ? [this.uint32(), this.uint32()] : [0, 0]
    if (has & flags.extended) for (let left = this.uint32(); left > 0; left--) void [this.bytes(), this.bytes()]
    const type = types.get(permissions & 0o170000)
    if (!type) throw new GarbledPacket('an entry without a type')
    if (!Number.isSafeInteger(size)) throw new GarbledPacket('a file larger than any')
    return {
      type,
      mode: permissions & 0o7777,
      uid,
      gid,
      user: '',
      group: '',
      mtimeNs: BigInt(mtime) * 1_000_000_000n,
      atimeNs: BigInt(atime) * 1_000_000_000n,
      ctimeNs: 0n,
      inode: 0n,
      deviceId: 0n,
      links: 1,
      size,
      device: 0n,
    }
  }

  #advance(length: number): number {
    const start = this.#at
    if (start + length > this.#bytes.length) throw new GarbledPacket('a packet that ends too early')
    this.#at += length
    return start
  }
}
