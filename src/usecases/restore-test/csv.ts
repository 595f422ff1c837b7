/** What stands for NULL in what `psql` writes: no text of a database has it. */
export const nullMark = '\u0001null\u0001'

/** Reads comma-separated values as `psql` writes them: quotes are doubled inside of quotes. */
export function parseCsv(text: string): (string | null)[][] {
  if (text === '') return []
  const rows: (string | null)[][] = [[]]
  const field = /"((?:[^"]|"")*)"|([^,\n"]*)/gy
  for (let at = 0; ;) {
    field.lastIndex = at
    const [whole = '', quoted, bare] = field.exec(text) ?? []
    const value = quoted === undefined ? bare! : quoted.replaceAll('""', '"')
    rows.at(-1)!.push(value === nullMark ? null : value)
    at += whole.length
    if (at >= text.length) return rows
    if (text[at] === '\n') rows.push([])
    at++
  }
}
