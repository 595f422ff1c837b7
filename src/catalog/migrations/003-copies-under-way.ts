import type { Kysely } from 'kysely'

/** Copies that are being made, one at a time from and to the same place; how much of a copy was read back. */
export async function copiesUnderWay(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema.alterTable('copy').addColumn('verified', 'double precision').execute()
  await schema
    .createTable('copying')
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('to_vault', 'text', (column) => column.notNull())
    .addColumn('id', 'text', (column) => column.notNull())
    .addColumn('from_vault', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('run', 'text')
    .addColumn('process', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('copying_key', ['project', 'to_vault'])
    .execute()
}
