/** A value of a table as text; null is SQL's NULL. */
export type CellValue = string | null

const needsQuotes = /[",\r\n]/

/**
 * One line of a CSV file with its line end, CR LF. Nothing between two commas is NULL, `""` is an empty text.
 *
 * Source: RFC 4180.
 */
export function csvLine(values: readonly CellValue[]): string {
  let line = ''
  for (let at = 0; at < values.length; at++) {
    const value = values[at]!
    if (at > 0) line += ','
    if (value === null) continue
    if (value === '') line += '""'
    else if (needsQuotes.test(value)) line += `"${value.replaceAll('"', '""')}"`
    else line += value
  }
  return `${line}\r\n`
}
