import type { Kysely, Selectable } from 'kysely'

import type { Artifact, Finding, Run, RunOutcome } from '#model'
import { catalogError } from './errors.ts'
import { decodeMark, encodeMark, isGone, ownMark } from './process-mark.ts'
import { fromJson, present, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

/** How a run begins. */
export type RunBeginning = Pick<Run, 'id' | 'project' | 'vault' | 'startedAt' | 'who' | 'slot'>

export interface RunQuery {
  readonly project?: string
  /** Only those that were begun then or later: milliseconds since 1970. */
  readonly since?: number
  /** Only those that were begun then or earlier. */
  readonly until?: number
  readonly limit?: number
}

export interface Recovered {
  /** Full id. */
  readonly snapshot: string
}

export interface RunStore {
  /** Opens a run in the name of this process. */
  begin(run: RunBeginning): Promise<void>
  /** Ends an open run, together with what it made: all of it is stored or nothing. @throws `run.missing`. */
  end(id: string, outcome: RunOutcome, artifacts: readonly Artifact[]): Promise<void>
  find(id: string): Promise<Run | undefined>
  /** Newest first. */
  list(query?: RunQuery): Promise<Run[]>
  /** The oldest. */
  first(project: string): Promise<Run | undefined>
  /** The newest that made a snapshot. */
  lastWithSnapshot(project: string): Promise<Run | undefined>
  /** What a run made, by path. */
  artifacts(run: string): Promise<Artifact[]>
  /** Makes a run that failed one that is incomplete, because its snapshot was found. */
  recover(
    id: string,
    found: Pick<RunOutcome, 'endedAt' | 'files' | 'bytesAdded' | 'findings'> & Recovered,
  ): Promise<void>
  /** Closes as failed the open runs whose process is gone; gives them back. */
  closeAbandoned(now: number): Promise<Run[]>
}

export function createRunStore(database: Kysely<Tables>): RunStore {
  return {
    begin: async (run) => {
      await database
        .insertInto('run')
        .values({
          id: run.id,
          project: run.project,
          vault: run.vault,
          status: 'running',
          started_at: run.startedAt,
          bytes_read: 0,
          bytes_added: 0,
          files: 0,
          findings: '[]',
          who: run.who,
          process: encodeMark(ownMark()),
          slot_at: run.slot ?? null,
        })
        .execute()
    },
    end: async (id, outcome, artifacts) => {
      await database.transaction().execute(async (transaction) => {
        const { numUpdatedRows } = await transaction
          .updateTable('run')
          .set({
            status: outcome.status,
            ended_at: outcome.endedAt,
            snapshot: outcome.snapshot ?? null,
            bytes_read: outcome.bytesRead,
            bytes_added: outcome.bytesAdded,
            files: outcome.files,
            findings: toJson(outcome.findings),
          })
          .where('id', '=', id)
          .where('status', '=', 'running')
          .executeTakeFirst()
        if (numUpdatedRows !== 1n) throw catalogError('run.missing', { run: id })
        for (const { path, kind, bytes, sha256, rows, facts } of artifacts) {
          await transaction
            .insertInto('artifact')
            .values({
              run: id,
              path,
              kind,
              bytes,
              sha256: sha256 ?? null,
              rows: rows ? toJson(rows) : null,
              facts: facts ? toJson(facts) : null,
            })
            .execute()
        }
      })
    },
    find: async (id) => {
      const row = await database.selectFrom('run').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toRun(row)
    },
    list: async ({ project, since, until, limit } = {}) => {
      let query = database.selectFrom('run').selectAll().orderBy('started_at', 'desc').orderBy('id', 'desc')
      if (project !== undefined) query = query.where('project', '=', project)
      if (since !== undefined) query = query.where('started_at', '>=', since)
      if (until !== undefined) query = query.where('started_at', '<=', until)
      if (limit !== undefined) query = query.limit(limit)
      return (await query.execute()).map(toRun)
    },
    first: async (project) => {
      const row = await database
        .selectFrom('run')
        .selectAll()
        .where('project', '=', project)
        .orderBy('started_at')
        .orderBy('id')
        .limit(1)
        .executeTakeFirst()
      return row && toRun(row)
    },
    lastWithSnapshot: async (project) => {
      const row = await database
        .selectFrom('run')
        .selectAll()
        .where('project', '=', project)
        .where('snapshot', 'is not', null)
        .orderBy('started_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      return row && toRun(row)
    },
    artifacts: async (run) => {
      const rows = await database.selectFrom('artifact').selectAll().where('run', '=', run).orderBy('path').execute()
      return rows.map(({ path, kind, bytes, sha256, rows, facts }) => ({
        path,
        kind,
        bytes,
        ...present({
          sha256,
          rows: rows === null ? null : fromJson<Record<string, number>>(rows, {}),
          facts: facts === null ? null : fromJson<Record<string, string | number>>(facts, {}),
        }),
      }))
    },
    recover: async (id, { snapshot, endedAt, files, bytesAdded, findings }) => {
      const found = { snapshot, ended_at: endedAt, files, bytes_added: bytesAdded, findings: toJson(findings) }
      await database
        .updateTable('run')
        .set({ status: 'incomplete', ...found })
        .where('id', '=', id)
        .where('status', '=', 'failed')
        .execute()
    },
    closeAbandoned: (now) => closeAbandoned(database, now),
  }
}

async function closeAbandoned(database: Kysely<Tables>, now: number): Promise<Run[]> {
  const open = await database.selectFrom('run').selectAll().where('status', '=', 'running').execute()
  const closed: Run[] = []
  for (const row of open) {
    if (!isGone(decodeMark(row.process))) continue
    const text = 'The process of this run was killed, or the machine stopped'
    const finding: Finding = { project: row.project, subject: 'run', severity: 'warning', text }
    const findings = [...fromJson<Finding[]>(row.findings, []), finding]
    const { numUpdatedRows } = await database
      .updateTable('run')
      .set({ status: 'failed', ended_at: now, findings: toJson(findings) })
      .where('id', '=', row.id)
      .where('status', '=', 'running')
      .executeTakeFirst()
    if (numUpdatedRows === 1n) closed.push({ ...toRun(row), status: 'failed', endedAt: now, findings })
  }
  return closed
}

function toRun(row: Selectable<Tables['run']>): Run {
  return {
    id: row.id,
    project: row.project,
    vault: row.vault,
    status: row.status,
    startedAt: row.started_at,
    bytesRead: row.bytes_read,
    bytesAdded: row.bytes_added,
    files: row.files,
    findings: fromJson<Finding[]>(row.findings, []),
    who: row.who,
    ...present({ endedAt: row.ended_at, snapshot: row.snapshot, slot: row.slot_at }),
  }
}
