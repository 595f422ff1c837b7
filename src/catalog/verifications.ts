import type { Kysely, Selectable, SelectQueryBuilder } from 'kysely'

import type { Finding, VerificationRecord } from '#model'
import { fromJson, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

/** One project in one vault. */
interface PlaceQuery {
  readonly project: string
  readonly vault: string
  /** Default: no limit. */
  readonly until?: number
}

/** What was read when, and what came of it. */
export type VerificationReading = Pick<VerificationRecord, 'status' | 'startedAt' | 'share' | 'slices'>

/** Enough for all slices, read one by one, and again and again. */
const mostReadings = 500

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
  /** The newest of some statuses that was begun at `until` or earlier. */
  latest(
    query: PlaceQuery & { readonly statuses: readonly VerificationRecord['status'][] },
  ): Promise<VerificationRecord | undefined>
  /** What was read since then, newest first. */
  readings(query: PlaceQuery & { readonly since: number }): Promise<VerificationReading[]>
  /** The latest readings, enough to tell whether damage stands; none where none was ever found. Newest first. */
  readingsOfDamage(query: PlaceQuery): Promise<VerificationReading[]>
}

export function createVerificationStore(database: Kysely<Tables>): VerificationStore {
  const readings = async (query: PlaceQuery & { since?: number; limit?: number }): Promise<VerificationReading[]> => {
    const columns = ['status', 'started_at', 'share', 'slices'] as const
    const rows = await narrowed(database.selectFrom('verification').select(columns), query).execute()
    return rows.map(({ status, started_at: startedAt, share, slices }) => ({
      status: status as VerificationRecord['status'],
      startedAt,
      share,
      ...slicesOf(slices),
    }))
  }
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
    list: async (query = {}) =>
      (await narrowed(database.selectFrom('verification').selectAll(), query).execute()).map(toRecord),
    latest: async ({ statuses, ...query }) => {
      const all = narrowed(database.selectFrom('verification').selectAll(), { ...query, limit: 1 })
      const row = await all.where('status', 'in', statuses).executeTakeFirst()
      return row && toRecord(row)
    },
    readings,
    readingsOfDamage: async (query) => {
      const { project, vault } = query
      const damaged = await database
        .selectFrom('verification')
        .select('id')
        .where('project', '=', project)
        .where('vault', '=', vault)
        .where('status', '=', 'damaged')
        .limit(1)
        .executeTakeFirst()
      return damaged ? await readings({ ...query, limit: mostReadings }) : []
    },
  }
}

function narrowed<Columns>(
  query: SelectQueryBuilder<Tables, 'verification', Columns>,
  { project, vault, since, until, limit }: NonNullable<Parameters<VerificationStore['list']>[0]>,
): SelectQueryBuilder<Tables, 'verification', Columns> {
  let found = query.orderBy('started_at', 'desc').orderBy('id', 'desc')
  if (project !== undefined) found = found.where('project', '=', project)
  if (vault !== undefined) found = found.where('vault', '=', vault)
  if (since !== undefined) found = found.where('started_at', '>=', since)
  if (until !== undefined) found = found.where('started_at', '<=', until)
  return limit === undefined ? found : found.limit(limit)
}

function toRecord(row: Selectable<Tables['verification']>): VerificationRecord {
  const { started_at: startedAt, ended_at: endedAt, bytes_read: bytesRead, findings, status, slices, ...rest } = row
  return {
    ...rest,
    status: status as VerificationRecord['status'],
    startedAt,
    endedAt,
    bytesRead,
    findings: fromJson<Finding[]>(findings, []),
    ...slicesOf(slices),
  }
}

function slicesOf(slices: string | null): Pick<VerificationRecord, 'slices'> {
  return slices === null ? {} : { slices: fromJson<number[]>(slices, []) }
}
