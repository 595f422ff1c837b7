import type { Kysely, Selectable } from 'kysely'

import type { CopyRecord, Finding } from '#model'
import { decodeMark, encodeMark, isGone, ownMark } from './process-mark.ts'
import { fromJson, present, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

/** How a copy begins. */
export type CopyBeginning = Pick<CopyRecord, 'id' | 'project' | 'from' | 'to' | 'startedAt' | 'run'>

/** How it ends. */
export type CopyOutcome = Omit<CopyRecord, keyof CopyBeginning>

export interface CopyQuery {
  readonly project?: string
  readonly from?: string
  readonly to?: string
  readonly status?: CopyRecord['status']
  /** Only those that were begun then or later: milliseconds since 1970. */
  readonly since?: number
  /** Only those that were begun then or earlier. */
  readonly until?: number
  readonly limit?: number
}

export interface CopyStore {
  /**
   * Opens a copy in the name of this process; of several that begin at once, one wins.
   *
   * @returns the copy of the same project to the same vault that is open already; undefined when this one was opened.
   */
  begin(copy: CopyBeginning): Promise<CopyBeginning | undefined>
  /** Ends an open copy. One that was closed as abandoned meanwhile gets this end. */
  end(copy: CopyBeginning, outcome: CopyOutcome): Promise<void>
  /** Those that are being made. */
  open(query?: { readonly project?: string }): Promise<CopyBeginning[]>
  /** Closes as failed the open copies whose process is gone; gives them back. */
  closeAbandoned(now: number): Promise<CopyRecord[]>
  /** Those that have ended, newest first. */
  list(query?: CopyQuery): Promise<CopyRecord[]>
}

export function createCopyStore(database: Kysely<Tables>): CopyStore {
  return {
    begin: (copy) => begin(database, copy),
    end: (copy, outcome) => end(database, copy, outcome),
    open: async ({ project } = {}) => (await openCopies(database, project)).map(toBeginning),
    closeAbandoned: async (now) => {
      const closed: CopyRecord[] = []
      for (const row of await openCopies(database)) {
        if (!isGone(decodeMark(row.process))) continue
        const copy = toBeginning(row)
        const text = 'The process of this copy was killed, or the machine stopped'
        const finding: Finding = {
          project: copy.project,
          vault: copy.to,
          subject: `copy to ${copy.to}`,
          severity: 'warning',
          text,
        }
        const outcome = { status: 'failed', endedAt: now, snapshots: 0, bytesAdded: 0, findings: [finding] } as const
        await end(database, copy, outcome)
        closed.push({ ...copy, ...outcome })
      }
      return closed
    },
    list: async ({ project, from, to, status, since, until, limit } = {}) => {
      let query = database.selectFrom('copy').selectAll().orderBy('started_at', 'desc').orderBy('id', 'desc')
      if (project !== undefined) query = query.where('project', '=', project)
      if (from !== undefined) query = query.where('from_vault', '=', from)
      if (since !== undefined) query = query.where('started_at', '>=', since)
      if (until !== undefined) query = query.where('started_at', '<=', until)
      if (to !== undefined) query = query.where('to_vault', '=', to)
      if (status !== undefined) query = query.where('status', '=', status)
      if (limit !== undefined) query = query.limit(limit)
      return (await query.execute()).map((row) => ({
        ...toBeginning(row),
        status: row.status as CopyRecord['status'],
        endedAt: row.ended_at,
        snapshots: row.snapshots,
        bytesAdded: row.bytes_added,
        findings: fromJson<Finding[]>(row.findings, []),
        ...present({ verified: row.verified }),
      }))
    },
  }
}

async function begin(database: Kysely<Tables>, copy: CopyBeginning): Promise<CopyBeginning | undefined> {
  const { id, project, from, to, startedAt, run } = copy
  const row = { id, project, from_vault: from, to_vault: to, started_at: startedAt, run: run ?? null }
  return await database.transaction().execute(async (transaction) => {
    await transaction
      .insertInto('copying')
      .values({ ...row, process: encodeMark(ownMark()) })
      .onConflict((conflict) => conflict.columns(['project', 'to_vault']).doNothing())
      .execute()
    const open = (await openCopies(transaction, project)).find((other) => other.to_vault === to)
    return open === undefined || open.id === id ? undefined : toBeginning(open)
  })
}

/** All or nothing, so that a copy is never both open and ended, nor neither. */
async function end(database: Kysely<Tables>, copy: CopyBeginning, outcome: CopyOutcome): Promise<void> {
  const { id, project, from, to, startedAt, run } = copy
  const { status, endedAt, snapshots, bytesAdded, findings, verified } = outcome
  const ended = {
    status,
    ended_at: endedAt,
    snapshots,
    bytes_added: bytesAdded,
    findings: toJson(findings),
    verified: verified ?? null,
  }
  const begun = { id, project, from_vault: from, to_vault: to, started_at: startedAt, run: run ?? null }
  await database.transaction().execute(async (transaction) => {
    await transaction.deleteFrom('copying').where('id', '=', id).execute()
    await transaction
      .insertInto('copy')
      .values({ ...begun, ...ended })
      .onConflict((conflict) => conflict.column('id').doUpdateSet(ended))
      .execute()
  })
}

async function openCopies(database: Kysely<Tables>, project?: string): Promise<Selectable<Tables['copying']>[]> {
  let query = database.selectFrom('copying').selectAll().orderBy('started_at').orderBy('id')
  if (project !== undefined) query = query.where('project', '=', project)
  return await query.execute()
}

function toBeginning(row: Omit<Selectable<Tables['copying']>, 'process'>): CopyBeginning {
  const { id, project, from_vault: from, to_vault: to, started_at: startedAt, run } = row
  return { id, project, from, to, startedAt, ...present({ run }) }
}
