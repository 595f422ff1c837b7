import type { Kysely } from 'kysely'

import type { Finding, RestoreRecord } from '#model'
import { fromJson, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

export interface RestoreStore {
  add(restore: RestoreRecord): Promise<void>
  /** Newest first. */
  list(query?: { readonly project?: string; readonly limit?: number }): Promise<RestoreRecord[]>
}

export function createRestoreStore(database: Kysely<Tables>): RestoreStore {
  return {
    add: async ({ startedAt, endedAt, findings, ...restore }) => {
      await database
        .insertInto('restore')
        .values({ ...restore, started_at: startedAt, ended_at: endedAt, findings: toJson(findings) })
        .execute()
    },
    list: async ({ project, limit } = {}) => {
      let query = database.selectFrom('restore').selectAll().orderBy('started_at', 'desc').orderBy('id', 'desc')
      if (project !== undefined) query = query.where('project', '=', project)
      if (limit !== undefined) query = query.limit(limit)
      const rows = await query.execute()
      return rows.map(({ started_at, ended_at, findings, status, ...row }) => ({
        ...row,
        status: status as RestoreRecord['status'],
        startedAt: started_at,
        endedAt: ended_at,
        findings: fromJson<Finding[]>(findings, []),
      }))
    },
  }
}
