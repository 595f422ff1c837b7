import type { Kysely, Selectable } from 'kysely'

import { systemClock, type Clock } from '#base'
import type { KnownSnapshot, Made } from '#model'
import { present } from './rows.ts'
import type { Tables } from './tables.ts'

export interface SnapshotQuery {
  readonly project?: string
  readonly vault?: string
  readonly limit?: number
  /** Default: both. */
  readonly kind?: 'backup' | 'safety'
}

export type SnapshotKey = Pick<KnownSnapshot, 'vault' | 'project' | 'id'>

/** A snapshot, and when it was seen; default: at this moment. */
export type SeenSnapshot = KnownSnapshot & { readonly receivedAt?: number }

/** A snapshot with what the catalog itself saw of it. */
export interface ReceivedSnapshot extends KnownSnapshot {
  /** When it was first seen in that vault: milliseconds since 1970, UTC. */
  readonly receivedAt: number
  /** Absent: this catalog did not see it being made. */
  readonly made?: Made & { readonly run: string }
}

export interface SnapshotStore {
  /**
   * Remembers a snapshot. Of one that is known already, what is given replaces what was there; when it was first seen in that
   * vault stays as it was.
   */
  record(snapshot: SeenSnapshot): Promise<void>
  find(key: SnapshotKey): Promise<KnownSnapshot | undefined>
  /** Newest first. */
  list(query?: SnapshotQuery): Promise<KnownSnapshot[]>
  markVerified(key: SnapshotKey, at: number): Promise<void>
  markTested(key: SnapshotKey, at: number): Promise<void>
  /** A run of this machine has made it. @param made - when the run began, and whether nothing is missing. */
  markMade(key: SnapshotKey, run: string, made: Pick<Made, 'at' | 'isComplete'>): Promise<void>
  /** A copy of this machine has brought it: it was made as its source was, unless another one in that vault was. */
  markCopied(source: SnapshotKey, copy: SnapshotKey): Promise<void>
  /** Those of a project in all vaults, the newest first, with when they were received and made. */
  listReceived(project: string): Promise<ReceivedSnapshot[]>
  remove(key: SnapshotKey): Promise<void>
  /**
   * Makes the catalog say of one project in one vault what the vault itself says: the others are forgotten, and of
   * those that stay, what only the catalog knows (run, verified, tested) stays too.
   */
  replaceAll(vault: string, project: string, snapshots: readonly SeenSnapshot[]): Promise<void>
}

export function createSnapshotStore(database: Kysely<Tables>, clock: Clock = systemClock): SnapshotStore {
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
    record: (snapshot) => record(database, snapshot, clock.now()),
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
    list: async ({ project, vault, limit, kind } = {}) => {
      let query = database.selectFrom('snapshot').select(told).orderBy('time', 'desc').orderBy('id').orderBy('vault')
      if (project !== undefined) query = query.where('project', '=', project)
      if (vault !== undefined) query = query.where('vault', '=', vault)
      if (kind !== undefined) query = query.where('safety', kind === 'backup' ? 'is' : 'is not', null)
      if (limit !== undefined) query = query.limit(limit)
      return (await query.execute()).map(toSnapshot)
    },
    markVerified: (key, at) => mark(key, 'verified_at', at),
    markTested: (key, at) => mark(key, 'tested_at', at),
    markMade: (key, run, { at, isComplete }) =>
      database.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('made')
          .values({ project: key.project, run, at, is_complete: isComplete ? 1 : 0 })
          .onConflict((conflict) => conflict.column('run').doNothing())
          .execute()
        await setMade(transaction, key, run)
      }),
    markCopied: (source, copy) =>
      database.transaction().execute(async (transaction) => {
        const row = await transaction
          .selectFrom('snapshot')
          .select('made')
          .where('vault', '=', source.vault)
          .where('project', '=', source.project)
          .where('id', '=', source.id)
          .executeTakeFirst()
        if (typeof row?.made !== 'string') return
        const other = await transaction
          .selectFrom('snapshot')
          .select('id')
          .where('vault', '=', copy.vault)
          .where('project', '=', copy.project)
          .where('made', '=', row.made)
          .executeTakeFirst()
        if (!other) await setMade(transaction, copy, row.made)
      }),
    listReceived: async (project) => {
      const rows = await database
        .selectFrom('snapshot')
        .leftJoin('made', 'made.run', 'snapshot.made')
        .selectAll('snapshot')
        .select(['made.number', 'made.at', 'made.is_complete'])
        .where('snapshot.project', '=', project)
        .orderBy('snapshot.time', 'desc')
        .orderBy('snapshot.id')
        .orderBy('snapshot.vault')
        .execute()
      return rows.map(({ number, at, is_complete: isComplete, ...row }) => ({
        ...toSnapshot(row),
        receivedAt: row.received_at ?? row.time,
        ...(row.made !== null &&
          number !== null &&
          at !== null && { made: { run: row.made, number, at, isComplete: isComplete === 1 } }),
      }))
    },
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
        for (const snapshot of snapshots) await record(transaction, { ...snapshot, vault, project }, clock.now())
      })
    },
  }
}

async function setMade(database: Kysely<Tables>, { vault, project, id }: SnapshotKey, made: string): Promise<void> {
  await database
    .updateTable('snapshot')
    .set({ made })
    .where('vault', '=', vault)
    .where('project', '=', project)
    .where('id', '=', id)
    .execute()
}

async function record(database: Kysely<Tables>, snapshot: SeenSnapshot, now: number): Promise<void> {
  const { vault, project, id, time, bytes, files, run, added, verifiedAt, testedAt, safety } = snapshot
  const given = present({ run, added, safety, verified_at: verifiedAt, tested_at: testedAt })
  await database
    .insertInto('snapshot')
    .values({ vault, project, id, time, bytes, files, received_at: snapshot.receivedAt ?? now, ...given })
    .onConflict((conflict) =>
      conflict.columns(['vault', 'project', 'id']).doUpdateSet({ time, bytes, files, ...given }),
    )
    .execute()
}

/** What a snapshot tells of itself, and what was done with it. */
const told = [
  'vault',
  'project',
  'id',
  'time',
  'bytes',
  'files',
  'run',
  'added',
  'verified_at',
  'tested_at',
  'safety',
] as const

/** One object a row and no more, because there are many thousands. */
function toSnapshot(row: Pick<Selectable<Tables['snapshot']>, (typeof told)[number]>): KnownSnapshot {
  const { vault, project, id, time, bytes, files, run, added, safety } = row
  const snapshot: Writable<KnownSnapshot> = { vault, project, id, time, bytes, files }
  if (run !== null) snapshot.run = run
  if (added !== null) snapshot.added = added
  if (row.verified_at !== null) snapshot.verifiedAt = row.verified_at
  if (row.tested_at !== null) snapshot.testedAt = row.tested_at
  if (safety !== null) snapshot.safety = safety
  return snapshot
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }
