import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2'
import { Duplex } from 'node:stream'

import { pause, systemCode, type DuplexProgram, type ProgramEnd } from '#base'
import { exchange, type Answer, type Body, type Call, type Head, type Transport } from './transport.ts'

export interface Http2Options {
  /** Starts the program whose standard input and output speak HTTP/2; again when it has ended. */
  readonly start: () => DuplexProgram
  /** Why a program has ended that nobody asked to. */
  readonly explain: (end: ProgramEnd) => Error
  readonly stallMs: number
}

/** What the server may send before we have read it: of one answer, and of all. Enough for 100 MB/s over 40 ms. */
const streamWindow = 4 * 1024 * 1024
const sessionWindow = 16 * 1024 * 1024

/**
 * HTTP/2 with a program, as `rclone serve restic --stdio` speaks it. The program is started when it is needed, and again
 * when it has ended: each question that was under way then has failed.
 */
export class Http2Transport implements Transport {
  readonly #options: Http2Options
  #line: Line | undefined
  #isDisposed = false

  constructor(options: Http2Options) {
    this.#options = options
  }

  async ask({ method, path, headers, body }: Call, signal?: AbortSignal): Promise<Answer> {
    signal?.throwIfAborted()
    const line = await this.#open()
    const fields = { ':method': method, ':path': path, ':authority': 'localhost', ...headers }
    try {
      const request = line.session.request(fields, { endStream: body === undefined })
      const begun = request.pending ? new Promise((resolve) => request.once('ready', resolve)) : Promise.resolve()
      return await exchange({ request, begun, head: headOf(request) }, body, this.#options.stallMs, signal)
    } catch (thrown) {
      signal?.throwIfAborted()
      throw (await line.whyEnded()) ?? thrown
    }
  }

  async #open(): Promise<Line> {
    // because what still tidies up would begin a program that nobody ends
    if (this.#isDisposed) throw new Error('it was closed')
    if (this.#line !== undefined && !this.#line.isOver) return this.#line
    const old = this.#line
    this.#line = new Line(this.#options)
    await old?.[Symbol.asyncDispose]()
    return this.#line
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    await this.#line?.[Symbol.asyncDispose]()
  }
}

function headOf(request: ClientHttp2Stream): Promise<Head> {
  return new Promise((resolve, reject) => {
    request.once('response', (headers: IncomingHttpHeaders) =>
      resolve({ status: Number(headers[':status']), headers, body: bodyOf(request) }),
    )
    request.on('error', reject)
    request.once('close', () => reject(new Error('the connection was closed without an answer')))
  })
}

function bodyOf(request: ClientHttp2Stream): Body {
  return { [Symbol.asyncIterator]: () => readBody(request), destroy: (reason) => void request.destroy(reason) }
}

async function* readBody(request: ClientHttp2Stream): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const bytes of request) yield bytes as Buffer
  } catch (thrown) {
    // because Node closes a stream that was answered in full before it says that it ended; lengths are compared later
    const isEnded =
      systemCode(thrown) === 'ERR_STREAM_PREMATURE_CLOSE' && request.rstCode === constants.NGHTTP2_NO_ERROR
    if (!isEnded) throw thrown
  }
}

/** One running program, and the session over it. */
class Line implements AsyncDisposable {
  readonly session: ClientHttp2Session
  readonly #program: DuplexProgram
  readonly #explain: (end: ProgramEnd) => Error
  #end: ProgramEnd | undefined

  constructor({ start, explain }: Http2Options) {
    const program = start()
    this.#program = program
    this.#explain = explain
    void program.ended.then((end) => (this.#end = end))
    this.session = connect('http://localhost', {
      createConnection: () => duplexOf(program),
      settings: { enablePush: false, initialWindowSize: streamWindow },
    })
    this.session.on('error', () => {}) // because each question learns it for itself
    this.session.once('connect', () => this.session.setLocalWindowSize(sessionWindow))
    void program.ended.then(() => this.session.destroy())
  }

  get isOver(): boolean {
    return this.session.destroyed || this.session.closed || this.#end !== undefined
  }

  /** Undefined when the program runs. */
  async whyEnded(): Promise<Error | undefined> {
    if (!this.isOver) return undefined
    // because its output ends before it does, and only how it ends says why
    this.#program.closeInput()
    const end = await Promise.race([this.#program.ended, pause(1000)])
    return end ? this.#explain(end) : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.session.destroy()
    await this.#program[Symbol.asyncDispose]()
  }
}

function duplexOf(program: DuplexProgram): Duplex {
  const output = program.output[Symbol.asyncIterator]()
  return new Duplex({
    read() {
      output.next().then(
        ({ value, done }) => this.push(done ? null : value),
        (thrown: unknown) => this.destroy(thrown as Error),
      )
    },
    write(bytes: Buffer, _encoding, done) {
      void writeAll(program, bytes, done)
    },
    final(done) {
      program.closeInput()
      done()
    },
    destroy(error, done) {
      program.closeInput()
      done(error)
    },
  })
}

/** What the program does not take is learned by its end. */
async function writeAll(program: DuplexProgram, bytes: Buffer, done: () => void): Promise<void> {
  await program.write(bytes)
  done()
}
