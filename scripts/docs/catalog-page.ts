import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { catalogFile, openCatalog } from '#catalog'
import { generatedPage, page, tableOf } from './markdown.ts'

interface Column {
  readonly name: string
  readonly type: string
  readonly notnull: number
  readonly pk: number
}

/** The tables that the migrations make, read back from a database. */
export async function catalogPage(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bewaar-docs-'))
  try {
    const file = catalogFile(folder)
    await using catalog = await openCatalog(file, { purpose: 'write' })
    return describe(catalog.file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const introduction = `What Bewaar remembers, in the file \`catalog.sqlite\` of its state folder. Instants are milliseconds since 1970 (UTC), lists and
maps are JSON. It may be read at any time, also while Bewaar works. No restore needs it.`

function describe(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true })
  try {
    const form = database.prepare('pragma user_version').get()!['user_version']
    const tables = database
      .prepare(`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%' order by name`)
      .all()
    return page([
      ...generatedPage('The catalog', introduction),
      `The form of this version is ${String(form)} (\`pragma user_version\`).`,
      '',
      ...tables.flatMap(({ name }) => describeTable(database, String(name))),
    ])
  } finally {
    database.close()
  }
}

function describeTable(database: DatabaseSync, table: string): string[] {
  const columns = database.prepare('select * from pragma_table_info(?)').all(table) as unknown as Column[]
  const references = database.prepare('select * from pragma_foreign_key_list(?)').all(table)
  const indexes = database.prepare('select name from pragma_index_list(?) where origin = ? order by name').all(table, 'c')
  const leadsTo = (column: string): string => {
    const found = references.find(({ from }) => from === column)
    return found ? `→ ${String(found['table'])}.${String(found['to'])}` : ''
  }
  return [
    `## ${table}`,
    '',
    ...tableOf(
      ['column', 'type', 'key', 'may be empty'],
      columns.map(({ name, type, notnull, pk }) => [
        name,
        type,
        [pk > 0 ? 'primary' : '', leadsTo(name)].filter(Boolean).join(' '),
        notnull === 0 && pk === 0 ? 'yes' : '',
      ]),
    ),
    ...indexes.flatMap(({ name }) => [`Index \`${String(name)}\`: ${columnsOf(database, String(name)).join(', ')}.`, '']),
  ]
}

function columnsOf(database: DatabaseSync, index: string): string[] {
  return database.prepare('select name from pragma_index_info(?) order by seqno').all(index).map(({ name }) => String(name))
}
