import type { DuplexProgram } from '#base'
import { entryError } from './entry.ts'
import { encodePacket, encodePacketParts, GarbledPacket, packetType, splitPackets, statusCode } from './sftp-packets.ts'
import type { Field, PacketReader } from './sftp-packets.ts'

export interface SftpOptions {
  /** What every call throws after the connection has ended: asked when it has. */
  readonly lost: () => Promise<Error>
  /** … after the server said something that is not SFTP. */
  readonly garbled: (reason: string) => Error
  /** … after requests waited for `stallMs` and nothing arrived. */
  readonly stalled: () => Error
  readonly stallMs: number
  /** The same for the first answer, which comes after the login. Default: `stallMs`. */
  readonly greetingMs?: number
}

interface Waiting {
  readonly resolve: (packet: PacketReader) => void
  readonly reject: (thrown: unknown) => void
}

/**
 * Requests and their answers, in any order, over one program that speaks SFTP. A connection that breaks, stalls or talks
 * nonsense ends every request, those that follow too.
 */
export class SftpExchange {
  readonly #program: DuplexProgram
  readonly #options: SftpOptions
  readonly #waiting = new Map<number, Waiting>()
  /** What is still to be sent. */
  readonly #packets: Uint8Array[] = []
  #nextId = 0
  #failure: Error | undefined
  #lastAnswer = performance.now()
  readonly #watch: NodeJS.Timeout

  constructor(program: DuplexProgram, options: SftpOptions) {
    this.#program = program
    this.#options = options
    this.#watch = setInterval(() => this.#checkStall(), Math.max(50, options.stallMs / 8)).unref()
  }

  /** Says what we speak. @returns what the server speaks. */
  async greet(): Promise<PacketReader> {
    const greeted = new Promise<PacketReader>((resolve, reject) => this.#waiting.set(-1, { resolve, reject }))
    greeted.catch(() => {}) // because it is awaited below, and may fail before
    void this.#receive()
    this.#lastAnswer = performance.now()
    void this.#program.write(encodePacket(packetType.init, 3))
    return await greeted
  }

  /** Whether a status says that there is no more. @throws the error that it says instead. */
  endsWith(packet: PacketReader, syscall: string): boolean {
    const [code, text] = this.checked(() => [packet.uint32(), packet.isAtEnd ? '' : packet.bytes().toString()] as const)
    if (code === statusCode.eof) return true
    throw refused(code, text, syscall)
  }

  /** One request. @param expected - type of the answer; a status that is not expected is an error of the entry. */
  async ask(syscall: string, expected: number, type: number, ...fields: readonly Field[]): Promise<PacketReader> {
    return this.#expect(syscall, expected, await this.request(type, fields))
  }

  #expect(syscall: string, expected: number, packet: PacketReader): PacketReader {
    if (packet.type === packetType.status) {
      const [code, text] = this.checked(
        () => [packet.uint32(), packet.isAtEnd ? '' : packet.bytes().toString()] as const,
      )
      if (code !== statusCode.ok || expected !== packetType.status) throw refused(code, text, syscall)
      return packet
    }
    if (packet.type !== expected) throw this.fail(new GarbledPacket(`an answer of type ${packet.type} to ${syscall}`))
    return packet
  }

  /** A request whose last field has many bytes, which are not copied and must stay as they are until it is answered. */
  async send(syscall: string, type: number, ...fields: readonly [...Field[], Uint8Array]): Promise<void> {
    this.#expect(syscall, packetType.status, await this.#exchange((id) => encodePacketParts(type, id, ...fields)))
  }

  /** One request, whatever the answer. */
  request(type: number, fields: readonly Field[]): Promise<PacketReader> {
    return this.#exchange((id) => [encodePacket(type, id, ...fields)])
  }

  #exchange(encode: (id: number) => Uint8Array[]): Promise<PacketReader> {
    if (this.#failure) return Promise.reject(this.#failure)
    const id = this.#nextId
    this.#nextId = (id + 1) % 0x1_0000_0000
    if (this.#waiting.size === 0) this.#lastAnswer = performance.now()
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      const isSending = this.#packets.length > 0
      this.#packets.push(...encode(id))
      if (!isSending) void this.#send()
    })
  }

  /** One after the other, so that what the program has no room for waits here. */
  async #send(): Promise<void> {
    while (this.#packets.length > 0) {
      await this.#program.write(this.#packets[0]!)
      this.#packets.shift()
    }
  }

  /** Ends every request that waits, and those that follow, with `failure`. */
  stop(failure: Error): void {
    this.#failure ??= failure
    clearInterval(this.#watch)
    for (const { reject } of this.#waiting.values()) reject(this.#failure)
    this.#waiting.clear()
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
      if (thrown instanceof GarbledPacket) this.fail(thrown)
      else this.stop(await this.#options.lost())
    }
  }

  /** Reads an answer. @throws that the server talks nonsense, when it does. */
  checked<T>(read: () => T): T {
    try {
      return read()
    } catch (thrown) {
      throw thrown instanceof GarbledPacket ? this.fail(thrown) : thrown
    }
  }

  /** A server that talks nonsense once is not spoken with again. */
  fail({ message }: GarbledPacket): Error {
    const failure = this.#options.garbled(message)
    this.stop(failure)
    this.#program.kill()
    return failure
  }

  #checkStall(): void {
    const { stallMs, greetingMs = stallMs } = this.#options
    const mostMs = this.#waiting.has(-1) ? greetingMs : stallMs
    if (this.#waiting.size === 0 || performance.now() - this.#lastAnswer < mostMs) return
    this.stop(this.#options.stalled())
    this.#program.kill()
  }
}

/** Codes of later versions of SFTP that some servers use in version 3 too; OpenSSH says `Failure` to all of these. */
const laterCodes = new Map([
  [11, 'EEXIST'],
  [12, 'EROFS'],
  [14, 'ENOSPC'],
  [15, 'EDQUOT'],
])

function refused(code: number, text: string, syscall: string): Error {
  if (code === statusCode.missing) return entryError('ENOENT', syscall, 'no such file or directory')
  if (code === statusCode.denied) return entryError('EACCES', syscall, 'permission denied')
  if (code === statusCode.unsupported) return entryError('ENOTSUP', syscall, 'the server does not know how')
  const known = laterCodes.get(code)
  return entryError(known ?? 'EIO', syscall, text || `the server says ${code}`)
}
