import { randomHex } from '#base'

/** Names of files that were seen, by the first 64 bits of each: 11 to 22 bytes of memory for one. */
export class NameSet {
  /** Odd and unknown to others, so that nobody can choose names that all fall into one slot. */
  readonly #factor = BigInt(`0x${randomHex(8)}`) | 1n
  #bits = 10
  /** An empty one is 0. */
  #slots = new BigUint64Array(2 ** this.#bits)
  #size = 0

  get size(): number {
    return this.#size
  }

  /** @param name - 64 hex digits. @returns whether it was not there. */
  add(name: string): boolean {
    if (!this.#insert(BigInt(`0x${name.slice(0, 16)}`) || 1n)) return false
    this.#size++
    if (this.#size * 4 > this.#slots.length * 3) this.#grow()
    return true
  }

  #grow(): void {
    const values = this.#slots
    this.#bits++
    this.#slots = new BigUint64Array(2 ** this.#bits)
    for (const value of values) if (value !== 0n) this.#insert(value)
  }

  #insert(value: bigint): boolean {
    const slots = this.#slots
    const start = Number(BigInt.asUintN(64, value * this.#factor) >> BigInt(64 - this.#bits))
    for (let at = start; ; at = (at + 1) % slots.length) {
      if (slots[at] === value) return false
      if (slots[at] !== 0n) continue
      slots[at] = value
      return true
    }
  }
}
