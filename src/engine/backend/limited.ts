import { pause, systemClock, type Clock } from '#base'
import type { Backend, ByteRange, FileRef, FileStat, FileType } from './backend.ts'

export interface Limits {
  /** Operations at once. Default: what the backend bears. */
  readonly connections?: number
  /**
   * Bytes/s of all files together, both ways, at a moment (milliseconds since 1970, UTC); undefined for as fast as it
   * goes, 0 for not at this time.
   */
  readonly bandwidth?: (now: number) => number | undefined
  readonly clock?: Clock
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>
}

/**
 * A backend that does no more at once, and sends and receives no more in a second, than it may. Locks are not limited: one
 * that is not refreshed in time is taken for dead.
 *
 * A file that is saved is passed on whole, and then paid for: the limit of bytes holds over some files, not within one.
 *
 * Disposing disposes `backend`.
 */
export function limited(backend: Backend, limits: Limits): Backend {
  return new LimitedBackend(backend, limits)
}

class LimitedBackend implements Backend {
  readonly place: string
  readonly connections: number
  readonly #inner: Backend
  readonly #turns: Turns
  readonly #bandwidth: Bandwidth | undefined

  constructor(inner: Backend, { connections = inner.connections, bandwidth, clock, wait }: Limits) {
    this.place = inner.place
    this.connections = connections
    this.#inner = inner
    this.#turns = new Turns(connections)
    this.#bandwidth = bandwidth && new Bandwidth(bandwidth, clock ?? systemClock, wait ?? pause)
  }

  async save(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    using _ = await this.#turn(ref.type, signal)
    await this.#pay(ref.type, body.length, signal)
    await this.#inner.save(ref, body, signal)
  }

  async *load(ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    using _ = await this.#turn(ref.type, signal)
    for await (const piece of this.#inner.load(ref, range, signal)) {
      await this.#pay(ref.type, piece.length, signal)
      yield piece
    }
  }

  async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<FileStat, void, void> {
    using _ = await this.#turn(type, signal)
    yield* this.#inner.list(type, signal)
  }

  async remove(ref: FileRef, signal?: AbortSignal): Promise<void> {
    using _ = await this.#turn(ref.type, signal)
    await this.#inner.remove(ref, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inner[Symbol.asyncDispose]()
  }

  async #turn(type: FileType, signal?: AbortSignal): Promise<Disposable | undefined> {
    signal?.throwIfAborted()
    return type === 'lock' ? undefined : await this.#turns.take(signal)
  }

  async #pay(type: FileType, bytes: number, signal?: AbortSignal): Promise<void> {
    if (type !== 'lock') await this.#bandwidth?.pay(bytes, signal)
  }
}

/** Lets so many go on at once, the others in the order in which they came. */
class Turns {
  #free: number
  readonly #waiting: (() => void)[] = []

  constructor(count: number) {
    this.#free = count
  }

  /** Disposing gives the turn to the next. @throws the signal's reason when it is aborted before. */
  async take(signal?: AbortSignal): Promise<Disposable> {
    if (this.#free > 0) this.#free--
    else await this.#wait(signal)
    return { [Symbol.dispose]: () => this.#next() }
  }

  async #wait(signal?: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stop = (): void => {
      const at = this.#waiting.indexOf(resolve)
      if (at === -1) return // because the turn was given in the same moment
      this.#waiting.splice(at, 1)
      reject(signal!.reason as Error)
    }
    this.#waiting.push(resolve)
    signal?.addEventListener('abort', stop, { once: true })
    await promise
    signal?.removeEventListener('abort', stop)
  }

  #next(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#free++
  }
}

/** The longest sleep, so that a limit that changes with the time of day is seen soon. */
const longestSleepMs = 1000

/** Seconds that are made up for when a sleep took longer than it should, as on a busy machine: pieces are small. */
const mostLate = 0.25

/** Bytes that may be sent in a second. Whoever pays waits until what was paid before is through. */
class Bandwidth {
  readonly #rateAt: (now: number) => number | undefined
  readonly #clock: Clock
  readonly #wait: (ms: number, signal?: AbortSignal) => Promise<void>
  /** Bytes that were let through and are not yet paid for; below 0, what may be sent at once. */
  #debt = 0
  #paidAt: number
  #last: Promise<void> = Promise.resolve()

  constructor(
    rateAt: (now: number) => number | undefined,
    clock: Clock,
    wait: (ms: number, signal?: AbortSignal) => Promise<void>,
  ) {
    this.#rateAt = rateAt
    this.#clock = clock
    this.#wait = wait
    this.#paidAt = clock.monotonic()
  }

  async pay(bytes: number, signal?: AbortSignal): Promise<void> {
    const paying = this.#last.then(() => this.#untilFree(signal))
    this.#last = paying.then(
      () => void (this.#debt += bytes),
      () => {}, // because whoever gave up has sent nothing
    )
    await paying
  }

  async #untilFree(signal?: AbortSignal): Promise<void> {
    for (;;) {
      signal?.throwIfAborted()
      const rate = this.#settle()
      if (rate === undefined) return
      if (rate > 0 && this.#debt <= 0) return
      const sleepMs = rate > 0 ? (this.#debt / rate) * 1000 : longestSleepMs
      await this.#wait(Math.min(longestSleepMs, Math.max(1, sleepMs)), signal)
    }
  }

  /** Takes from the debt what the time since then was worth. @returns bytes/s of this moment. */
  #settle(): number | undefined {
    const now = this.#clock.monotonic()
    const rate = this.#rateAt(this.#clock.now())
    const paid = ((now - this.#paidAt) / 1000) * (rate ?? 0)
    this.#debt = rate === undefined ? 0 : Math.max(-rate * mostLate, this.#debt - paid)
    this.#paidAt = now
    return rate
  }
}
