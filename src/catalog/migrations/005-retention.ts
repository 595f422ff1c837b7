import { sql, type Kysely } from 'kysely'

/**
 * When what a vault holds was received, and what was made here; what is held whatever the policy says; and what clean-ups
 * did.
 */
export async function retention(database: Kysely<unknown>): Promise<void> {
  await addProvenance(database)
  const { schema } = database
  await schema
    .createTable('hold')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('vault', 'text')
    .addColumn('snapshot', 'text')
    .addColumn('run', 'text')
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('began_at', 'bigint', (column) => column.notNull())
    .addColumn('who', 'text', (column) => column.notNull())
    .addColumn('until', 'text')
    .addColumn('lifted_at', 'bigint')
    .addColumn('lifted_by', 'text')
    .addColumn('lift_reason', 'text')
    .execute()
  await schema
    .createTable('cleanup')
    .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('vault', 'text', (column) => column.notNull())
    .addColumn('mode', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('started_at', 'bigint', (column) => column.notNull())
    .addColumn('ended_at', 'bigint')
    .addColumn('is_pruned', 'integer', (column) => column.notNull())
    .addColumn('freed_bytes', 'bigint', (column) => column.notNull())
    .addColumn('findings', 'text', (column) => column.notNull())
    .addColumn('log_number', 'bigint', (column) => column.notNull())
    .addColumn('who', 'text', (column) => column.notNull())
    .execute()
  await schema.createIndex('cleanup_place').on('cleanup').columns(['project', 'vault', 'number']).execute()
  await schema
    .createTable('removal')
    .addColumn('cleanup', 'text', (column) => column.notNull().references('cleanup.id').onDelete('cascade'))
    .addColumn('snapshot', 'text', (column) => column.notNull())
    .addColumn('time', 'bigint', (column) => column.notNull())
    .addColumn('run', 'text')
    .addColumn('removed_at', 'bigint')
    .addPrimaryKeyConstraint('removal_key', ['cleanup', 'snapshot'])
    .execute()
}

/** Of what is known already: received when it says it was made, and made here when a run of that name and time was. */
async function addProvenance(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema
    .createTable('made')
    .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('project', 'text', (column) => column.notNull())
    .addColumn('run', 'text', (column) => column.notNull().unique())
    .addColumn('at', 'bigint', (column) => column.notNull())
    .addColumn('is_complete', 'integer', (column) => column.notNull())
    .execute()
  await schema.alterTable('snapshot').addColumn('received_at', 'bigint').execute()
  await schema.alterTable('snapshot').addColumn('made', 'text').execute()
  await sql`update snapshot set received_at = time`.execute(database)
  await sql`
    insert into made (project, run, at, is_complete)
    select project, id, started_at, case when status = 'complete' then 1 else 0 end
    from run where snapshot is not null order by started_at, id
  `.execute(database)
  await sql`
    update snapshot set made = (
      select run.id from run
      where run.project = snapshot.project and run.snapshot is not null and (
        run.snapshot = snapshot.id or
        (run.id = snapshot.run and run.started_at = snapshot.time and run.vault <> snapshot.vault)
      )
    )
  `.execute(database)
}
