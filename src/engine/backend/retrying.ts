import { pause, randomBytes, systemClock, systemCode, type Clock } from '#base'
import type { Backend, ByteRange, FileRef, FileStat, FileType } from './backend.ts'
import { Deadline } from './deadline.ts'
import { backendError } from './errors.ts'
import { describeFile } from './file-ref.ts'
import { halfStored } from './half-stored.ts'
import { isUnavailable, Reopening } from './reopening.ts'
import { unlessAborted } from './unless-aborted.ts'

export interface RetryOptions {
  /** Opens the place anew, after an operation on it has failed. Absent: the same backend is asked again. */
  readonly reconnect?: () => Promise<Backend>
  /** How often an operation is tried at the most. Default: 8. */
  readonly attempts?: number
  /** The same while nothing has been answered yet: a place that was never reached is soon given up. Default: `attempts`. */
  readonly firstAttempts?: number
  /** No attempt begins later than this after the first. Default: 15 minutes. */
  readonly totalMs?: number
  /** What is waited after the first failure; each time it is twice as long, and up to a half less. Default: 500 ms. */
  readonly firstDelayMs?: number
  /** Default: 30 s. */
  readonly longestDelayMs?: number
  /** An operation that makes no progress for so long is cut. Default: 60 s; 0 for never. */
  readonly stallMs?: number
  /** Bytes/s that a save makes at the least, because its progress cannot be seen. Default: 16 KiB/s. */
  readonly slowestSave?: number
  /** Bytes/s below which a load counts as standing still, although some come. Default: 1 KiB/s. */
  readonly slowestLoad?: number
  readonly clock?: Clock
  /** A number from 0 up to, and without, 1. */
  readonly chance?: () => number
  readonly wait?: (ms: number, signal?: AbortSignal) => Promise<void>
}

type Settings = Required<Omit<RetryOptions, 'reconnect' | 'firstAttempts'>> & Pick<RetryOptions, 'firstAttempts'>

const defaults: Settings = {
  attempts: 8,
  totalMs: 15 * 60_000,
  firstDelayMs: 500,
  longestDelayMs: 30_000,
  stallMs: 60_000,
  slowestSave: 16 * 1024,
  slowestLoad: 1024,
  clock: systemClock,
  chance: () => Buffer.from(randomBytes(4)).readUInt32BE() / 2 ** 32,
  wait: pause,
}

/**
 * A backend whose operations are tried again when they fail with `backend.unavailable`, or because the place could not be
 * reached: a bounded number of times, with waits that grow and differ from each other. Every other error is final.
 *
 * - A save that was tried before and finds its name taken has succeeded when its own bytes lie there. When it is a part
 *   of them, which places leave that do not store whole files, that is taken away, and the save has failed for good.
 * - A removal that was tried before and finds nothing has succeeded.
 * - A load goes on at the byte that it had reached.
 * - A list begins anew, and names no file twice. Memory: the names.
 *
 * Disposing disposes `backend`, and what `reconnect` opened.
 */
export function retrying(backend: Backend, options: RetryOptions = {}): Backend {
  const { reconnect, ...given } = options
  return new RetryingBackend(new Reopening(backend, reconnect), { ...defaults, ...given })
}

class RetryingBackend implements Backend {
  readonly place: string
  readonly connections: number
  readonly #places: Reopening
  readonly #settings: Settings
  /** Whether the place has answered anything, and be it with a refusal. */
  #isReached = false

  constructor(places: Reopening, settings: Settings) {
    this.place = places.first.place
    this.connections = places.first.connections
    this.#places = places
    this.#settings = settings
  }

  async save(ref: FileRef, body: Uint8Array, signal?: AbortSignal): Promise<void> {
    const { stallMs, slowestSave } = this.#settings
    const mostMs = stallMs === 0 ? 0 : stallMs + (body.length / slowestSave) * 1000
    const save = async (backend: Backend, attempt: number, deadline: Deadline): Promise<void> => {
      try {
        await deadline.within(mostMs, backend.save(ref, body, deadline.signal))
      } catch (thrown) {
        if (attempt === 1 || systemCode(thrown) !== 'backend.conflict') throw thrown
        await this.#requireOwn(backend, ref, body, deadline, thrown)
      }
    }
    await this.#retry(save, 'save', ref, signal)
  }

  async *load(ref: FileRef, range?: ByteRange, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const { stallMs, slowestLoad } = this.#settings
    const worthMs = (piece: Uint8Array): number => (piece.length / slowestLoad) * 1000
    let reached = 0
    const load = async function* (backend: Backend, deadline: Deadline): AsyncGenerator<Uint8Array, void, void> {
      const left = reached === 0 ? range : await deadline.within(stallMs, rest(backend, ref, reached, range, deadline))
      for await (const piece of deadline.each(stallMs, backend.load(ref, left, deadline.signal), worthMs)) {
        reached += piece.length
        yield piece
      }
    }
    yield* this.#retryStream(load, 'load', ref, signal)
  }

  async *list(type: FileType, signal?: AbortSignal): AsyncGenerator<FileStat, void, void> {
    const { stallMs } = this.#settings
    const named = new Set<string>()
    const list = async function* (backend: Backend, deadline: Deadline): AsyncGenerator<FileStat, void, void> {
      for await (const file of deadline.each(stallMs, backend.list(type, deadline.signal))) {
        if (named.has(file.name)) continue
        named.add(file.name)
        yield file
      }
    }
    yield* this.#retryStream(list, 'list', { type, name: '' }, signal)
  }

