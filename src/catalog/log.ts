import type { Kysely } from 'kysely'

import type { LogEntry } from '#model'
import { present } from './rows.ts'
import type { Tables } from './tables.ts'

export interface LogQuery {
  readonly project?: string
  /** How many of the latest entries. */
  readonly limit: number
}

export interface LogStore {
  add(entry: LogEntry): Promise<void>
  /** The latest entries in the order in which they were added. */
  latest(query: LogQuery): Promise<LogEntry[]>
}

export function createLogStore(database: Kysely<Tables>): LogStore {
  return {
    add: async ({ time, kind, level, text, project, run }) => {
      await database
        .insertInto('log')
        .values({ time, kind, level, text, project: project ?? null, run: run ?? null })
        .execute()
    },
    latest: async ({ project, limit }) => {
      let query = database.selectFrom('log').selectAll().orderBy('number', 'desc').limit(limit)
      if (project !== undefined) query = query.where('project', '=', project)
      const rows = await query.execute()
      return rows
        .toReversed()
        .map(({ time, kind, level, text, project, run }) => ({ time, kind, level, text, ...present({ project, run }) }))
    },
  }
}
