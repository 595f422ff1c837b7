import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'

import type { Clock } from '#base'

/**
 * Time that passes only while a daemon pauses and nothing is being done, so that days take no longer than what is done in
 * them.
 */
export class SimulatedTime {
  #now: number
  #monotonic = 0
  readonly #alarms: { readonly at: number; readonly ring: () => void | Promise<void> }[] = []

  /** @param now - milliseconds since 1970, or an ISO instant. */
  constructor(now: number | string) {
    this.#now = new Date(now).getTime()
  }

  readonly clock: Clock = { now: () => this.#now, monotonic: () => this.#monotonic }

  /** What a daemon is given to pause with. @param daemon - says how much is being done. */
  pause(daemon: () => { readonly atWork: number }): (ms: number, signal: AbortSignal) => Promise<void> {
    return async (ms, signal) => {
      const letWork = async (): Promise<void> => {
        await setImmediate() // because what the daemon was told a moment ago is begun only now
        signal.throwIfAborted()
        if (daemon().atWork === 0) return
        await once(signal, 'abort')
        throw signal.reason as Error
      }
      await letWork()
      await this.#pass(ms, letWork)
    }
  }

  /** Calls `ring` when it is that late. @param at - as in the constructor. */
  at(at: number | string, ring: () => void | Promise<void>): void {
    this.#alarms.push({ at: new Date(at).getTime(), ring })
    this.#alarms.sort((a, b) => a.at - b.at)
  }

  /** Sets the clock as a person would: the time that really passes is another one. */
  set(now: number | string): void {
    this.#now = new Date(now).getTime()
  }

  async #pass(ms: number, afterEach: () => Promise<void>): Promise<void> {
    const until = this.#monotonic + ms
    while (this.#alarms[0] && this.#alarms[0].at <= this.#now + (until - this.#monotonic)) {
      const { at, ring } = this.#alarms.shift()!
      const passed = Math.max(0, at - this.#now)
      this.#now += passed
      this.#monotonic += passed
      await ring()
      await afterEach()
    }
    this.#now += until - this.#monotonic
    this.#monotonic = until
  }
}