  async remove(ref: FileRef, signal?: AbortSignal): Promise<void> {
    const remove = async (backend: Backend, attempt: number, deadline: Deadline): Promise<void> => {
      try {
        await deadline.within(this.#settings.stallMs, backend.remove(ref, deadline.signal))
      } catch (thrown) {
        if (attempt === 1 || systemCode(thrown) !== 'backend.missing') throw thrown
      }
    }
    await this.#retry(remove, 'remove', ref, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#places[Symbol.asyncDispose]()
  }

  async #retry(
    work: (backend: Backend, attempt: number, deadline: Deadline) => Promise<void>,
    verb: string,
    ref: FileRef,
    signal?: AbortSignal,
  ): Promise<void> {
    const stream = async function* (backend: Backend, deadline: Deadline, attempt: number): AsyncGenerator<void> {
      yield await work(backend, attempt, deadline)
    }
    await Array.fromAsync(this.#retryStream(stream, verb, ref, signal))
  }

  /** Yields what the attempts yield, one after the other, until one of them ends. */
  async *#retryStream<T>(
    work: (backend: Backend, deadline: Deadline, attempt: number) => AsyncIterable<T>,
    verb: string,
    ref: FileRef,
    signal?: AbortSignal,
  ): AsyncGenerator<T, void, void> {
    const { clock, totalMs, wait } = this.#settings
    const began = clock.monotonic()
    for (let attempt = 1; ; attempt++) {
      try {
        for await (const part of this.#attempt(
          (backend, deadline) => work(backend, deadline, attempt),
          verb,
          ref,
          signal,
        )) {
          this.#isReached = true
          yield part
        }
        this.#isReached = true
        return
      } catch (thrown) {
        signal?.throwIfAborted()
        if (!isUnavailable(thrown)) {
          this.#isReached = true
          throw thrown
        }
        const delayMs = this.#delayAfter(attempt)
        if (attempt >= this.#mostAttempts() || clock.monotonic() + delayMs - began > totalMs) throw thrown
        await wait(delayMs, signal)
      }
    }
  }

  #mostAttempts(): number {
    const { attempts, firstAttempts = attempts } = this.#settings
    return this.#isReached ? attempts : firstAttempts
  }

  async *#attempt<T>(
    work: (backend: Backend, deadline: Deadline) => AsyncIterable<T>,
    verb: string,
    ref: FileRef,
    signal?: AbortSignal,
  ): AsyncGenerator<T, void, void> {
    const held = await unlessAborted(this.#places.current(), signal)
    held.users++
    using deadline = new Deadline((ms) => this.#stalled(verb, ref, ms), signal)
    let failure: unknown
    try {
      yield* work(held.backend, deadline)
    } catch (thrown) {
      failure = thrown
      throw thrown
    } finally {
      this.#places.release(held, failure)
    }
  }

  /** Half of it by chance, so that many that failed at once do not come back at once. */
  #delayAfter(attempt: number): number {
    const { firstDelayMs, longestDelayMs, chance } = this.#settings
    return Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1)) * (1 - chance() / 2)
  }

  /**
   * Sees that a name which is taken stands for exactly these bytes.
   *
   * @throws `conflict` when it does not; `backend.half-stored` when it stands for a part of them; `backend.unavailable`
   * when it is free by now.
   */
  async #requireOwn(
    backend: Backend,
    ref: FileRef,
    body: Uint8Array,
    deadline: Deadline,
    conflict: unknown,
  ): Promise<void> {
    const { stallMs } = this.#settings
    let at = 0
    try {
      for await (const piece of deadline.each(stallMs, backend.load(ref, undefined, deadline.signal))) {
        if (Buffer.compare(piece, body.subarray(at, at + piece.length)) !== 0) throw conflict
        at += piece.length
      }
    } catch (thrown) {
      if (systemCode(thrown) !== 'backend.missing') throw thrown
      const reason = 'its name was taken, and is free again'
      const facts = { place: this.place, verb: 'save', file: describeFile(ref), reason }
      throw backendError('backend.unavailable', facts, thrown)
    }
    if (at === body.length) return
    if (ref.type === 'config') throw conflict // because it may be that of somebody else
    // never stored anew under this name, because whoever still writes the part may take the whole away with it
    await deadline.within(stallMs, backend.remove(ref, deadline.signal)).catch(() => {})
    throw halfStored(this.place, ref)
  }

  #stalled(verb: string, ref: FileRef, ms: number): Error {
    const reason = `there was no progress for ${Math.round(ms / 1000)} s`
    return backendError('backend.unavailable', { place: this.place, verb, file: describeFile(ref), reason })
  }
}

/** What is left of a load; its end, when nobody said it, is found by listing. */
async function rest(
  backend: Backend,
  ref: FileRef,
  reached: number,
  range: ByteRange | undefined,
  deadline: Deadline,
): Promise<ByteRange> {
  if (range) return { start: range.start + reached, end: range.end }
  for await (const file of backend.list(ref.type, deadline.signal)) {
    if (file.name === ref.name) return { start: reached, end: file.size }
  }
  throw backendError('backend.missing', { file: describeFile(ref), place: backend.place })
}
