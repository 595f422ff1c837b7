import { type IndexRows, rowWords } from '../format/index-rows.ts'

export type BlobType = 'data' | 'tree'

/** Where one copy of a blob lies. */
export interface BlobLocation {
  /** Hex id of the pack. */
  readonly packId: string
  /** Bytes from the start of the pack. */
  readonly offset: number
  /** Sealed length in bytes. */
  readonly length: number
  /** Plain length in bytes; 0 when the blob is stored raw. */
  readonly uncompressedLength: number
}

/** An entry of a `BlobIndex` as numbers. */
export interface BlobRow {
  /** Number of the entry, and of the first entry of the same blob: that of its first copy. */
  readonly entry: number
  readonly first: number
  readonly type: BlobType
  /** Position of its pack in `packs`. */
  readonly pack: number
  readonly length: number
  readonly uncompressedLength: number
}

/** The memory of a `BlobIndex`, to hand to another thread. */
export interface SharedIndex {
  readonly counter: SharedArrayBuffer
  readonly ids: SharedArrayBuffer
  readonly places: SharedArrayBuffer
  readonly slots: SharedArrayBuffer
}

const idWords = 8
const placeWords = 4
const treeBit = 0x8000_0000
/** Slots are doubled before more than this share of them is taken. */
const fullness = 0.6
const smallestCapacity = 1 << 16
/** Entries that threads may add between two looks at `isCrowded`. */
const headroom = 1 << 14

/**
 * Which blobs a repository holds, as open addressing in shared memory: 48 bytes an entry and 4 a slot, about 56 to 60
 * bytes a blob, and no JavaScript objects.
 *
 * Layout: `ids` holds 8 words an entry; `places` holds pack number (highest bit: a tree), offset, length and
 * uncompressed length; `slots` holds entry number + 1, or 0. An entry without a place (pack number 0) is claimed:
 * somebody is storing it. Copies of one blob in several packs are several entries of one probe sequence.
 *
 * Every thread may `claim` and ask; only the thread that made it may `insert` and `grow`.
 */
export class BlobIndex {
  #counter!: Int32Array
  #ids!: Uint32Array
  #places!: Uint32Array
  #slots!: Int32Array
  /** Pack number - 1 → hex id. */
  readonly #packs: string[] = []
  readonly #packNumbers = new Map<string, number>()
  readonly #treePacks = new Set<number>()
  readonly #words = new Uint32Array(idWords)
  readonly #bytes = Buffer.from(this.#words.buffer)

  constructor(shared?: SharedIndex) {
    if (shared) this.#attach(shared)
    else this.#allocate(smallestCapacity)
  }

  /** The memory to build a `BlobIndex` from in another thread; it is outdated by `grow`. */
  get shared(): SharedIndex {
    return {
      counter: this.#counter.buffer as SharedArrayBuffer,
      ids: this.#ids.buffer as SharedArrayBuffer,
      places: this.#places.buffer as SharedArrayBuffer,
      slots: this.#slots.buffer as SharedArrayBuffer,
    }
  }

