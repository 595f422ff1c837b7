import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'

/** The steps of whoever restores, and the time that each took. */
export class Steps {
  readonly #context: TestContext
  readonly #promisedMinutes: number
  #seconds = 0

  /** @param promisedMinutes - so long all of it may take. */
  constructor(context: TestContext, promisedMinutes: number) {
    this.#context = context
    this.#promisedMinutes = promisedMinutes
  }

  async take<T>(title: string, work: () => Promise<T>): Promise<T> {
    const begin = performance.now()
    const result = await work()
    const seconds = (performance.now() - begin) / 1000
    this.#seconds += seconds
    this.#context.diagnostic(`${seconds.toFixed(1)} s: ${title}`)
    return result
  }

  /** Prints the time of all, and compares it with what is promised. */
  end(): void {
    this.#context.diagnostic(`${this.#seconds.toFixed(1)} s in all, of the ${this.#promisedMinutes} min promised`)
    assert.ok(this.#seconds < this.#promisedMinutes * 60)
  }
}
