import type { Kysely } from 'kysely'

/** Restores in place, step by step, so that one that was cut off can be gone on with or undone. */
export async function restoreJournals(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema
    .createTable('restore_journal')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('vault', 'text', (column) => column.notNull())
    .addColumn('snapshot', 'text', (column) => column.notNull())
    .addColumn('wish', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('safety', 'text')
    .addColumn('undoes', 'text')
    .addColumn('process', 'text', (column) => column.notNull())
    .execute()
  await schema.createIndex('restore_journal_project').on('restore_journal').columns(['project', 'started_at']).execute()
  await schema
    .createTable('restore_step')
    .addColumn('restore', 'text', (column) => column.notNull())
    .addColumn('number', 'integer', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('about', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('began_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('text', 'text')
    .addColumn('way_back', 'text')
    .addPrimaryKeyConstraint('restore_step_key', ['restore', 'kind', 'about'])
    .execute()
}
