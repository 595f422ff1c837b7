import type { Choice, Entry, EntryChooser } from './entries.ts'
import { shownTable, tableKey, type TableKey } from './table-name.ts'

/** What of a table is wanted: all of it, or its rows alone. */
export type Wanted = 'all' | 'rows'

/** What else names its table first: `invoice invoice_pkey`. */
const ofTable = new Set(['CONSTRAINT', 'FK CONSTRAINT', 'CHECK CONSTRAINT', 'DEFAULT', 'TRIGGER', 'RULE', 'POLICY'])
/** A comment or a right names the kind of thing that it is about: `TABLE invoice`, `COLUMN invoice.note`. */
const aboutTable = new Set(['COMMENT', 'ACL', 'SECURITY LABEL'])
const tableTypes = new Set(['TABLE', 'ROW SECURITY'])
/** What names its table in its text alone. The sequence of an identity column is made by ALTER TABLE. */
const tableComesBehind: Readonly<Record<string, RegExp>> = {
  INDEX: /\sON (?:ONLY )?/,
  SEQUENCE: /^ALTER TABLE (?:ONLY )?(?=\S.* ALTER COLUMN )/m,
  'SEQUENCE OWNED BY': /\sOWNED BY /,
}

/**
 * Chooses what belongs to some tables: definition, rows, sequences of their columns, constraints, indexes, triggers, rules,
 * comments and rights.
 */
export class TableChooser implements EntryChooser {
  readonly found = new Set<TableKey>()
  readonly #wanted: ReadonlyMap<TableKey, Wanted>
  readonly #sequences = new Set<string>()

  constructor(wanted: ReadonlyMap<TableKey, Wanted>) {
    this.#wanted = wanted
  }

  choose(entry: Entry): Choice {
    const { name, type, schema } = entry
    if (type === 'TABLE DATA') {
      const wanted = this.#wanted.has(tableKey(schema, name))
      if (wanted) this.found.add(tableKey(schema, name))
      return wanted ? 'keep' : 'drop'
    }
    if (tableTypes.has(type)) return this.#isWhole(schema, name) ? 'keep' : 'drop'
    if (ofTable.has(type)) return this.#names(schema, name).some((one) => this.#isWhole(schema, one)) ? 'keep' : 'drop'
    if (aboutTable.has(type)) {
      const [, kind, rest = ''] = /^(TABLE|COLUMN|TRIGGER|CONSTRAINT|SEQUENCE) (.*)$/s.exec(name) ?? []
      if (kind === 'SEQUENCE') return this.#sequences.has(tableKey(schema, rest)) ? 'keep' : 'drop'
      if (kind === undefined) return 'drop'
      return [...this.#wanted.keys()].some((key) => this.#isAbout(key, schema, rest)) ? 'keep' : 'drop'
    }
    if (type === 'SEQUENCE SET') return this.#sequences.has(tableKey(schema, name)) ? 'keep' : 'drop'
    return type in tableComesBehind ? 'ask' : 'drop'
  }

  decide({ name, type, schema }: Entry, text: string): boolean | 'with-next' {
    const table = firstName(text, tableComesBehind[type]!)
    // because whose a sequence is, is said right behind it
    if (table === undefined) return type === 'SEQUENCE' ? 'with-next' : false
    const isWanted = this.#wanted.get(tableKey(...table)) === 'all'
    if (isWanted && type !== 'INDEX') this.#sequences.add(tableKey(schema, name))
    return isWanted
  }

  #isWhole(schema: string, name: string): boolean {
    return this.#wanted.get(tableKey(schema, name)) === 'all'
  }

  /** The table and the rest are joined by a blank, and both may hold some. */
  #names(schema: string, name: string): string[] {
    const names = [...this.#wanted.keys()]
      .filter((key) => key.startsWith(`${schema}\0`))
      .map((key) => key.split('\0')[1]!)
    return names.filter((one) => name.startsWith(`${one} `))
  }

  #isAbout(key: TableKey, schema: string, rest: string): boolean {
    const [ofSchema, table = ''] = key.split('\0')
    if (ofSchema !== schema || this.#wanted.get(key) !== 'all') return false
    return (
      rest === table || rest.startsWith(`${table}.`) || rest.startsWith(`${table} `) || rest.endsWith(` ON ${table}`)
    )
  }
}

const qualified = /^("(?:[^"]|"")+"|[^".\s]+)\.("(?:[^"]|"")+"|[^".\s(;]+)/

/** The schema and name that stand behind some words. */
function firstName(text: string, before: RegExp): readonly [schema: string, name: string] | undefined {
  const found = before.exec(text)
  const name = found && qualified.exec(text.slice(found.index + found[0].length))
  return name ? [unquoted(name[1]!), unquoted(name[2]!)] : undefined
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}

/**
 * What a person calls a table: `invoice`, `public.invoice`, `"odd.schema"."odd name"`. Without a schema it is `public`. Names are
 * UTF-8 here, and bytes in a dump.
 */
export function tableKeyOf(text: string): TableKey {
  const raw = Buffer.from(text).toString('latin1')
  const parts = /^(?:("(?:[^"]|"")+"|[^".]+)\.)?("(?:[^"]|"")+"|[^".]+)$/.exec(raw)
  if (!parts) return tableKey('public', raw)
  return tableKey(parts[1] === undefined ? 'public' : unquoted(parts[1]), unquoted(parts[2]!))
}

/** As the manifest names it. */
export function shownKey(key: TableKey): string {
  return shownTable(key, decodedName)
}

export function decodedName(raw: string): string {
  return Buffer.from(raw, 'latin1').toString()
}
