import { sql, type Kysely } from 'kysely'

/** Of what a backup of Bewaar itself was made; which snapshots are safety backups; and short ways to the newest of a place. */
export async function ownAndSafety(database: Kysely<unknown>): Promise<void> {
  const { schema } = database
  await schema.alterTable('own_backup').addColumn('made_of', 'text').execute()
  await schema.alterTable('snapshot').addColumn('safety', 'text').execute()
  await sql`
    update snapshot set safety = (
      select restore_journal.id from restore_journal
      where restore_journal.project = snapshot.project and json_extract(restore_journal.safety, '$.snapshot') = snapshot.id
    )
  `.execute(database)
  await schema.createIndex('snapshot_place').on('snapshot').columns(['project', 'vault', 'time']).execute()
  await schema
    .createIndex('verification_place')
    .on('verification')
    .columns(['project', 'vault', 'started_at'])
    .execute()
  await schema.createIndex('verification_status').on('verification').columns(['project', 'vault', 'status']).execute()
}
