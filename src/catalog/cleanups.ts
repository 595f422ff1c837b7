import type { Kysely, Selectable } from 'kysely'

import type { CleanupMode, CleanupRecord, Finding, PlannedRemoval } from '#model'
import { fromJson, present, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

/** How a clean-up begins. */
export type CleanupBeginning = Pick<CleanupRecord, 'id' | 'project' | 'vault' | 'mode' | 'startedAt' | 'who'>

/** How it ends. */
export type CleanupOutcome = Pick<CleanupRecord, 'isPruned' | 'freedBytes' | 'findings'> & {
  readonly status: 'complete' | 'failed' | 'cancelled'
  readonly endedAt: number
}

export interface CleanupQuery {
  readonly project?: string
  readonly vault?: string
  readonly status?: CleanupRecord['status']
  readonly limit?: number
}

export interface CleanupStore {
  /** Records what shall go, before anything goes: all of it or nothing. */
  begin(cleanup: CleanupBeginning, removals: readonly PlannedRemoval[]): Promise<void>
  /** A snapshot that was to go has gone: from the vault, and with this from what is known of it. */
  markRemoved(id: string, snapshot: string, at: number): Promise<void>
  /** Ends a clean-up, at the place that the log has reached by then. */
  end(id: string, outcome: CleanupOutcome): Promise<void>
  /** The newest first, by the order in which they began and not by what the clock said. */
  list(query?: CleanupQuery): Promise<CleanupRecord[]>
  /** What was to go by a clean-up from a vault, and is not there any more. */
  removals(project: string, vault: string): Promise<PlannedRemoval[]>
}

export function createCleanupStore(database: Kysely<Tables>): CleanupStore {
  return {
    begin: async ({ id, project, vault, mode, startedAt, who }, removals) => {
      await database.transaction().execute(async (transaction) => {
        await transaction
          .insertInto('cleanup')
          .values({
            id,
            project,
            vault,
            mode,
            status: 'running',
            started_at: startedAt,
            ended_at: null,
            is_pruned: 0,
            freed_bytes: 0,
            findings: '[]',
            log_number: await lastNumber(transaction),
            who,
          })
          .execute()
        for (const { snapshot, time, run } of removals) {
          await transaction
            .insertInto('removal')
            .values({ cleanup: id, snapshot, time, run: run ?? null, removed_at: null })
            .execute()
        }
      })
    },
    markRemoved: (id, snapshot, at) =>
      database.transaction().execute(async (transaction) => {
        const { project, vault } = await transaction
          .selectFrom('cleanup')
          .select(['project', 'vault'])
          .where('id', '=', id)
          .executeTakeFirstOrThrow()
        await transaction
          .updateTable('removal')
          .set({ removed_at: at })
          .where('cleanup', '=', id)
          .where('snapshot', '=', snapshot)
          .execute()
        await transaction
          .deleteFrom('snapshot')
          .where('project', '=', project)
          .where('vault', '=', vault)
          .where('id', '=', snapshot)
          .execute()
      }),
    end: async (id, { status, endedAt, isPruned, freedBytes, findings }) => {
      await database.transaction().execute(async (transaction) => {
        const outcome = { status, ended_at: endedAt, is_pruned: isPruned ? 1 : 0, freed_bytes: freedBytes }
        await transaction
          .updateTable('cleanup')
          .set({ ...outcome, findings: toJson(findings), log_number: await lastNumber(transaction) })
          .where('id', '=', id)
          .execute()
      })
    },
    list: async ({ project, vault, status, limit } = {}) => {
      let query = database.selectFrom('cleanup').selectAll().orderBy('number', 'desc')
      if (project !== undefined) query = query.where('project', '=', project)
      if (vault !== undefined) query = query.where('vault', '=', vault)
      if (status !== undefined) query = query.where('status', '=', status)
      if (limit !== undefined) query = query.limit(limit)
      return (await query.execute()).map(toRecord)
    },
    removals: async (project, vault) => {
      const rows = await database
        .selectFrom('removal')
        .innerJoin('cleanup', 'cleanup.id', 'removal.cleanup')
        .select(['removal.snapshot', 'removal.time', 'removal.run'])
        .where('cleanup.project', '=', project)
        .where('cleanup.vault', '=', vault)
        .where((row) =>
          row.not(
            row.exists(
              row
                .selectFrom('snapshot')
                .select('snapshot.id')
                .whereRef('snapshot.project', '=', 'cleanup.project')
                .whereRef('snapshot.vault', '=', 'cleanup.vault')
                .whereRef('snapshot.id', '=', 'removal.snapshot'),
            ),
          ),
        )
        .execute()
      return rows.map(({ snapshot, time, run }) => ({ snapshot, time, ...present({ run }) }))
    },
  }
}

async function lastNumber(database: Kysely<Tables>): Promise<number> {
  const last = await database
    .selectFrom('log')
    .select(({ fn }) => fn.max('number').as('number'))
    .executeTakeFirst()
  return last?.number ?? 0
}

function toRecord(row: Selectable<Tables['cleanup']>): CleanupRecord {
  const { id, project, vault, mode, status, started_at: startedAt, ended_at: endedAt, who } = row
  return {
    id,
    project,
    vault,
    mode: mode as CleanupMode,
    status: status as CleanupRecord['status'],
    startedAt,
    isPruned: row.is_pruned === 1,
    freedBytes: row.freed_bytes,
    findings: fromJson<Finding[]>(row.findings, []),
    logNumber: row.log_number,
    who,
    ...present({ endedAt }),
  }
}
