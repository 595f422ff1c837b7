/** Rows of one table in the order of the dump. */
export interface TableRows {
  /** As a manifest names it: `public.invoice` of PostgreSQL, else the name alone. */
  readonly table: string
  readonly columns: readonly string[]
  /** As many values as columns, as the dump writes them; null is SQL's NULL. Empty for the first of a table. */
  readonly rows: readonly (readonly (string | null)[])[]
}

/** A column as the dump defines it. */
export interface ColumnDefinition {
  readonly name: string
  /** As the database writes it; empty when the dump does not say. */
  readonly type: string
  readonly nullable: boolean
  /** An expression of SQL. */
  readonly fallback?: string
  readonly comment?: string
}

export interface TableDefinition {
  readonly columns: readonly ColumnDefinition[]
  /** Names of columns. */
  readonly primaryKey: readonly string[]
  readonly foreignKeys: readonly { readonly columns: readonly string[]; readonly references: string }[]
  readonly comment?: string
}

/** What a dump holds, read while it streams by. */
export interface TableReader {
  /**
   * To be read once. Each table comes in one stretch, opened by a part without rows, so that an empty one comes too.
   *
   * Memory: the longest row, and a piece of the dump.
   *
   * @throws `source.tables-unreadable` as soon as the dump is not as its program writes it.
   */
  readonly rows: AsyncIterable<TableRows>
  /** By table; whole when all rows were read. */
  readonly definitions: ReadonlyMap<string, TableDefinition>
  /** What a reader of the values should know, in a sentence each; whole when all rows were read. */
  readonly remarks: readonly string[]
}

const pairs: Readonly<Record<string, string>> = { "'": "'", '"': '"', '`': '`' }

/**
 * Cuts what stands between the parentheses of a CREATE TABLE at its outer commas.
 *
 * @param escapes - a backslash in a string takes the next character with it, as in MySQL.
 */
export function splitDefinitions(body: string, escapes: boolean): string[] {
  const parts: string[] = []
  let depth = 0
  let from = 0
  for (let at = 0; at < body.length; at++) {
    const char = body[at]!
    const closing = pairs[char]
    if (closing !== undefined) at = endOfQuoted(body, at, escapes)
    else if (char === '(') depth++
    else if (char === ')') depth--
    else if (char === ',' && depth === 0) {
      parts.push(body.slice(from, at).trim())
      from = at + 1
    }
  }
  const last = body.slice(from).trim()
  return last === '' ? parts : [...parts, last]
}

/** The place of the quote that closes the one at `start`, or the end of the text. */
export function endOfQuoted(text: string, start: number, escapes: boolean): number {
  const quote = text[start]!
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\' && escapes && quote !== '`') at++
    else if (text[at] === quote) {
      if (text[at + 1] !== quote) return at
      at++
    }
  }
  return text.length
}

/** Reads a name at the beginning of `text`, quoted or not, and gives it with the place behind it. */
export function nameAt(text: string): { readonly name: string; readonly end: number } | undefined {
  const quote = text[0]
  if (quote === '"' || quote === '`') {
    const end = endOfQuoted(text, 0, false)
    return { name: text.slice(1, end).replaceAll(quote + quote, quote), end: end + 1 }
  }
  const [word] = /^[^\s(),."'`]+/.exec(text) ?? []
  return word === undefined ? undefined : { name: word, end: word.length }
}

/** The names in a list of columns, `id, "Odd, name"`. */
export function namesOf(list: string): string[] {
  return splitDefinitions(list, false).flatMap((part) => nameAt(part)?.name ?? [])
}

/** The same text with nothing between its single quotes, for looking for words of SQL. */
export function withoutStrings(text: string, escapes: boolean): string {
  let plain = ''
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== "'") plain += text[at]
    else {
      const end = endOfQuoted(text, at, escapes)
      plain += `'${'_'.repeat(Math.max(0, end - at - 1))}'`
      at = end
    }
  }
  return plain
}

/** Joins pieces of text up to the last place where a row can end, and keeps the rest for the next. */
export class Remainder {
  #parts: Buffer[] = []
  #bytes = 0
  #wanted = 0

  /** Bytes that wait for more. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Adds bytes, which are copied when they have to wait.
   *
   * @returns all that waits, once there is twice as much as was put back: a row of many megabytes is not read anew for
   * each piece of it.
   */
  add(piece: Uint8Array): Buffer | undefined {
    if (this.#bytes + piece.length < this.#wanted) {
      this.#parts.push(Buffer.from(piece))
      this.#bytes += piece.length
      return undefined
    }
    return this.take(piece)
  }

  take(piece: Uint8Array = new Uint8Array(0)): Buffer {
    const all = Buffer.concat([...this.#parts, piece])
    this.#parts = []
    this.#bytes = 0
    this.#wanted = 0
    return all
  }

  /** What belongs to a row that is not whole. */
  putBack(rest: Buffer): void {
    if (rest.length === 0) return
    this.#parts = [Buffer.from(rest)]
    this.#bytes = rest.length
    this.#wanted = rest.length < 65536 ? 0 : rest.length * 2
  }
}
