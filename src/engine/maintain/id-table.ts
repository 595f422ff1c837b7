const idWords = 8
const fullness = 0.6
const smallestCapacity = 2048

/** Numbers ids in the order they come: 0, 1, 2 … Memory: 32 bytes an id and about 8 for finding it. */
export class IdTable {
  #slots = new Int32Array(smallestCapacity)
  #ids = new Uint32Array(Math.ceil(smallestCapacity * fullness) * idWords)
  #count = 0
  readonly #wanted = new Uint32Array(idWords)
  readonly #wantedBytes = Buffer.from(this.#wanted.buffer)

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
    for (let word = 0; word < idWords; word++) this.#ids[this.#count * idWords + word] = this.#wanted[word]!
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
    return Buffer.from(this.#ids.buffer, number * idWords * 4, idWords * 4).toString('hex')
  }

  #slotOf(id: string): number {
    this.#wantedBytes.write(id, 'hex')
    const mask = this.#slots.length - 1
    let slot = this.#wanted[0]! & mask
    while (this.#slots[slot] !== 0 && !this.#isWanted(this.#slots[slot]! - 1)) slot = (slot + 1) & mask
    return slot
  }

  #isWanted(number: number): boolean {
    const at = number * idWords
    for (let word = 0; word < idWords; word++) if (this.#ids[at + word] !== this.#wanted[word]) return false
    return true
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2)
    const ids = new Uint32Array(Math.ceil(slots.length * fullness) * idWords)
    ids.set(this.#ids.subarray(0, this.#count * idWords))
    for (let number = 0; number < this.#count; number++) {
      let slot = ids[number * idWords]! & (slots.length - 1)
      while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1)
      slots[slot] = number + 1
    }
    this.#ids = ids
    this.#slots = slots
  }
}
