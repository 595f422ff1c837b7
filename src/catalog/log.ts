import type { Kysely } from 'kysely'

import type { LogEntry, LogKind } from '#model'
import { present } from './rows.ts'
import type { Tables } from './tables.ts'

export interface LogQuery {
  readonly project?: string
  /** Default: all. */
  readonly kinds?: readonly LogKind[]
  /** Only what was logged then or later: milliseconds since 1970. */
  readonly since?: number
  /** How many of the latest entries. Default: all. */
  readonly limit?: number
}

export interface LogStore {
  add(entry: LogEntry): Promise<void>
  /** The latest entries in the order in which they were added. */
  latest(query: LogQuery): Promise<LogEntry[]>
  /**
   * The times of the entries behind one of them, in the order in which they were added.
   *
   * @param behind - the number of that entry; or a project: the first entry that is about it, and those behind it.
   */
  timesSince(behind: number | { readonly project: string }): Promise<number[]>
}

export function createLogStore(database: Kysely<Tables>): LogStore {
  return {
    add: async ({ time, kind, level, text, project, run }) => {
      await database
        .insertInto('log')
        .values({ time, kind, level, text, project: project ?? null, run: run ?? null })
        .execute()
    },
    latest: async ({ project, kinds, since, limit }) => {
      let query = database.selectFrom('log').selectAll().orderBy('number', 'desc')
      if (kinds !== undefined) query = query.where('kind', 'in', kinds)
      if (since !== undefined) query = query.where('time', '>=', since)
      if (limit !== undefined) query = query.limit(limit)
      if (project !== undefined) query = query.where('project', '=', project)
      const rows = await query.execute()
      return rows
        .toReversed()
        .map(({ time, kind, level, text, project, run }) => ({ time, kind, level, text, ...present({ project, run }) }))
    },
    timesSince: async (behind) => {
      const query = database.selectFrom('log').select('time').orderBy('number')
      if (typeof behind === 'number')
        return (await query.where('number', '>', behind).execute()).map(({ time }) => time)
      const first = database
        .selectFrom('log')
        .select(({ fn }) => fn.min('number').as('number'))
        .where('project', '=', behind.project)
      return (await query.where('number', '>=', first).execute()).map(({ time }) => time)
    },
  }
}
