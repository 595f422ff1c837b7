import type { Kysely } from 'kysely'

/** Who was told what, what is still to be told, and which channels fail. */
export async function deliveries(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema
    .createTable('delivery')
    .addColumn('about', 'text', (column) => column.notNull())
    .addColumn('notice', 'text', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('message', 'text', (column) => column.notNull())
    .addColumn('criticality', 'text', (column) => column.notNull())
    .addColumn('planned_at', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_at', 'bigint', (column) => column.notNull())
    .addColumn('process', 'text')
    .addColumn('claimed_until', 'bigint')
    .addColumn('sent_at', 'bigint')
    .addColumn('ended_at', 'bigint')
    .addColumn('error', 'text')
    .addPrimaryKeyConstraint('delivery_key', ['about', 'notice', 'channel'])
    .execute()
  await schema.createIndex('delivery_message').on('delivery').columns(['channel', 'message']).execute()
  await schema
    .createTable('channel_failure')
    .addColumn('channel', 'text', (column) => column.notNull().primaryKey())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('error', 'text', (column) => column.notNull())
    .execute()
}
