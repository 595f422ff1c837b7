import type { Kysely } from 'kysely'

/** Which slot of its schedule each run and each other duty was for; which slices of the data a verification read. */
export async function schedule(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema.alterTable('run').addColumn('slot_at', 'bigint').execute()
  await schema.alterTable('verification').addColumn('slices', 'text').execute()
  await schema
    .createTable('duty')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('vault', 'text', (column) => column.notNull())
    .addColumn('part', 'text', (column) => column.notNull())
    .addColumn('slot_at', 'bigint', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('text', 'text')
    .execute()
  await schema.createIndex('duty_kind').on('duty').columns(['kind', 'project', 'started_at']).execute()
  await schema
    .createTable('keeper')
    .addColumn('role', 'text', (column) => column.primaryKey())
    .addColumn('verb', 'text', (column) => column.notNull())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('process', 'text', (column) => column.notNull())
    .execute()
}
