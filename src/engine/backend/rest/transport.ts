import type { Writable } from 'node:stream'

/** One question to a server. */
export interface Call {
  readonly method: 'DELETE' | 'GET' | 'HEAD' | 'POST'
  /** From the root of the server, percent signs and all. */
  readonly path: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** What a POST brings; it may be reused once the answer is there. */
  readonly body?: Uint8Array
  /** Whether it must not wait behind the transfer of files. */
  readonly aside?: boolean
}

export interface Answer {
  readonly status: number
  /** By its name in lower case; of several the first. */
  header(name: string): string | undefined
  /** To be read once; who stops early gives the transfer up. @throws when it breaks off or stalls. */
  bytes(signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void>
  /** Must be called for an answer whose bytes nobody wants. */
  discard(): Promise<void>
}

/** The way to one server. Nothing is sent twice. */
export interface Transport extends AsyncDisposable {
  /** @throws the system's error, {@link Stalled}, {@link WayEnded}; the reason of `signal`. */
  ask(call: Call, signal?: AbortSignal): Promise<Answer>
}

/** The other side was silent for too long. */
export class Stalled extends Error {
  constructor(stallMs: number) {
    super(`nothing came or went for ${Math.round(stallMs / 1000)} s`)
  }
}

/** The program that is the way has ended. */
export class WayEnded extends Error {
  /** Whether it will end in the same way again. */
  readonly isFinal: boolean

  constructor(reason: string, isFinal: boolean) {
    super(reason)
    this.isFinal = isFinal
  }
}

/** A question on its way, as `node:http` and `node:http2` have it. */
export interface Exchange {
  /** Takes the body; destroying it ends all. */
  readonly request: Writable
  /** Resolves when it has a connection. */
  readonly begun: Promise<unknown>
  readonly head: Promise<Head>
}

export interface Head {
  readonly status: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Body
}

export interface Body extends AsyncIterable<Uint8Array> {
  destroy(reason: Error): void
}

/** Bytes handed over at once: whether a signal was aborted is seen between two of them. */
const pieceSize = 256 * 1024
/** What is read of an answer that nobody wants, to keep the connection. */
const worthReading = 64 * 1024
/** What an aborted call that can no more be taken back has to end in. */
const lastGraceMs = 10_000

/**
 * Brings one question through: sends the body, watches for silence, and waits for the head of the answer.
 *
 * The last piece of a body is its point of no return: before, an aborted signal leaves the server with a broken body, and
 * so without the file; after it the answer is waited for, because the file may be there.
 */
export async function exchange(
  { request, begun, head }: Exchange,
  body: Uint8Array | undefined,
  stallMs: number,
  signal?: AbortSignal,
): Promise<Answer> {
  head.catch(() => {}) // because it is waited for below, perhaps after something else has failed
  const watch = new Watch(stallMs, (reason) => request.destroy(reason))
  let committed = false
  const abort = (): void => {
    if (committed) watch.shorten(lastGraceMs)
    else request.destroy(asError(signal?.reason))
  }
  signal?.addEventListener('abort', abort, { once: true })
  try {
    await Promise.race([begun, head])
    watch.touch()
    if (body === undefined) request.end()
    else await send(request, head, body, { signal, watch, commit: () => (committed = true) })
    return answerOf(await head, request, stallMs)
  } catch (thrown) {
    request.destroy()
    throw thrown
  } finally {
    watch.stop()
    signal?.removeEventListener('abort', abort)
  }
}

interface Sending {
  readonly signal: AbortSignal | undefined
  readonly watch: Watch
  commit(): void
}

async function send(request: Writable, head: Promise<Head>, body: Uint8Array, sending: Sending): Promise<void> {
  const state = { isAnswered: false }
  const early = head.then(() => (state.isAnswered = true))
  early.catch(() => {}) // because the caller waits for the head itself
  for (let at = 0; !state.isAnswered; at += pieceSize) {
    sending.signal?.throwIfAborted()
    // a copy, because what was handed over may be read after the caller has its buffer back, and may be shared memory
    const piece = Uint8Array.from(body.subarray(at, at + pieceSize))
    if (at + pieceSize >= body.length) {
      sending.commit()
      request.end(piece)
      return
    }
    await Promise.race([new Promise((resolve) => request.write(piece, resolve)), early])
    sending.watch.touch()
  }
}

function answerOf({ status, headers, body }: Head, request: Writable, stallMs: number): Answer {
  const isWhole = request.writableEnded
  return {
    status,
    header(name) {
      const value = headers[name]
      return typeof value === 'string' ? value : value?.[0]
    },
    bytes: (signal) => readBody(body, request, stallMs, signal),
    async discard() {
      try {
        let size = 0
        for await (const bytes of readBody(body, request, stallMs)) {
          if ((size += bytes.length) > worthReading || !isWhole) break
        }
      } catch {
        // because nobody wanted it, and the next question gets another connection
      } finally {
        if (!isWhole) request.destroy()
      }
    },
  }
}

/** Its silence is measured only while somebody waits for bytes. */
async function* readBody(
  body: Body,
  request: Writable,
  stallMs: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const watch = new Watch(stallMs, (reason) => body.destroy(reason))
  const abort = (): void => body.destroy(asError(signal?.reason))
  signal?.addEventListener('abort', abort, { once: true })
  let isEnded = false
  try {
    signal?.throwIfAborted()
    watch.touch()
    for await (const bytes of body) {
      watch.stop()
      yield bytes
      signal?.throwIfAborted()
      watch.touch()
    }
    isEnded = true
  } finally {
    watch.stop()
    signal?.removeEventListener('abort', abort)
    if (!isEnded) request.destroy()
  }
}

/** Calls when it was not touched for a time; it runs from the first touch. */
class Watch {
  #limitMs: number
  readonly #bark: (reason: Error) => void
  #timer: NodeJS.Timeout | undefined

  constructor(limitMs: number, bark: (reason: Error) => void) {
    this.#limitMs = limitMs
    this.#bark = bark
  }

  touch(): void {
    this.stop()
    this.#timer = setTimeout(() => this.#bark(new Stalled(this.#limitMs)), this.#limitMs)
  }

  shorten(limitMs: number): void {
    this.#limitMs = Math.min(limitMs, this.#limitMs)
    this.touch()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('it was aborted', { cause: reason })
}
