/** What ends an operation that makes no progress. */
export class Stalled extends Error {}

/** Aborts its signal when nothing was seen to move for a while, or when the caller's own signal is aborted. */
export class Watch implements Disposable {
  readonly #stop = new AbortController()
  readonly #stallMs: number
  #timer: NodeJS.Timeout | undefined
  readonly signal: AbortSignal

  constructor(stallMs: number, signal?: AbortSignal) {
    this.#stallMs = stallMs
    this.signal = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    this.touch()
  }

  /** Something moved, or is to move from here on. */
  touch(): void {
    this.#timer ??= setTimeout(() => this.#giveUp(), this.#stallMs)
    this.#timer.refresh()
  }

  /** It is our turn to do something, for as long as we like: until the next touch nothing needs to move. */
  pause(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  [Symbol.dispose](): void {
    this.pause()
  }

  #giveUp(): void {
    this.#stop.abort(new Stalled(`nothing moved for ${this.#stallMs / 1000} seconds`))
  }
}
