import type { Kysely } from 'kysely'

/** What was found out about each vault by trying it, and how much was in it. */
export async function probesAndMeasurements(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema
    .createTable('probe')
    .addColumn('vault', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('found', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('probe_key', ['vault', 'at'])
    .execute()
  await schema
    .createTable('measurement')
    .addColumn('vault', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('size_bytes', 'bigint')
    .addColumn('free_bytes', 'bigint')
    .addPrimaryKeyConstraint('measurement_key', ['vault', 'at'])
    .execute()
  await schema
    .createTable('repository_size')
    .addColumn('vault', 'text', (column) => column.notNull())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('files', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('older_bytes', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('repository_size_key', ['vault', 'at', 'project'])
    .execute()
}
