import type { Kysely } from 'kysely'

/** Restores that were only made to question them. */
export async function restoreTests(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema
    .createTable('restore_test')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('vault', 'text', (column) => column.notNull())
    .addColumn('snapshot', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint', (column) => column.notNull())
    .addColumn('restore_seconds', 'double precision', (column) => column.notNull())
    .addColumn('files', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('rows', 'bigint', (column) => column.notNull())
    .addColumn('questions', 'bigint', (column) => column.notNull())
    .addColumn('findings', 'text', (column) => column.notNull())
    .addColumn('who', 'text', (column) => column.notNull())
    .execute()
  await schema.createIndex('restore_test_project').on('restore_test').columns(['project', 'started_at']).execute()
}
