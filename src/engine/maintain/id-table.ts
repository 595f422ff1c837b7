const idSize = 32
const fullness = 0.6
const smallestCapacity = 2048

/** Numbers ids in the order they come: 0, 1, 2 … Memory: 32 bytes an id and about 8 for finding it. */
export class IdTable {
  #slots = new Int32Array(smallestCapacity)
  #ids = Buffer.alloc(Math.ceil(smallestCapacity * fullness) * idSize)
  #count = 0
  readonly #wanted = Buffer.alloc(idSize)

  get size(): number {
    return this.#count
  }

  /** The number of an id; a new one when it was never seen. `id`: hex. */
  add(id: string): number {
    const slot = this.#slotOf(id)
    if (this.#slots[slot] !== 0) return this.#slots[slot]! - 1
    if (this.#count + 1 > this.#slots.length * fullness) {
      this.#grow()
      return this.add(id)
    }
    this.#wanted.copy(this.#ids, this.#count * idSize)
    this.#slots[slot] = ++this.#count
    return this.#count - 1
  }

  /** The number of an id that was seen; undefined for others. `id`: hex. */
  find(id: string): number | undefined {
    const taken = this.#slots[this.#slotOf(id)]!
    return taken === 0 ? undefined : taken - 1
  }

  /** The hex id of a number. */
  idOf(number: number): string {
    return this.#ids.toString('hex', number * idSize, (number + 1) * idSize)
  }

  #slotOf(id: string): number {
    this.#wanted.write(id, 'hex')
    const mask = this.#slots.length - 1
    let slot = this.#wanted.readUInt32LE(0) & mask
    while (this.#slots[slot] !== 0 && !this.#isWanted(this.#slots[slot]! - 1)) slot = (slot + 1) & mask
    return slot
  }

  #isWanted(number: number): boolean {
    return this.#wanted.compare(this.#ids, number * idSize, (number + 1) * idSize) === 0
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    const ids = Buffer.alloc(Math.ceil(slots.length * fullness) * idSize)
    this.#ids.copy(ids, 0, 0, this.#count * idSize)
    for (let number = 0; number < this.#count; number++) {
      let slot = ids.readUInt32LE(number * idSize) & (slots.length - 1)
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = number + 1
    }
    this.#ids = ids
    this.#slots = slots
  }
}
