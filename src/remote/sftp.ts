import type { DuplexProgram } from '#base'
import { isEntryName, joinPath, type Entry, type EntryFacts, type Path } from './entry.ts'
import { SftpExchange, type SftpOptions } from './sftp-exchange.ts'
import { GarbledPacket, packetType, type Field } from './sftp-packets.ts'

/** Bytes asked for, or sent, with one request: what every server takes. */
const pieceBytes = 32 * 1024
/** Pieces of one file that may be under way, so that the time of a round trip costs nothing. */
const piecesAhead = 64
/** Bytes of one request at the most, also when the server would take more: what OpenSSH takes. */
const largestPieceBytes = 255 * 1024
/** Bytes of one file that may be under way: twice what a channel of OpenSSH holds. */
const bytesAhead = 4 * 1024 * 1024
/** Entries of one folder that are believed. */
const largestFolder = 1_000_000

/** What statvfs(3) tells. */
export interface Space {
  /** Bytes, as `free`: what this user may still write. */
  readonly size: bigint
  readonly free: bigint
  readonly hasFreeFiles: boolean
  readonly isReadOnly: boolean
}

/** A file that is open there. */
export type SftpHandle = Uint8Array & { readonly sftpHandle?: never }

/**
 * A client of SFTP version 3: many requests at once, answers in any order. Paths and names are bytes, each one character
 * (latin1). What the server refuses is thrown as an Error with the system's code (`ENOENT`, `EACCES`, mostly `EIO`); a
 * connection that breaks, stalls or talks nonsense ends every call, those that follow too.
 *
 * Memory: what is asked for at one time. Nothing that was not asked for is kept.
 *
 * Source: draft-ietf-secsh-filexfer-02; OpenSSH PROTOCOL, section 4, for the extensions.
 */
export class SftpClient {
  readonly #exchange: SftpExchange
  readonly #extensions: ReadonlyMap<string, string>
  #readBytes = pieceBytes
  #writeBytes = pieceBytes

  private constructor(exchange: SftpExchange, extensions: ReadonlyMap<string, string>) {
    this.#exchange = exchange
    this.#extensions = extensions
  }

  /** Greets the server. @param program - `ssh -s … sftp`, or what else speaks SFTP; it stays the caller's to end. */
  static async open(program: DuplexProgram, options: SftpOptions): Promise<SftpClient> {
    const exchange = new SftpExchange(program, options)
    const packet = await exchange.greet()
    packet.uint32() // because a server that knows later versions too answers with 3
    const extensions = new Map<string, string>()
    while (!packet.isAtEnd) extensions.set(packet.latin1(), packet.latin1())
    const client = new SftpClient(exchange, extensions)
    if (client.has('limits@openssh.com')) await client.#learnLimits()
    return client
  }

  /** Whether the server knows an extension, such as `posix-rename@openssh.com`. */
  has(extension: string): boolean {
    return this.#extensions.has(extension)
  }

  async realpath(path: Path): Promise<Path> {
    const packet = await this.#exchange.ask('realpath', packetType.name, packetType.realpath, path)
    return this.#exchange.checked(() => (packet.uint32(), packet.latin1()))
  }

  /** Links not followed. */
  async lstat(path: Path): Promise<EntryFacts> {
    const packet = await this.#exchange.ask('lstat', packetType.attributes, packetType.lstat, path)
    return this.#exchange.checked(() => packet.facts())
  }

  /** Links followed. */
  async stat(path: Path): Promise<EntryFacts> {
    const packet = await this.#exchange.ask('stat', packetType.attributes, packetType.stat, path)
    return this.#exchange.checked(() => packet.facts())
  }

  async readlink(path: Path): Promise<Buffer> {
    const packet = await this.#exchange.ask('readlink', packetType.name, packetType.readlink, path)
    return this.#exchange.checked(() => (packet.uint32(), Buffer.from(packet.bytes())))
  }

  /** What lies in a folder, with the targets of links, in the server's order. */
  async list(path: Path): Promise<Entry[]> {
    const handle = await this.#open('opendir', packetType.opendir, path)
    const entries: { name: Buffer; facts: EntryFacts }[] = []
    try {
      while (await this.#readFolder(handle, entries)) {
        if (entries.length > largestFolder) throw this.#exchange.fail(new GarbledPacket('a folder that does not end'))
      }
    } finally {
      this.#close(handle)
    }
    return await Promise.all(
      entries.map(async ({ name, facts }) => {
        if (facts.type !== 'symlink') return { ...facts, name }
        return { ...facts, name, linkTarget: await this.readlink(joinPath(path, name.toString('latin1'))) }
      }),
    )
  }

