import { longestTime, writeTime } from './time.ts'

/** Bytes that grow at their end; the way to build a long document without a string for each of its parts. */
export class ByteWriter {
  #bytes: Uint8Array
  #length = 0

  /** @param capacity - bytes that fit before the first copy. */
  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  /** ASCII text. */
  ascii(text: string): void {
    const at = this.#take(text.length)
    const bytes = this.#bytes
    for (let place = 0; place < text.length; place++) bytes[at + place] = text.charCodeAt(place)
  }

  bytes(bytes: Uint8Array): void {
    const at = this.#take(bytes.length) // first, because it may put another buffer in place of this one
    this.#bytes.set(bytes, at)
  }

  text(text: string): void {
    this.bytes(Buffer.from(text))
  }

  /** A whole number, not negative, in decimal. */
  count(value: number): void {
    if (value > 0x7fff_ffff) return this.ascii(String(value))
    let digits = 1
    for (let limit = 10; limit <= value; limit *= 10) digits++
    const start = this.#take(digits)
    let rest = value
    for (let at = start + digits - 1; at >= start; at--) {
      const next = (rest / 10) | 0
      this.#bytes[at] = 0x30 + rest - next * 10
      rest = next
    }
  }

  /** Nanoseconds since 1970 as RFC 3339, UTC. */
  time(ns: bigint): void {
    const at = this.#take(longestTime)
    this.#length = writeTime(this.#bytes, at, ns)
  }

  /** Repeats what was written between two lengths. */
  again(start: number, end: number): void {
    const at = this.#take(end - start)
    this.#bytes.copyWithin(at, start, end)
  }

  get length(): number {
    return this.#length
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.#length = 0
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return Buffer.from(this.#bytes.subarray(0, this.#length)) // small ones share memory, which spares the collector
  }

  /** What was written, without a copy: whoever takes it writes no more. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  #take(count: number): number {
    const at = this.#length
    this.#length = at + count
    if (this.#length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(this.#length * 2)
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
    }
    return at
  }
}
