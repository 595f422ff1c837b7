const escapes: Readonly<Record<string, string>> = { 0: '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' }

/**
 * Reads whole rows of an INSERT statement, `(1,'a',NULL),(2,'b',0xff);`.
 *
 * @param text - UTF-8, each byte one character; begins at a row, or at what stands between two.
 * @returns the rows as text, and where the first that is not whole begins.
 */
export function readTuples(text: string): { rows: (string | null)[][]; end: number } {
  const rows: (string | null)[][] = []
  let end = 0
  for (;;) {
    const start = text.indexOf('(', end)
    if (start === -1) return { rows, end: text.length }
    const row: (string | null)[] = []
    const next = readRow(text, start + 1, row)
    if (next === -1) return { rows, end: start }
    rows.push(row)
    end = next
  }
}

/** @returns the place behind the row's parenthesis, -1 when it is not there. */
function readRow(text: string, start: number, row: (string | null)[]): number {
  let at = start
  while (at < text.length) {
    // A string may have a word before it that says how its bytes are meant.
    if (text[at] === '_') at = text.indexOf("'", at)
    if (at === -1) return -1
    if (text[at] === "'") {
      const end = endOfString(text, at + 1)
      if (end === -1) return -1
      row.push(unescapeString(asText(text.slice(at + 1, end))))
      at = end + 1
    } else {
      const end = endOfWord(text, at)
      if (end === -1) return -1
      const word = text.slice(at, end)
      row.push(word === 'NULL' ? null : word)
      at = end
    }
    if (at >= text.length) return -1
    if (text[at] === ')') return at + 1
    at++
  }
  return -1
}

function endOfWord(text: string, start: number): number {
  for (let at = start; at < text.length; at++) if (text[at] === ',' || text[at] === ')') return at
  return -1
}

/** The place of the quote that ends it; -1 when it is not there, or cannot be told yet from one of two. */
function endOfString(text: string, start: number): number {
  const special = /['\\]/g
  special.lastIndex = start
  for (let found = special.exec(text); found; found = special.exec(text)) {
    const { index } = found
    if (found[0] === '\\') special.lastIndex = index + 2
    else if (index === text.length - 1) return -1
    else if (text[index + 1] === "'") special.lastIndex = index + 2
    else return index
  }
  return -1
}

const beyondAscii = /[\u0080-\u00ff]/

function asText(raw: string): string {
  return beyondAscii.test(raw) ? Buffer.from(raw, 'latin1').toString() : raw
}

/** What a string of SQL says, without its quotes. */
export function unescapeString(text: string): string {
  if (!text.includes('\\') && !text.includes("'")) return text
  return text.replace(/\\(.)|''/gs, (_, char: string | undefined) =>
    char === undefined ? "'" : (escapes[char] ?? char),
  )
}