  /**
   * Reads a file, up to 2 MiB ahead of its reader.
   *
   * @param expected - bytes, when they are known: then no more than these are read, and their end is not asked for.
   */
  async *read(path: Path, expected?: number): AsyncGenerator<Buffer, void, void> {
    const handle = await this.#open('open', packetType.open, path, 1, 0)
    const ahead: Promise<Buffer>[] = []
    const end = expected || Infinity
    let asked = 0
    try {
      // because a file whose length is not known is mostly small: the more has come, the more is asked for
      for (let window = end === Infinity ? 2 : piecesAhead; ; window = Math.min(window * 2, piecesAhead)) {
        while (ahead.length < window && asked < end) {
          const length = Math.min(pieceBytes, end - asked)
          const piece = this.#readPiece(handle, asked, length)
          piece.catch(() => {}) // because it is awaited when its turn comes
          ahead.push(piece)
          asked += length
        }
        const next = await ahead.shift()
        if (!next) return
        if (next.length > 0) yield next
        if (next.length < pieceBytes) return
      }
    } finally {
      await Promise.allSettled(ahead)
      this.#close(handle)
    }
  }

  /** Opens a file for reading. */
  async open(path: Path): Promise<SftpHandle> {
    return await this.#open('open', packetType.open, path, 1, 0)
  }

