import { PlainWatcher } from './count-copy.ts'
import { JoinedEntry } from './joined-entry.ts'
import { DumpFault } from './watcher.ts'
import type { TableKey } from './table-name.ts'

/** One thing of a plain dump, as the comment above it names it. Names are bytes, each one character. */
export interface Entry {
  /** Such as `invoice`, `invoice invoice_pkey` for what belongs to a table, `TABLE invoice` for a comment on it. */
  readonly name: string
  /** Such as `TABLE`, `TABLE DATA`, `SEQUENCE SET`, `FK CONSTRAINT`. */
  readonly type: string
  /** `-` for what lies in none. */
  readonly schema: string
}

/** What becomes of an entry; `ask` decides when all of its text is there, `join` keeps it without a transaction of its own. */
export type Choice = 'keep' | 'drop' | 'ask' | 'join'

/** Chooses among the entries of a dump. */
export interface EntryChooser {
  choose(entry: Entry): Choice
  /**
   * @param text - of an entry that was `ask`; each byte one character.
   * @returns `with-next` when it is kept if the one that follows is asked about and kept.
   */
  decide(entry: Entry, text: string): boolean | 'with-next'
}

const heading = /^-- (?:Data for )?Name: (.*); Type: ([A-Z][A-Z ]*); Schema: (.*?); Owner: .*$/s
const trailer = '-- PostgreSQL database dump complete'
/** Of longer comments only the beginning is told. */
const longestHeading = 1000
/** Entries that are asked about are definitions. */
const longestAsked = 1 << 24

/**
 * Passes on of a plain dump what is chosen, while it streams, and sees whether the dump is whole. Settings at its beginning
 * and its trailer are always kept. Memory: a piece of the dump.
 */
export class EntryFilter {
  readonly #watcher: PlainWatcher
  readonly #chooser: EntryChooser
  #entry: Entry | undefined
  #choice: Choice = 'keep'
  #asked: Buffer[] = []
  #askedBytes = 0
  #joined = new JoinedEntry()
  /** An entry that is kept with the next. */
  #waiting: Buffer | undefined
  #kept: Buffer[] = []
  /** Where, in the bytes that are read, begins what has not been given anywhere. */
  #from = 0
  #bytes: Buffer = Buffer.alloc(0)

  constructor(chooser: EntryChooser) {
    this.#chooser = chooser
    this.#watcher = new PlainWatcher('database', undefined, (comment, end) => this.#takeComment(comment, end))
  }

  /** Of each table whose data has passed in full, kept or not. */
  get rows(): ReadonlyMap<TableKey, number> {
    return this.#watcher.rows
  }

  /** @returns what of these bytes, and of others before them, is kept. @throws {@link DumpFault}. */
  push(bytes: Uint8Array): Buffer[] {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#from = 0
    this.#watcher.push(this.#bytes)
    this.#give(this.#bytes.length)
    return this.#take()
  }

  /** @throws {@link DumpFault} when the dump is not whole. */
  end(): Buffer[] {
    this.#watcher.end()
    this.#endEntry()
    return this.#take()
  }

  #take(): Buffer[] {
    const kept = this.#kept
    this.#kept = []
    return kept
  }

  #takeComment(comment: string, end: number): void {
    const found = heading.exec(comment)
    if (!found && comment !== trailer) return
    const start = end - 1 - comment.length
    // because a heading that is cut by the end of a piece, or too long to be known, has gone to the entry before in part
    const isWhole = start >= this.#from && comment.length < longestHeading
    this.#give(isWhole ? start : end)
    this.#endEntry()
    this.#entry = found ? { name: found[1]!, type: found[2]!, schema: found[3]! } : undefined
    const choice = this.#entry ? this.#chooser.choose(this.#entry) : 'keep'
    const isLost = !isWhole && (this.#choice === 'drop' || this.#choice === 'ask') && choice !== 'drop'
    if (isLost) this.#push(Buffer.from(`${comment}\n`, 'latin1'), choice)
    this.#choice = choice
  }

  #give(end: number): void {
    const bytes = this.#bytes.subarray(this.#from, end)
    this.#from = end
    // because what is asked about is looked at when the next piece may have taken the place of this one
    if (bytes.length > 0) this.#push(this.#choice === 'ask' ? Buffer.from(bytes) : bytes, this.#choice)
  }

  #push(bytes: Buffer, choice: Choice): void {
    if (choice === 'keep') this.#kept.push(bytes)
    if (choice === 'join') this.#kept.push(...this.#joined.push(bytes))
    if (choice !== 'ask') return
    this.#asked.push(bytes)
    this.#askedBytes += bytes.length
    if (this.#askedBytes > longestAsked) throw new DumpFault('a definition in it has no end')
  }

  #endEntry(): void {
    const text = Buffer.concat(this.#asked)
    this.#asked = []
    this.#askedBytes = 0
    const waiting = this.#waiting
    this.#waiting = undefined
    if (this.#choice === 'join') {
      this.#kept.push(...this.#joined.end())
      this.#joined = new JoinedEntry()
    }
    if (this.#choice !== 'ask') return
    const decided = this.#chooser.decide(this.#entry!, text.toString('latin1'))
    if (decided === 'with-next') this.#waiting = text
    else if (decided) this.#kept.push(...(waiting ? [waiting] : []), text)
  }
}