  /** Entries, copies counted. */
  get size(): number {
    return Atomics.load(this.#counter, 0)
  }

  /** Hex ids of the packs that an index file names. */
  get packs(): readonly string[] {
    return this.#packs
  }

  /** Whether a pack is known to hold a tree. @param packId - hex. */
  holdsTrees(packId: string): boolean {
    const number = this.#packNumbers.get(packId)
    return number !== undefined && this.#treePacks.has(number)
  }

  /** True when `grow` should be called before other threads go on claiming. */
  get isCrowded(): boolean {
    return this.size + headroom > this.#slots.length * fullness
  }

  /** Makes room. No other thread may use the index meanwhile, and each must be given `shared` anew. */
  grow(): void {
    this.#rehash(this.#slots.length * 2)
  }

  /** Sees to it that `count` more blobs find room without growing. */
  reserve(count: number): void {
    let capacity = this.#slots.length
    while (this.size + count + headroom > capacity * fullness) capacity *= 2
    if (capacity !== this.#slots.length) this.#rehash(capacity)
  }

  /**
   * True when the blob was neither there nor claimed: the caller has to store it. For each id exactly one caller of all
   * threads is told true.
   *
   * @param id - 32 bytes, or hex.
   */
  claim(type: BlobType, id: Uint8Array | string): boolean {
    const typeBits = this.#take(type, id)
    const words = this.#words
    const mask = this.#slots.length - 1
    let mine = -1
    for (let slot = words[0]! & mask; ; slot = (slot + 1) & mask) {
      let taken = Atomics.load(this.#slots, slot)
      if (taken === 0) {
        if (mine < 0) mine = this.#newEntry(typeBits)
        taken = Atomics.compareExchange(this.#slots, slot, 0, mine + 1)
        if (taken === 0) return true
      }
      if (this.#equals(taken - 1, typeBits)) return false
    }
  }

  /** True when the blob is stored or claimed. `id`: 32 bytes, or hex. */
  has(type: BlobType, id: Uint8Array | string): boolean {
    const typeBits = this.#take(type, id)
    const mask = this.#slots.length - 1
    for (let slot = this.#words[0]! & mask; ; slot = (slot + 1) & mask) {
      const taken = Atomics.load(this.#slots, slot)
      if (taken === 0) return false
      if (this.#equals(taken - 1, typeBits)) return true
    }
  }

  /** Every copy of a blob, first inserted first; empty when there is none. `id`: 32 bytes, or hex. */
  find(type: BlobType, id: Uint8Array | string): BlobLocation[] {
    const typeBits = this.#take(type, id)
    const found: BlobLocation[] = []
    const mask = this.#slots.length - 1
    for (let slot = this.#words[0]! & mask; ; slot = (slot + 1) & mask) {
      const taken = Atomics.load(this.#slots, slot)
      if (taken === 0) return found
      const entry = taken - 1
      if (!this.#equals(entry, typeBits)) continue
      const at = entry * placeWords
      const pack = this.#places[at]! & ~treeBit
      if (pack === 0) continue
      found.push({
        packId: this.#packs[pack - 1]!,
        offset: this.#places[at + 1]!,
        length: this.#places[at + 2]!,
        uncompressedLength: this.#places[at + 3]!,
      })
    }
  }

  /** The plain length in bytes of a blob that is stored; undefined when it is not. `id`: 32 bytes, or hex. */
  plainLength(type: BlobType, id: Uint8Array | string): number | undefined {
    const [first] = this.find(type, id)
    return first && (first.uncompressedLength || first.length - 32)
  }

  /** Records where a blob lies: fills the place of a claimed one, adds a copy to a known one. */
  insert(type: BlobType, id: Uint8Array | string, place: BlobLocation): void {
    const { packId, offset, length, uncompressedLength } = place
    this.#insert(this.#take(type, id), this.#packNumber(packId), offset, length, uncompressedLength)
  }

  /** Records what an index file says. */
  insertAll({ packs, rows }: IndexRows): void {
    this.reserve(rows.length / rowWords)
    const numbers = packs.map((packId) => this.#packNumber(packId))
    const words = this.#words
    for (let at = 0; at < rows.length; at += rowWords) {
      for (let word = 0; word < idWords; word++) words[word] = rows[at + 5 + word]!
      const typeBits = rows[at + 1] === 0 ? 0 : treeBit
      this.#insert(typeBits, numbers[rows[at]!]!, rows[at + 2]!, rows[at + 3]!, rows[at + 4]!)
    }
  }

  /** Of the blob whose id stands in the scratch words. */
  #insert(typeBits: number, pack: number, offset: number, length: number, uncompressedLength: number): void {
    if (typeBits !== 0) this.#treePacks.add(pack)
    const mask = this.#slots.length - 1
    for (let slot = this.#words[0]! & mask; ; slot = (slot + 1) & mask) {
      const taken = Atomics.load(this.#slots, slot)
      let entry = taken - 1
      if (taken === 0) {
        if (this.isCrowded) {
          this.grow()
          return this.#insert(typeBits, pack, offset, length, uncompressedLength)
        }
        entry = this.#newEntry(typeBits)
        Atomics.store(this.#slots, slot, entry + 1)
      } else if (!this.#equals(entry, typeBits)) {
        continue
      }
      const at = entry * placeWords
      const known = this.#places[at]! & ~treeBit
      if (known === pack && this.#places[at + 1] === offset) return
      if (known !== 0) continue
      this.#places[at] = (pack | typeBits) >>> 0
      this.#places[at + 1] = offset
      this.#places[at + 2] = length
      this.#places[at + 3] = uncompressedLength
      return
    }
  }

  /** Each entry that has a place. */
  *entries(): Generator<{ type: BlobType; id: string; place: BlobLocation }, void, void> {
    for (let slot = 0; slot < this.#slots.length; slot++) {
      const entry = this.#slots[slot]! - 1
      if (entry < 0) continue
      const at = entry * placeWords
      const pack = this.#places[at]! & ~treeBit
      if (pack === 0) continue
      const place = {
        packId: this.#packs[pack - 1]!,
        offset: this.#places[at + 1]!,
        length: this.#places[at + 2]!,
        uncompressedLength: this.#places[at + 3]!,
      }
      const id = Buffer.from(this.#ids.buffer, entry * idWords * 4, idWords * 4).toString('hex')
      yield { type: this.#places[at]! & treeBit ? 'tree' : 'data', id, place }
    }
  }

  /** The number of the first entry of a blob, until the index grows; undefined when there is none. `id`: 32 bytes, or hex. */
  entryOf(type: BlobType, id: Uint8Array | string): number | undefined {
    const typeBits = this.#take(type, id)
    const mask = this.#slots.length - 1
    for (let slot = this.#words[0]! & mask; ; slot = (slot + 1) & mask) {
      const taken = this.#slots[slot]!
      if (taken === 0) return undefined
      if (this.#equals(taken - 1, typeBits)) return taken - 1
    }
  }

  /** Hex id of the blob of an entry. */
  idOf(entry: number): string {
    return Buffer.from(this.#ids.buffer, entry * idWords * 4, idWords * 4).toString('hex')
  }

  /** Where the blob of an entry lies. @param entry - one that has a place. */
  placeOf(entry: number): BlobLocation {
    const at = entry * placeWords
    return {
      packId: this.#packs[(this.#places[at]! & ~treeBit) - 1]!,
      offset: this.#places[at + 1]!,
      length: this.#places[at + 2]!,
      uncompressedLength: this.#places[at + 3]!,
    }
  }

  /** Position in `packs` of the pack of an entry. @param entry - one that has a place. */
  packOf(entry: number): number {
    return (this.#places[entry * placeWords]! & ~treeBit) - 1
  }

  /**
   * Each entry that has a place, without making objects for millions of them: it is always the same one, with other
   * numbers.
   */
  *rows(): Generator<BlobRow, void, void> {
    const row: { -readonly [Field in keyof BlobRow]: BlobRow[Field] } = {
      entry: 0,
      first: 0,
      type: 'data',
      pack: 0,
      length: 0,
      uncompressedLength: 0,
    }
    const count = this.size
    for (let entry = 0; entry < count; entry++) {
      const at = entry * placeWords
      const place = this.#places[at]!
      const pack = place & ~treeBit
      if (pack === 0) continue
      row.entry = entry
      row.first = this.#firstOf(entry)
      row.type = place & treeBit ? 'tree' : 'data'
      row.pack = pack - 1
      row.length = this.#places[at + 2]!
      row.uncompressedLength = this.#places[at + 3]!
      yield row
    }
  }

  #firstOf(entry: number): number {
    const ids = this.#ids
    this.#words.set(ids.subarray(entry * idWords, (entry + 1) * idWords))
    const typeBits = this.#places[entry * placeWords]! & treeBit
    const mask = this.#slots.length - 1
    for (let slot = this.#words[0]! & mask; ; slot = (slot + 1) & mask) {
      const other = this.#slots[slot]! - 1
      if (other === entry || this.#equals(other, typeBits)) return other
    }
  }

  #attach(shared: SharedIndex): void {
    this.#counter = new Int32Array(shared.counter)
    this.#ids = new Uint32Array(shared.ids)
    this.#places = new Uint32Array(shared.places)
    this.#slots = new Int32Array(shared.slots)
  }

  #allocate(capacity: number): void {
    const entries = Math.ceil(capacity * fullness) + headroom
    this.#attach({
      counter: new SharedArrayBuffer(4),
      ids: new SharedArrayBuffer(entries * idWords * 4),
      places: new SharedArrayBuffer(entries * placeWords * 4),
      slots: new SharedArrayBuffer(capacity * 4),
    })
  }

  #rehash(capacity: number): void {
    const ids = this.#ids
    const places = this.#places
    const isUsed = new Uint8Array(this.size) // because a thread that lost a slot to another leaves an entry without one
    for (const taken of this.#slots) if (taken !== 0) isUsed[taken - 1] = 1
    this.#allocate(capacity)
    const [newIds, newPlaces, slots] = [this.#ids, this.#places, this.#slots]
    const mask = capacity - 1
    let count = 0
    for (let entry = 0; entry < isUsed.length; entry++) {
      if (isUsed[entry] === 0) continue
      for (let word = 0; word < idWords; word++) newIds[count * idWords + word] = ids[entry * idWords + word]!
      for (let word = 0; word < placeWords; word++)
        newPlaces[count * placeWords + word] = places[entry * placeWords + word]!
      let slot = ids[entry * idWords]! & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = ++count
    }
    this.#counter[0] = count
  }

  /** Puts `id` into the scratch words and gives the type as it stands in a place. */
  #take(type: BlobType, id: Uint8Array | string): number {
    if (typeof id === 'string') this.#bytes.write(id, 'hex')
    else this.#bytes.set(id)
    return type === 'tree' ? treeBit : 0
  }

  #newEntry(typeBits: number): number {
    const entry = Atomics.add(this.#counter, 0, 1)
    this.#ids.set(this.#words, entry * idWords)
    this.#places[entry * placeWords] = typeBits >>> 0
    return entry
  }

  #equals(entry: number, typeBits: number): boolean {
    const ids = this.#ids
    const words = this.#words
    const at = entry * idWords
    for (let word = 0; word < idWords; word++) if (ids[at + word] !== words[word]) return false
    return (this.#places[entry * placeWords]! & treeBit) === (typeBits | 0)
  }

  #packNumber(packId: string): number {
    let number = this.#packNumbers.get(packId)
    if (number === undefined) {
      number = this.#packs.push(packId)
      this.#packNumbers.set(packId, number)
    }
    return number
  }
}