  /**
   * The bytes of an open file from `start` up to, and without, `end`, up to 4 MiB ahead of their reader; fewer only when
   * the file ends before. The handle stays open.
   */
  async *readRange(handle: SftpHandle, start: number, end: number): AsyncGenerator<Buffer, void, void> {
    const ahead: Promise<Buffer>[] = []
    const most = Math.max(1, Math.floor(bytesAhead / this.#readBytes))
    let asked = start
    try {
      while (asked < end || ahead.length > 0) {
        while (ahead.length < most && asked < end) {
          const piece = this.#readPiece(handle, asked, Math.min(this.#readBytes, end - asked))
          piece.catch(() => {}) // because it is awaited when its turn comes
          ahead.push(piece)
          asked = Math.min(asked + this.#readBytes, end)
        }
        const next = await ahead.shift()!
        if (next.length === 0) return
        yield next
      }
    } finally {
      await Promise.allSettled(ahead)
    }
  }

  /** Creates a file that must not be there, for writing. */
  async create(path: Path, mode: number): Promise<SftpHandle> {
    const [write, create, exclusive] = [2, 8, 32]
    return await this.#open('open', packetType.open, path, write | create | exclusive, 4, mode)
  }

  /** Opens a file that is there for writing; `emptied`: makes it empty with that. */
  async openForWriting(path: Path, content: 'kept' | 'emptied'): Promise<SftpHandle> {
    const [write, truncate] = [2, 16]
    return await this.#open('open', packetType.open, path, content === 'kept' ? write : write | truncate, 0)
  }

  /** Up to 4 MiB are under way at once, and `bytes` must stay as they are until it returns; an aborted signal is noticed between two pieces. */
  async write(handle: SftpHandle, offset: number, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const ahead: Promise<unknown>[] = []
    const most = Math.max(1, Math.floor(bytesAhead / this.#writeBytes))
    for (let at = 0; at < bytes.length; at += this.#writeBytes) {
      signal?.throwIfAborted()
      const body = bytes.subarray(at, at + this.#writeBytes)
      const piece = this.#exchange.send('write', packetType.write, handle, BigInt(offset + at), body)
      piece.catch(() => {}) // because it is awaited when its turn comes
      ahead.push(piece)
      if (ahead.length >= most) await ahead.shift()
    }
    await Promise.all(ahead)
  }

  /** Of what is open. */
  async fstat(handle: SftpHandle): Promise<EntryFacts> {
    const packet = await this.#exchange.ask('fstat', packetType.attributes, packetType.fstat, handle)
    return this.#exchange.checked(() => packet.facts())
  }

  async chmod(handle: SftpHandle, mode: number): Promise<void> {
    await this.#exchange.ask('fchmod', packetType.status, packetType.fsetstat, handle, 4, mode)
  }

  async close(handle: SftpHandle): Promise<void> {
    await this.#exchange.ask('close', packetType.status, packetType.close, handle)
  }

  /** Makes what was written durable; only with `fsync@openssh.com`. */
  async sync(handle: SftpHandle): Promise<void> {
    await this.#exchange.ask('fsync', packetType.status, packetType.extended, 'fsync@openssh.com', handle)
  }

  async mkdir(path: Path, mode: number): Promise<void> {
    await this.#exchange.ask('mkdir', packetType.status, packetType.mkdir, path, 4, mode)
  }

  async remove(path: Path): Promise<void> {
    await this.#exchange.ask('remove', packetType.status, packetType.remove, path)
  }

  /** Never replaces: `to` must be free. OpenSSH refuses a name that is taken without a race where there are hard links. */
  async rename(from: Path, to: Path): Promise<void> {
    await this.#exchange.ask('rename', packetType.status, packetType.rename, from, to)
  }

  /** Renames, and replaces what is at `to`; only with `posix-rename@openssh.com`. */
  async replace(from: Path, to: Path): Promise<void> {
    await this.#exchange.ask('rename', packetType.status, packetType.extended, 'posix-rename@openssh.com', from, to)
  }

  /** A second name for a file, which must be free; only with `hardlink@openssh.com`. */
  async link(from: Path, to: Path): Promise<void> {
    await this.#exchange.ask('link', packetType.status, packetType.extended, 'hardlink@openssh.com', from, to)
  }

  /** Of the file system at `path`; only with `statvfs@openssh.com`. */
  async space(path: Path): Promise<Space> {
    const name = 'statvfs@openssh.com'
    const packet = await this.#exchange.ask('statvfs', packetType.extendedReply, packetType.extended, name, path)
    return this.#exchange.checked(() => {
      const [, fragment, blocks, , available, files, , freeFiles, , flags] = Array.from({ length: 11 }, () =>
        packet.uint64(),
      )
      return {
        size: fragment! * blocks!,
        free: fragment! * available!,
        // because some file systems do not count files, and say 0 of 0
        hasFreeFiles: files === 0n || freeFiles! > 0n,
        isReadOnly: (flags! & 1n) === 1n,
      }
    })
  }

  /** Ends every call that waits, and those that follow, with `failure`. */
  stop(failure: Error): void {
    this.#exchange.stop(failure)
  }

  /** How large requests may be: fewer and larger ones cost less. */
  async #learnLimits(): Promise<void> {
    const name = 'limits@openssh.com'
    const packet = await this.#exchange.ask('limits', packetType.extendedReply, packetType.extended, name)
    const [, read, write] = this.#exchange.checked(() => [packet.uint64(), packet.uint64(), packet.uint64()] as const)
    // because 0 says that there is no limit that the server knows
    const within = (limit: bigint): number => (limit === 0n ? pieceBytes : Math.min(Number(limit), largestPieceBytes))
    this.#readBytes = within(read)
    this.#writeBytes = within(write)
  }

  async #open(syscall: string, type: number, ...fields: readonly Field[]): Promise<SftpHandle> {
    const packet = await this.#exchange.ask(syscall, packetType.handle, type, ...fields)
    return this.#exchange.checked(() => Buffer.from(packet.bytes()))
  }

  /** Nobody waits for it: what is read is read. */
  #close(handle: SftpHandle): void {
    this.close(handle).catch(() => {}) // because a connection that is gone has closed it as well
  }

  /** @returns false at the end of the folder. */
  async #readFolder(handle: SftpHandle, entries: { name: Buffer; facts: EntryFacts }[]): Promise<boolean> {
    const packet = await this.#exchange.request(packetType.readdir, [handle])
    if (packet.type === packetType.status) return !this.#exchange.endsWith(packet, 'readdir')
    return this.#exchange.checked(() => {
      if (packet.type !== packetType.name) throw new GarbledPacket(`an answer of type ${packet.type}`)
      for (let left = packet.uint32(); left > 0; left--) {
        const name = Buffer.from(packet.bytes())
        packet.bytes() // because the line for people says nothing that can be relied on
        const facts = packet.facts()
        const text = name.toString('latin1')
        if (text === '.' || text === '..') continue
        if (!isEntryName(text)) throw new GarbledPacket('a name that is none')
        entries.push({ name, facts })
      }
      return true
    })
  }

  /** Exactly `length` bytes, fewer only at the end of the file: a server may give less than it is asked for. */
  async #readPiece(handle: SftpHandle, offset: number, length: number): Promise<Buffer> {
    let piece: Buffer = Buffer.alloc(0)
    while (piece.length < length) {
      const left = length - piece.length
      const packet = await this.#exchange.request(packetType.read, [handle, BigInt(offset + piece.length), left])
      if (packet.type === packetType.status && this.#exchange.endsWith(packet, 'read')) break
      const bytes = this.#exchange.checked(() => {
        if (packet.type !== packetType.data) throw new GarbledPacket(`an answer of type ${packet.type}`)
        const data = packet.bytes()
        if (data.length === 0 || data.length > left) throw new GarbledPacket(`${data.length} bytes instead of ${left}`)
        return data
      })
      piece = piece.length === 0 ? bytes : Buffer.concat([piece, bytes])
    }
    return piece
  }
}
