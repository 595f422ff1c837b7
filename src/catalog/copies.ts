import type { Kysely } from 'kysely'

import type { CopyRecord, Finding } from '#model'
import { fromJson, present, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

export interface CopyStore {
  add(copy: CopyRecord): Promise<void>
  /** Newest first. */
  list(query?: { readonly project?: string; readonly to?: string; readonly limit?: number }): Promise<CopyRecord[]>
}

export function createCopyStore(database: Kysely<Tables>): CopyStore {
  return {
    add: async ({ from, to, startedAt, endedAt, bytesAdded, findings, run, ...copy }) => {
      await database
        .insertInto('copy')
        .values({
          ...copy,
          from_vault: from,
          to_vault: to,
          started_at: startedAt,
          ended_at: endedAt,
          bytes_added: bytesAdded,
          findings: toJson(findings),
          run: run ?? null,
        })
        .execute()
    },
    list: async ({ project, to, limit } = {}) => {
      let query = database.selectFrom('copy').selectAll().orderBy('started_at', 'desc').orderBy('id', 'desc')
      if (project !== undefined) query = query.where('project', '=', project)
      if (to !== undefined) query = query.where('to_vault', '=', to)
      if (limit !== undefined) query = query.limit(limit)
      const rows = await query.execute()
      return rows.map((row) => ({
        id: row.id,
        project: row.project,
        from: row.from_vault,
        to: row.to_vault,
        status: row.status as CopyRecord['status'],
        startedAt: row.started_at,
        endedAt: row.ended_at,
        snapshots: row.snapshots,
        bytesAdded: row.bytes_added,
        findings: fromJson<Finding[]>(row.findings, []),
        ...present({ run: row.run }),
      }))
    },
  }
}
