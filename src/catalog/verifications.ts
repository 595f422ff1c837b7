import type { Kysely } from 'kysely'

import type { Finding, VerificationRecord } from '#model'
import { fromJson, present, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

export interface VerificationStore {
  add(verification: VerificationRecord): Promise<void>
  /** Newest first. */
  list(query?: {
    readonly project?: string
    readonly vault?: string
    /** Only those that were begun then or later: milliseconds since 1970. */
    readonly since?: number
    /** Only those that were begun then or earlier. */
    readonly until?: number
    readonly limit?: number
  }): Promise<VerificationRecord[]>
}

export function createVerificationStore(database: Kysely<Tables>): VerificationStore {
  return {
    add: async ({ startedAt, endedAt, bytesRead, findings, slices, ...verification }) => {
      await database
        .insertInto('verification')
        .values({
          ...verification,
          started_at: startedAt,
          ended_at: endedAt,
          bytes_read: bytesRead,
          findings: toJson(findings),
          slices: slices ? toJson(slices) : null,
        })
        .execute()
    },
    list: async ({ project, vault, since, until, limit } = {}) => {
      let query = database.selectFrom('verification').selectAll().orderBy('started_at', 'desc').orderBy('id', 'desc')
      if (project !== undefined) query = query.where('project', '=', project)
      if (vault !== undefined) query = query.where('vault', '=', vault)
      if (since !== undefined) query = query.where('started_at', '>=', since)
      if (until !== undefined) query = query.where('started_at', '<=', until)
      if (limit !== undefined) query = query.limit(limit)
      const rows = await query.execute()
      return rows.map(({ started_at, ended_at, bytes_read, findings, status, slices, ...row }) => ({
        ...row,
        status: status as VerificationRecord['status'],
        startedAt: started_at,
        endedAt: ended_at,
        bytesRead: bytes_read,
        findings: fromJson<Finding[]>(findings, []),
        ...present({ slices: slices === null ? null : fromJson<number[]>(slices, []) }),
      }))
    },
  }
}
