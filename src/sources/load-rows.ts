import { loadError } from './load-errors.ts'

/** Rows by table, as the manifest names them. */
export type Rows = Readonly<Record<string, number>>

/** @throws `source.load-differs` with the first tables of which it is not so. */
export function demandRows(database: string, expected: Rows, found: Rows, where: string): void {
  const wrong = Object.entries(expected).filter(([table, count]) => found[table] !== count)
  if (wrong.length === 0) return
  const words = wrong
    .slice(0, 3)
    .map(([table, count]) => `${table} has ${found[table] ?? 'no'} rows ${where} in place of ${count}`)
  const more = wrong.length > 3 ? ` and ${wrong.length - 3} more tables` : ''
  throw loadError('source.load-differs', { database, reason: `${words.join(', ')}${more}` })
}
