import { loadError } from '../load-errors.ts'
import { DumpReader, type DumpSummary, type InsertSink } from './count-inserts.ts'

export interface FilterOptions {
  /** The database that is loaded into: a dump may name the one that it comes from. */
  readonly database: string
  /** What only an administrator may make for others, the login makes for itself. */
  readonly ownDefiner: boolean
  /** Absent: everything. */
  readonly tables?: ReadonlySet<string>
  /** Whether the line stays that forbids commands to a client, which older ones do not know and stop at. */
  readonly keepsSandbox: boolean
}

const sandboxLine = /^\/\*M?!999999\\- /

const section =
  /^-- (Table structure|Temporary table structure|Sequence structure|Dumping (?:data|events|routines)|Final view structure) for (?:table|view|sequence|database|)\s*(?:`((?:[^`]|``)*)`|'.*')/
const settings = /^-- (?:Dump completed|(?:MariaDB|MySQL) dump)/
/** What dump programs write at the end, to bring settings back. */
const ending =
  /^\/\*!\d+ SET (?:TIME_ZONE|SQL_MODE|FOREIGN_KEY_CHECKS|UNIQUE_CHECKS|SQL_NOTES|CHARACTER_SET)\w*\s*=\s*@OLD_/i
const endingNote = /^\/\*M?!\d+ SET NOTE_VERBOSITY=@OLD_/
const definer = /DEFINER=(?:`(?:[^`]|``)*`|"(?:[^"]|"")*")(?:@(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"))?/
const alterDatabase = /^ALTER DATABASE `(?:[^`]|``)*`/

/**
 * Passes on what is wanted of a dump of mariadb-dump or mysqldump while it streams, and sees whether the dump is whole.
 * Memory: a piece of the dump, or its longest line that is not one of rows.
 */
export class DumpFilter {
  readonly #reader: DumpReader
  readonly #options: FilterOptions
  #isKept = true
  #kept: Buffer[] = []
  readonly found = new Set<string>()

  constructor(options: FilterOptions) {
    this.#options = options
    const keep = (bytes: Uint8Array): void => {
      // because these bytes hold until the call returns
      if (this.#isKept) this.#kept.push(Buffer.from(bytes))
    }
    const sink: InsertSink = {
      line: (line, isOpen) => (isOpen ? this.#takeLine(line) : keep(line)),
      beginRows: (header) => keep(Buffer.from(header)),
      rows: keep,
      endOfRows: () => {},
    }
    this.#reader = new DumpReader(sink)
  }

  push(bytes: Uint8Array): Buffer[] {
    this.#reader.push(bytes)
    return this.#take()
  }

  /** @throws `source.dump-refused` when the dump is not whole. */
  end(): { readonly rest: Buffer[]; readonly summary: DumpSummary } {
    const summary = this.#reader.end()
    if (summary.fault === undefined) return { rest: this.#take(), summary }
    throw loadError('source.dump-refused', { database: this.#options.database, reason: summary.fault })
  }

  #take(): Buffer[] {
    const kept = this.#kept
    this.#kept = []
    return kept
  }

  #takeLine(line: Uint8Array): void {
    const start = Buffer.from(line.buffer, line.byteOffset, Math.min(line.length, 1000)).toString('latin1')
    this.#choose(start)
    if (!this.#isKept || (!this.#options.keepsSandbox && sandboxLine.test(start))) return
    const changed = this.#changed(start)
    if (changed === start) this.#kept.push(Buffer.from(line))
    else this.#kept.push(Buffer.from(changed, 'latin1'), Buffer.from(line.subarray(start.length)))
  }

  #choose(start: string): void {
    const { tables } = this.#options
    if (!tables) return
    const found = section.exec(start)
    if (found) {
      const raw = found[2]?.replaceAll('``', '`')
      const name = raw === undefined ? undefined : Buffer.from(raw, 'latin1').toString()
      const isTable = found[1] === 'Table structure' || found[1] === 'Dumping data'
      this.#isKept = isTable && name !== undefined && tables.has(name)
      if (this.#isKept) this.found.add(name!)
    } else if (settings.test(start) || ending.test(start) || endingNote.test(start)) this.#isKept = true
  }

  #changed(start: string): string {
    if (start.startsWith('ALTER DATABASE ')) {
      const name = Buffer.from(this.#options.database.replaceAll('`', '``')).toString('latin1')
      return start.replace(alterDatabase, () => `ALTER DATABASE \`${name}\``)
    }
    const mayName = this.#options.ownDefiner && /^(?:\/\*!5|CREATE )/.test(start)
    return mayName ? start.replace(definer, 'DEFINER=CURRENT_USER') : start
  }
}
