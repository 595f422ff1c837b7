import type { Kysely } from 'kysely'

/** What is wrong, since when, and what was done about it; since when each place is looked at. */
export async function incidents(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema
    .createTable('incident')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('trouble', 'text', (column) => column.notNull())
    // the trouble while it is open, else null: so that no trouble is open twice
    .addColumn('open', 'text', (column) => column.unique())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('project', 'text')
    .addColumn('vault', 'text')
    .addColumn('criticality', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('advice', 'text', (column) => column.notNull())
    .addColumn('opened_at', 'bigint', (column) => column.notNull())
    .addColumn('seen_at', 'bigint', (column) => column.notNull())
    .addColumn('acknowledged_at', 'bigint')
    .addColumn('acknowledged_by', 'text')
    .addColumn('resolved_at', 'bigint')
    .addColumn('resolved_by', 'text')
    .addColumn('backup_at', 'bigint')
    .addColumn('backup_vault', 'text')
    .execute()
  await schema.createIndex('incident_opened').on('incident').columns(['opened_at']).execute()
  await schema.createIndex('incident_resolved').on('incident').columns(['resolved_at']).execute()
  await schema
    .createTable('incident_event')
    .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('incident', 'text', (column) => column.notNull().references('incident.id').onDelete('cascade'))
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('what', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addColumn('who', 'text')
    .execute()
  await schema
    .createTable('watched')
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('vault', 'text', (column) => column.notNull())
    .addColumn('since', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('watched_key', ['project', 'vault'])
    .execute()
  await schema.createIndex('incident_event_incident').on('incident_event').columns(['incident', 'number']).execute()
}
