import type { Kysely } from 'kysely'

/** What is known of each artifact besides its rows; projects that are kept quiet, and how that is undone. */
export async function quietAndFacts(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema.alterTable('artifact').addColumn('facts', 'text').execute()
  await schema
    .createTable('quiet')
    .addColumn('run', 'text', (column) => column.primaryKey())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('undo', 'text', (column) => column.notNull())
    .addColumn('process', 'text', (column) => column.notNull())
    .execute()
}
