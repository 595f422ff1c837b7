import type { Kysely } from 'kysely'

import type { QuietRecord } from '#model'
import { decodeMark, encodeMark, isGone, ownMark } from './process-mark.ts'
import { fromJson, toJson } from './rows.ts'
import type { Tables } from './tables.ts'

/** Projects that are kept quiet at this moment, so that it is undone whatever happens to the process. */
export interface QuietStore {
  /** To be called before the project is made quiet. */
  begin(quiet: QuietRecord): Promise<void>
  /** To be called after it was undone. */
  end(run: string): Promise<void>
  /** Those whose process is gone. */
  abandoned(): Promise<QuietRecord[]>
}

export function createQuietStore(database: Kysely<Tables>): QuietStore {
  return {
    begin: async ({ run, project, since, undo }) => {
      const process = encodeMark(ownMark())
      await database
        .insertInto('quiet')
        .values({ run, project, since, undo: toJson(undo), process })
        .execute()
    },
    end: async (run) => {
      await database.deleteFrom('quiet').where('run', '=', run).execute()
    },
    abandoned: async () => {
      const rows = await database.selectFrom('quiet').selectAll().orderBy('since').execute()
      return rows
        .filter(({ process }) => isGone(decodeMark(process)))
        .map(({ run, project, since, undo }) => ({ run, project, since, undo: fromJson<string[][]>(undo, []) }))
    },
  }
}
