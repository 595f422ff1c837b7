import type { DuplexProgram } from '#base'
import { entryError, isEntryName, joinPath, type Entry, type EntryFacts, type Path } from './entry.ts'
import { encodePacket, GarbledPacket, packetType, splitPackets, statusCode } from './sftp-packets.ts'
import type { Field, PacketReader } from './sftp-packets.ts'

/** Bytes asked for, or sent, with one request: what every server takes. */
const pieceBytes = 32 * 1024
/** Pieces of one file that may be under way, so that the time of a round trip costs nothing. */
const piecesAhead = 64
/** Entries of one folder that are believed. */
const largestFolder = 1_000_000

export interface SftpOptions {
  /** What every call throws after the connection has ended: asked when it has. */
  readonly lost: () => Promise<Error>
  /** … after the server said something that is not SFTP. */
  readonly garbled: (reason: string) => Error
  /** … after requests waited for `stallMs` and nothing arrived. */
  readonly stalled: () => Error
  readonly stallMs: number
}

interface Waiting {
  readonly resolve: (packet: PacketReader) => void
  readonly reject: (thrown: unknown) => void
}

/** A file that is open there. */
export type SftpHandle = Uint8Array & { readonly sftpHandle?: never }

/**
 * A client of SFTP version 3: many requests at once, answers in any order. Paths and names are bytes, each one character
 * (latin1). What the server refuses is thrown as an Error with the system's code (`ENOENT`, `EACCES`, else `EIO`); a
 * connection that breaks, stalls or talks nonsense ends every call, those that follow too.
 *
 * Memory: what is asked for at one time. Nothing that was not asked for is kept.
 *
 * Source: draft-ietf-secsh-filexfer-02; OpenSSH PROTOCOL, section 4, for the extensions.
 */
export class SftpClient {
  readonly #program: DuplexProgram
  readonly #options: SftpOptions
  readonly #waiting = new Map<number, Waiting>()
  #extensions: ReadonlyMap<string, string> = new Map()
  #nextId = 0
  #failure: Error | undefined
  #lastAnswer = performance.now()
  readonly #watch: NodeJS.Timeout

  private constructor(program: DuplexProgram, options: SftpOptions) {
    this.#program = program
    this.#options = options
    this.#watch = setInterval(() => this.#checkStall(), Math.max(50, options.stallMs / 8)).unref()
  }

