/** A wait that ends early when something has happened, also when it happened just before. */
export class Waiting {
  readonly #pause: (ms: number, signal: AbortSignal) => Promise<void>
  #stirred = false
  #wake = new AbortController()

  constructor(pause: (ms: number, signal: AbortSignal) => Promise<void>) {
    this.#pause = pause
  }

  get isStirred(): boolean {
    return this.#stirred
  }

  stir(): void {
    this.#stirred = true
    this.#wake.abort()
  }

  /** Whether something has happened since the last call. */
  takeStir(): boolean {
    const was = this.#stirred
    this.#stirred = false
    this.#wake = new AbortController()
    return was
  }

  /** Never rejects because of `signal`. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (this.#stirred || signal.aborted) return
    const stop = AbortSignal.any([this.#wake.signal, signal])
    try {
      await this.#pause(ms, stop)
    } catch (thrown) {
      if (!stop.aborted) throw thrown
    }
  }
}
