import type { Kysely } from 'kysely'

import type { Finding, RestoreTestRecord } from '#model'
import { fromJson, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

export interface RestoreTestQuery {
  readonly project?: string
  readonly vault?: string
  readonly status?: RestoreTestRecord['status']
  /** Only those that were begun then or later: milliseconds since 1970. */
  readonly since?: number
  /** Only those that were begun then or earlier. */
  readonly until?: number
  readonly limit?: number
}

export interface RestoreTestStore {
  add(test: RestoreTestRecord): Promise<void>
  /** Newest first. */
  list(query?: RestoreTestQuery): Promise<RestoreTestRecord[]>
}

export function createRestoreTestStore(database: Kysely<Tables>): RestoreTestStore {
  return {
    add: async ({ startedAt, endedAt, restoreSeconds, findings, ...test }) => {
      const times = { started_at: startedAt, ended_at: endedAt, restore_seconds: restoreSeconds }
      await database
        .insertInto('restore_test')
        .values({ ...test, ...times, findings: toJson(findings) })
        .execute()
    },
    list: async ({ project, vault, status, since, until, limit } = {}) => {
      let query = database.selectFrom('restore_test').selectAll().orderBy('started_at', 'desc').orderBy('id', 'desc')
      if (project !== undefined) query = query.where('project', '=', project)
      if (vault !== undefined) query = query.where('vault', '=', vault)
      if (status !== undefined) query = query.where('status', '=', status)
      if (since !== undefined) query = query.where('started_at', '>=', since)
      if (until !== undefined) query = query.where('started_at', '<=', until)
      if (limit !== undefined) query = query.limit(limit)
      const found = await query.execute()
      return found.map(({ started_at, ended_at, restore_seconds, findings, ...row }) => ({
        ...row,
        status: row.status as RestoreTestRecord['status'],
        startedAt: started_at,
        endedAt: ended_at,
        restoreSeconds: restore_seconds,
        findings: fromJson<Finding[]>(findings, []),
      }))
    },
  }
}