  /** Greets the server. @param program - `ssh -s … sftp`, or what else speaks SFTP; it stays the caller's to end. */
  static async open(program: DuplexProgram, options: SftpOptions): Promise<SftpClient> {
    const client = new SftpClient(program, options)
    const greeted = new Promise<PacketReader>((resolve, reject) => client.#waiting.set(-1, { resolve, reject }))
    greeted.catch(() => {}) // because it is awaited below, and may fail before
    void client.#receive()
    client.#lastAnswer = performance.now()
    void program.write(encodePacket(packetType.init, 3))
    const packet = await greeted
    packet.uint32() // because a server that knows later versions too answers with 3
    const extensions = new Map<string, string>()
    while (!packet.isAtEnd) extensions.set(packet.latin1(), packet.latin1())
    client.#extensions = extensions
    return client
  }

  /** Whether the server knows an extension, such as `posix-rename@openssh.com`. */
  has(extension: string): boolean {
    return this.#extensions.has(extension)
  }

  async realpath(path: Path): Promise<Path> {
    const packet = await this.#ask('realpath', packetType.name, packetType.realpath, path)
    return this.#checked(() => (packet.uint32(), packet.latin1()))
  }

  /** Links not followed. */
  async lstat(path: Path): Promise<EntryFacts> {
    const packet = await this.#ask('lstat', packetType.attributes, packetType.lstat, path)
    return this.#checked(() => packet.facts())
  }

  /** Links followed. */
  async stat(path: Path): Promise<EntryFacts> {
    const packet = await this.#ask('stat', packetType.attributes, packetType.stat, path)
    return this.#checked(() => packet.facts())
  }

  async readlink(path: Path): Promise<Buffer> {
    const packet = await this.#ask('readlink', packetType.name, packetType.readlink, path)
    return this.#checked(() => (packet.uint32(), Buffer.from(packet.bytes())))
  }

  /** What lies in a folder, with the targets of links, in the server's order. */
  async list(path: Path): Promise<Entry[]> {
    const handle = await this.#open('opendir', packetType.opendir, path)
    const entries: { name: Buffer; facts: EntryFacts }[] = []
    try {
      while (await this.#readFolder(handle, entries)) {
        if (entries.length > largestFolder) throw this.#fail(new GarbledPacket('a folder that does not end'))
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

  /** Creates a file that must not be there, for writing. */
  async create(path: Path, mode: number): Promise<SftpHandle> {
    const [write, create, exclusive] = [2, 8, 32]
    return await this.#open('open', packetType.open, path, write | create | exclusive, 4, mode)
  }

  async write(handle: SftpHandle, offset: number, bytes: Uint8Array): Promise<void> {
    const pieces: Promise<unknown>[] = []
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes)
      pieces.push(this.#ask('write', packetType.status, packetType.write, handle, BigInt(offset + at), piece))
    }
    await Promise.all(pieces)
  }

  async close(handle: SftpHandle): Promise<void> {
    await this.#ask('close', packetType.status, packetType.close, handle)
  }

  /** Makes what was written durable; only with `fsync@openssh.com`. */
  async sync(handle: SftpHandle): Promise<void> {
    await this.#ask('fsync', packetType.status, packetType.extended, 'fsync@openssh.com', handle)
  }

  async mkdir(path: Path, mode: number): Promise<void> {
    await this.#ask('mkdir', packetType.status, packetType.mkdir, path, 4, mode)
  }

  async remove(path: Path): Promise<void> {
    await this.#ask('remove', packetType.status, packetType.remove, path)
  }

  /** Replaces what is at `to` where the server can; else `to` must be free. */
  async rename(from: Path, to: Path): Promise<void> {
    const posix = 'posix-rename@openssh.com'
    if (this.has(posix)) await this.#ask('rename', packetType.status, packetType.extended, posix, from, to)
    else await this.#ask('rename', packetType.status, packetType.rename, from, to)
  }

  /** Bytes of the file system at `path`; only with `statvfs@openssh.com`. */
  async space(path: Path): Promise<{ readonly size: bigint; readonly free: bigint }> {
    const name = 'statvfs@openssh.com'
    const packet = await this.#ask('statvfs', packetType.extendedReply, packetType.extended, name, path)
    return this.#checked(() => {
      const [, fragment, blocks, , available] = Array.from({ length: 5 }, () => packet.uint64())
      return { size: fragment! * blocks!, free: fragment! * available! }
    })
  }

  /** Ends every call that waits, and those that follow, with `failure`. */
  stop(failure: Error): void {
    this.#failure ??= failure
    clearInterval(this.#watch)
    for (const { reject } of this.#waiting.values()) reject(this.#failure)
    this.#waiting.clear()
  }

  async #open(syscall: string, type: number, ...fields: readonly Field[]): Promise<SftpHandle> {
    const packet = await this.#ask(syscall, packetType.handle, type, ...fields)
    return this.#checked(() => Buffer.from(packet.bytes()))
  }

  /** Nobody waits for it: what is read is read. */
  #close(handle: SftpHandle): void {
    this.close(handle).catch(() => {}) // because a connection that is gone has closed it as well
  }

  /** @returns false at the end of the folder. */
  async #readFolder(handle: SftpHandle, entries: { name: Buffer; facts: EntryFacts }[]): Promise<boolean> {
    const packet = await this.#request(packetType.readdir, [handle])
    if (packet.type === packetType.status) return !this.#endsWith(packet, 'readdir')
    return this.#checked(() => {
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
      const packet = await this.#request(packetType.read, [handle, BigInt(offset + piece.length), left])
      if (packet.type === packetType.status && this.#endsWith(packet, 'read')) break
      const bytes = this.#checked(() => {
        if (packet.type !== packetType.data) throw new GarbledPacket(`an answer of type ${packet.type}`)
        const data = packet.bytes()
        if (data.length === 0 || data.length > left) throw new GarbledPacket(`${data.length} bytes instead of ${left}`)
        return data
      })
      piece = piece.length === 0 ? bytes : Buffer.concat([piece, bytes])
    }
    return piece
  }

  /** Whether a status says that there is no more. @throws the error that it says instead. */
  #endsWith(packet: PacketReader, syscall: string): boolean {
    const [code, text] = this.#checked(
      () => [packet.uint32(), packet.isAtEnd ? '' : packet.bytes().toString()] as const,
    )
    if (code === statusCode.eof) return true
    throw refused(code, text, syscall)
  }

  /** One request. @param expected - type of the answer; a status that is not expected is an error of the entry. */
  async #ask(syscall: string, expected: number, type: number, ...fields: readonly Field[]): Promise<PacketReader> {
    const packet = await this.#request(type, fields)
    if (packet.type === packetType.status) {
      const [code, text] = this.#checked(
        () => [packet.uint32(), packet.isAtEnd ? '' : packet.bytes().toString()] as const,
      )
      if (code !== statusCode.ok || expected !== packetType.status) throw refused(code, text, syscall)
      return packet
    }
    if (packet.type !== expected) throw this.#fail(new GarbledPacket(`an answer of type ${packet.type} to ${syscall}`))
    return packet
  }

  #request(type: number, fields: readonly Field[]): Promise<PacketReader> {
    if (this.#failure) return Promise.reject(this.#failure)
    const id = this.#nextId
    this.#nextId = (id + 1) % 0x1_0000_0000
    if (this.#waiting.size === 0) this.#lastAnswer = performance.now()
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      void this.#program.write(encodePacket(type, id, ...fields))
    })
  }

  async #receive(): Promise<void> {
    try {
      for await (const packet of splitPackets(this.#program.output)) {
        this.#lastAnswer = performance.now()
        const id = packet.type === packetType.version ? -1 : packet.uint32()
        const waiting = this.#waiting.get(id)
        if (!waiting) throw new GarbledPacket('an answer to no question')
        this.#waiting.delete(id)
        waiting.resolve(packet)
      }
      this.stop(await this.#options.lost())
    } catch (thrown) {
      if (thrown instanceof GarbledPacket) this.#fail(thrown)
      else this.stop(await this.#options.lost())
    }
  }

  #checked<T>(read: () => T): T {
    try {
      return read()
    } catch (thrown) {
      throw thrown instanceof GarbledPacket ? this.#fail(thrown) : thrown
    }
  }

  /** A server that talks nonsense once is not spoken with again. */
  #fail({ message }: GarbledPacket): Error {
    const failure = this.#options.garbled(message)
    this.stop(failure)
    this.#program.kill()
    return failure
  }

  #checkStall(): void {
    if (this.#waiting.size === 0 || performance.now() - this.#lastAnswer < this.#options.stallMs) return
    this.stop(this.#options.stalled())
    this.#program.kill()
  }
}

function refused(code: number, text: string, syscall: string): Error {
  if (code === statusCode.missing) return entryError('ENOENT', syscall, 'no such file or directory')
  if (code === statusCode.denied) return entryError('EACCES', syscall, 'permission denied')
  if (code === statusCode.unsupported) return entryError('ENOTSUP', syscall, 'the server does not know how')
  return entryError('EIO', syscall, text || `the server says ${code}`)
}
