import type { Kysely } from 'kysely'

/** The backups of Bewaar itself, the recovery kits, and when somebody proved the password. */
export async function recovery(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema
    .createTable('own_backup')
    .addColumn('vault', 'text', (column) => column.notNull().primaryKey())
    .addColumn('tried_at', 'bigint', (column) => column.notNull())
    .addColumn('made_at', 'bigint')
    .addColumn('snapshot', 'text')
    .addColumn('error', 'text')
    .execute()
  await schema
    .createTable('kit')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('made_at', 'bigint', (column) => column.notNull())
    .addColumn('who', 'text', (column) => column.notNull())
    .addColumn('form', 'text', (column) => column.notNull())
    .addColumn('shares_needed', 'integer')
    .addColumn('shares_count', 'integer')
    .addColumn('vaults', 'text', (column) => column.notNull())
    .execute()
  await schema
    .createTable('kit_check')
    .addColumn('id', 'text', (column) => column.notNull().primaryKey())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('who', 'text', (column) => column.notNull())
    .addColumn('by', 'text', (column) => column.notNull())
    .addColumn('kit', 'text')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('vaults', 'text', (column) => column.notNull())
    .execute()
}
