/** A list of whole numbers below 2^32 that grows: 4 bytes each, where an array of JavaScript may take four times that. */
export class NumberList {
  #numbers = new Uint32Array(1024)
  #length = 0

  get length(): number {
    return this.#length
  }

  push(value: number): void {
    if (this.#length === this.#numbers.length) {
      const larger = new Uint32Array(this.#length * 2)
      larger.set(this.#numbers)
      this.#numbers = larger
    }
    this.#numbers[this.#length++] = value
  }

  /** The last one, which is taken away; undefined when there is none. */
  pop(): number | undefined {
    return this.#length === 0 ? undefined : this.#numbers[--this.#length]
  }

  /** @param position - below `length`. */
  get(position: number): number {
    return this.#numbers[position]!
  }

  set(position: number, value: number): void {
    this.#numbers[position] = value
  }
}
