import type { Kysely } from 'kysely'

import type { ProbeFacts, ProbeRecord } from '#model'
import { fromJson, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

export interface ProbeStore {
  add(probe: ProbeRecord): Promise<void>
  latest(vault: string): Promise<ProbeRecord | undefined>
}

export function createProbeStore(database: Kysely<Tables>): ProbeStore {
  return {
    add: async ({ vault, at, found }) => {
      await database
        .replaceInto('probe')
        .values({ vault, at, found: toJson(found) })
        .execute()
    },
    latest: async (vault) => {
      const query = database.selectFrom('probe').selectAll().where('vault', '=', vault)
      const row = await query.orderBy('at', 'desc').limit(1).executeTakeFirst()
      const found = row && fromJson<ProbeFacts | undefined>(row.found, undefined)
      return row && found && { vault, at: row.at, found }
    },
  }
}
