import type { Kysely, Selectable } from 'kysely'

import type { KnownSnapshot } from '#model'
import { present } from './rows.ts'
import type { Tables } from './tables.ts'

export interface SnapshotQuery {
  readonly project?: string
  readonly vault?: string
}

export type SnapshotKey = Pick<KnownSnapshot, 'vault' | 'project' | 'id'>

export interface SnapshotStore {
  /** Remembers a snapshot. Of one that is known already, what is given replaces what was there. */
  record(snapshot: KnownSnapshot): Promise<void>
  find(key: SnapshotKey): Promise<KnownSnapshot | undefined>
  /** Newest first. */
  list(query?: SnapshotQuery): Promise<KnownSnapshot[]>
  markVerified(key: SnapshotKey, at: number): Promise<void>
  markTested(key: SnapshotKey, at: number): Promise<void>
  remove(key: SnapshotKey): Promise<void>
  /**
   * Makes the catalog say of one project in one vault what the vault itself says: the others are forgotten, and of
   * those that stay, what only the catalog knows (run, verified, tested) stays too.
   */
  replaceAll(vault: string, project: string, snapshots: readonly KnownSnapshot[]): Promise<void>
}

export function createSnapshotStore(database: Kysely<Tables>): SnapshotStore {
  const mark = async (key: SnapshotKey, column: 'verified_at' | 'tested_at', at: number): Promise<void> => {
    await database
      .updateTable('snapshot')
      .set({ [column]: at })
      .where('vault', '=', key.vault)
      .where('project', '=', key.project)
      .where('id', '=', key.id)
      .execute()
  }
  return {
    record: (snapshot) => record(database, snapshot),
    find: async ({ vault, project, id }) => {
      const row = await database
        .selectFrom('snapshot')
        .selectAll()
        .where('vault', '=', vault)
        .where('project', '=', project)
        .where('id', '=', id)
        .executeTakeFirst()
      return row && toSnapshot(row)
    },
    list: async ({ project, vault } = {}) => {
      let query = database.selectFrom('snapshot').selectAll().orderBy('time', 'desc').orderBy('id').orderBy('vault')
      if (project !== undefined) query = query.where('project', '=', project)
      if (vault !== undefined) query = query.where('vault', '=', vault)
      return (await query.execute()).map(toSnapshot)
    },
    markVerified: (key, at) => mark(key, 'verified_at', at),
    markTested: (key, at) => mark(key, 'tested_at', at),
    remove: async ({ vault, project, id }) => {
      await database
        .deleteFrom('snapshot')
        .where('vault', '=', vault)
        .where('project', '=', project)
        .where('id', '=', id)
        .execute()
    },
    replaceAll: async (vault, project, snapshots) => {
      await database.transaction().execute(async (transaction) => {
        const kept = new Set(snapshots.map(({ id }) => id))
        const known = await transaction
          .selectFrom('snapshot')
          .select('id')
          .where('vault', '=', vault)
          .where('project', '=', project)
          .execute()
        for (const { id } of known) {
          if (kept.has(id)) continue
          await transaction
            .deleteFrom('snapshot')
            .where('vault', '=', vault)
            .where('project', '=', project)
            .where('id', '=', id)
            .execute()
        }
        for (const snapshot of snapshots) await record(transaction, { ...snapshot, vault, project })
      })
    },
  }
}

async function record(database: Kysely<Tables>, snapshot: KnownSnapshot): Promise<void> {
  const { vault, project, id, time, bytes, files, run, added, verifiedAt, testedAt } = snapshot
  const given = present({ run, added, verified_at: verifiedAt, tested_at: testedAt })
  await database
    .insertInto('snapshot')
    .values({ vault, project, id, time, bytes, files, ...given })
    .onConflict((conflict) =>
      conflict.columns(['vault', 'project', 'id']).doUpdateSet({ time, bytes, files, ...given }),
    )
    .execute()
}

function toSnapshot(row: Selectable<Tables['snapshot']>): KnownSnapshot {
  const { vault, project, id, time, bytes, files, run, added, verified_at: verifiedAt, tested_at: testedAt } = row
  return { vault, project, id, time, bytes, files, ...present({ run, added, verifiedAt, testedAt }) }
}
