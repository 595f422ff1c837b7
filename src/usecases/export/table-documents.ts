import { csvLine, type CellValue } from '#model'
import type { DatabaseTables } from './table-files.ts'

/** The files that explain the tables of a database: which there are, what their columns mean, what they come to. */
export function tableDocuments({ tables }: DatabaseTables): Readonly<Record<string, string>> {
  return {
    'tables.csv': sheet(
      ['table', 'file', 'rows', 'rows_counted_at_backup', 'agrees', 'bytes', 'sha256', 'comment'],
      tables.map(({ table, file, rows, expectedRows, bytes, sha256, definition }) => [
        table,
        fileOf(file),
        String(rows),
        text(expectedRows),
        expectedRows === undefined ? null : rows === expectedRows ? 'yes' : 'NO',
        String(bytes),
        sha256,
        definition.comment ?? null,
      ]),
    ),
    'columns.csv': sheet(
      ['table', 'position', 'column', 'type', 'nullable', 'default', 'primary_key', 'references', 'comment'],
      tables.flatMap(({ table, columns, definition }) =>
        columns.map(({ name, type, nullable, fallback, comment }, at) => [
          table,
          String(at + 1),
          name,
          type,
          nullable ? 'yes' : 'no',
          fallback ?? null,
          definition.primaryKey.includes(name) ? 'yes' : 'no',
          definition.foreignKeys
            .filter((key) => key.columns.includes(name))
            .map(({ references }) => references)
            .join('; ') || null,
          comment ?? null,
        ]),
      ),
    ),
    'reconciliation.csv': sheet(
      ['table', 'column', 'type', 'rows', 'nulls', 'sum', 'minimum', 'maximum', 'not_in_sum'],
      tables.flatMap(({ table, rows, columns }) =>
        columns.map(({ name, type, totals: { nulls, sum, minimum, maximum, others } }) => [
          table,
          name,
          type,
          String(rows),
          String(nulls),
          sum ?? null,
          minimum ?? null,
          maximum ?? null,
          String(others),
        ]),
      ),
    ),
  }
}

/** Where a table's file lies below the folder of its database. */
export function fileOf(name: string): string {
  return `data/${name}.csv`
}

function sheet(header: readonly string[], rows: readonly (readonly CellValue[])[]): string {
  return [header, ...rows].map(csvLine).join('')
}

function text(value: number | undefined): CellValue {
  return value === undefined ? null : String(value)
}
