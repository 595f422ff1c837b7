import { askJson, type Scene } from './ask.ts'
import { nameDecoder, shownTable, tableKey, type TableKey } from './table-name.ts'

/** @param encoding - PostgreSQL's name of the dump's encoding. */
export function shownRows(rows: ReadonlyMap<TableKey, number>, encoding: string): Record<string, number> {
  const decode = nameDecoder(encoding)
  return Object.fromEntries([...rows].map(([key, count]) => [shownTable(key, decode), count]))
}

/** Rows that the server counts in each table that the login may read. */
export async function countRows(scene: Scene, signal?: AbortSignal): Promise<Record<string, number>> {
  const answer = await askJson<{ encoding: string; tables: [string, string, number][] | null }>(
    scene,
    `select json_build_object('encoding', getdatabaseencoding(), 'tables', (
      select json_agg(json_build_array(
        encode(convert_to(n.nspname::text, getdatabaseencoding()), 'hex'),
        encode(convert_to(c.relname::text, getdatabaseencoding()), 'hex'),
        (xpath('/row/c/text()', query_to_xml(
          format('select count(*) as c from only %I.%I', n.nspname, c.relname), false, true, '')))[1]::text::bigint))
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
        and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
        and not row_security_active(c.oid)))`,
    signal,
  )
  const raw = (hex: string): string => Buffer.from(hex, 'hex').toString('latin1')
  const decode = nameDecoder(answer.encoding)
  return Object.fromEntries(
    (answer.tables ?? []).map(([schema, table, count]) => [
      shownTable(tableKey(raw(schema), raw(table)), decode),
      count,
    ]),
  )
}
