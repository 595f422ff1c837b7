import { systemClock } from '#base'
import { unlessAborted } from './unless-aborted.ts'

/**
 * Ends an operation that makes no progress: what it waits for is given up, and its own signal is aborted. When the caller
 * aborts, the operation is waited for as before, because it alone knows whether it has happened.
 */
export class Deadline implements Disposable {
  /** For the operation: aborted with the caller's signal, or when it is cut. */
  readonly signal: AbortSignal
  readonly #cut = new AbortController()
  readonly #late: (ms: number) => Error

  /** @param late - the error of an operation that is cut. */
  constructor(late: (ms: number) => Error, signal?: AbortSignal) {
    this.#late = late
    this.signal = signal ? AbortSignal.any([signal, this.#cut.signal]) : this.#cut.signal
  }

  /** Waits for one step. @param ms - 0 for as long as it takes. */
  async within<T>(ms: number, step: Promise<T>): Promise<T> {
    const timer = ms === 0 ? undefined : setTimeout(() => this.#cut.abort(this.#late(ms)), ms)
    try {
      return await unlessAborted(step, this.#cut.signal)
    } finally {
      clearTimeout(timer)
    }
  }

  /**
   * Each item of a stream is a step; what its consumer takes does not count.
   *
   * @param worthMs - what an item adds to the time that is left, of which there is never more than `ms`: with little
   * worth, items that trickle end as silence does. Default: all of it.
   */
  async *each<T>(
    ms: number,
    stream: AsyncIterable<T>,
    worthMs: (item: T) => number = () => ms,
  ): AsyncGenerator<T, void, void> {
    const items = stream[Symbol.asyncIterator]()
    let leftMs = ms
    try {
      for (;;) {
        const began = systemClock.monotonic()
        const next = await this.within(leftMs, items.next())
        if (next.done) return
        const usedMs = systemClock.monotonic() - began
        // because 0 is for as long as it takes
        if (ms > 0) leftMs = Math.max(1, Math.min(ms, leftMs - usedMs + worthMs(next.value)))
        yield next.value
      }
    } finally {
      // because a stream that waits for the other side ends only when that has answered
      items.return?.().catch(() => {})
    }
  }

  [Symbol.dispose](): void {
    this.#cut.abort(new Error('the operation has ended'))
  }
}
