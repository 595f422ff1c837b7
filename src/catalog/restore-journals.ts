import { sql, type Kysely, type Selectable } from 'kysely'

import type { RestoreJournal, RestoreState, RestoreStep, RestoreWish, SafetyBackup } from '#model'
import { decodeMark, encodeMark, isGone, ownMark } from './process-mark.ts'
import { fromJson, present, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

/** How a restore in place begins. */
export type JournalBeginning = Pick<
  RestoreJournal,
  'id' | 'project' | 'vault' | 'snapshot' | 'wish' | 'startedAt' | 'undoes'
>

/** Restores in place, step by step. */
export interface RestoreJournalStore {
  /**
   * Opens a journal in the name of this process, or one again that another process has left; of several for one project at once,
   * one wins.
   *
   * @returns the one of the same project that a living process has open; undefined when this one was opened.
   */
  open(journal: JournalBeginning): Promise<RestoreJournal | undefined>
  /** Writes down how far a step is; `kind` and `about` name it. */
  write(id: string, step: RestoreStep): Promise<void>
  setSafety(id: string, safety: SafetyBackup): Promise<void>
  /** Ends as failed those whose process is gone; gives them back. */
  closeAbandoned(): Promise<RestoreJournal[]>
  end(id: string, state: Exclude<RestoreState, 'open'>): Promise<void>
  /** Newest first. */
  list(query: { readonly project: string; readonly limit?: number }): Promise<RestoreJournal[]>
  find(id: string): Promise<RestoreJournal | undefined>
}

export function createRestoreJournalStore(database: Kysely<Tables>): RestoreJournalStore {
  return {
    open: (journal) => open(database, journal),
    write: async (restore, { kind, about, state, beganAt, endedAt, text, wayBack }) => {
      const changed = { state, ended_at: endedAt ?? null, text: text ?? null, way_back: wayBack ?? null }
      await database
        .insertInto('restore_step')
        .values({ restore, kind, about, began_at: beganAt, number: nextNumber(restore), ...changed })
        .onConflict((conflict) => conflict.columns(['restore', 'kind', 'about']).doUpdateSet(changed))
        .execute()
    },
    setSafety: async (id, safety) => {
      await database
        .updateTable('restore_journal')
        .set({ safety: toJson(safety) })
        .where('id', '=', id)
        .execute()
    },
    closeAbandoned: async () => {
      const closed: RestoreJournal[] = []
      const rows = await database.selectFrom('restore_journal').selectAll().where('state', '=', 'open').execute()
      for (const row of rows) {
        if (!isGone(decodeMark(row.process))) continue
        await database
          .updateTable('restore_journal')
          .set({ state: 'failed' })
          .where('id', '=', row.id)
          .where('process', '=', row.process)
          .where('state', '=', 'open')
          .execute()
        closed.push(await withSteps(database, { ...row, state: 'failed' }))
      }
      return closed
    },
    end: async (id, state) => {
      await database.updateTable('restore_journal').set({ state }).where('id', '=', id).execute()
    },
    list: async ({ project, limit }) => {
      let query = database.selectFrom('restore_journal').selectAll().where('project', '=', project)
      query = query.orderBy('started_at', 'desc').orderBy('id', 'desc')
      if (limit !== undefined) query = query.limit(limit)
      const journals: RestoreJournal[] = []
      for (const row of await query.execute()) journals.push(await withSteps(database, row))
      return journals
    },
    find: async (id) => {
      const row = await database.selectFrom('restore_journal').selectAll().where('id', '=', id).executeTakeFirst()
      return row && (await withSteps(database, row))
    },
  }
}

function nextNumber(restore: string) {
  return sql<number>`(select coalesce(max(number), 0) + 1 from restore_step where restore = ${restore})`
}

async function open(database: Kysely<Tables>, journal: JournalBeginning): Promise<RestoreJournal | undefined> {
  const { id, project, vault, snapshot, wish, startedAt, undoes } = journal
  return await database.transaction().execute(async (transaction) => {
    const state = 'open'
    const process = encodeMark(ownMark())
    // Written first, because only a writer is sure that what it reads next is the latest.
    const row = { id, project, vault, snapshot, wish: toJson(wish), started_at: startedAt, undoes: undoes ?? null }
    const { numInsertedOrUpdatedRows: inserted } = await transaction
      .insertInto('restore_journal')
      .values({ ...row, state: 'cancelled', process })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .executeTakeFirstOrThrow()
    const rows = await transaction
      .selectFrom('restore_journal')
      .selectAll()
      .where('project', '=', project)
      .where('state', '=', 'open')
      .execute()
    const other = rows.find((row) => !isGone(decodeMark(row.process)))
    if (other) {
      if (inserted === 1n) await transaction.deleteFrom('restore_journal').where('id', '=', id).execute()
      return await withSteps(transaction, other)
    }
    await transaction.updateTable('restore_journal').set({ state, process }).where('id', '=', id).execute()
    return undefined
  })
}

async function withSteps(
  database: Kysely<Tables>,
  row: Selectable<Tables['restore_journal']>,
): Promise<RestoreJournal> {
  const steps = await database
    .selectFrom('restore_step')
    .selectAll()
    .where('restore', '=', row.id)
    .orderBy('number')
    .execute()
  const { id, project, vault, snapshot, wish, state, started_at, safety, undoes, process } = row
  return {
    id,
    project,
    vault,
    snapshot,
    wish: { ...nothingAsked, ...fromJson<Partial<RestoreWish>>(wish, {}) },
    state: state as RestoreState,
    isAbandoned: state === 'open' && isGone(decodeMark(process)),
    startedAt: started_at,
    ...(safety !== null && { safety: fromJson<SafetyBackup>(safety, { vault, snapshot: '', without: [] }) }),
    ...present({ undoes }),
    steps: steps.map((step) => ({
      kind: step.kind as RestoreStep['kind'],
      about: step.about,
      state: step.state as RestoreStep['state'],
      beganAt: step.began_at,
      ...present({ endedAt: step.ended_at, text: step.text, wayBack: step.way_back }),
    })),
  }
}

const nothingAsked: RestoreWish = {
  only: [],
  paths: [],
  tables: [],
  delete: false,
  rolePasswords: false,
  safety: true,
}
