import type { Kysely, Selectable } from 'kysely'

import type { Hold } from '#model'
import { present } from './rows.ts'
import type { Tables } from './tables.ts'

export interface HoldStore {
  add(hold: Hold): Promise<void>
  find(id: string): Promise<Hold | undefined>
  /** The newest first; those that are over and lifted too. */
  list(query?: { readonly project?: string }): Promise<Hold[]>
  /** @returns whether there was one to lift: of two who lift it at once, one does. */
  lift(id: string, lifted: NonNullable<Hold['lifted']>): Promise<boolean>
}

export function createHoldStore(database: Kysely<Tables>): HoldStore {
  return {
    add: async ({ id, project, vault, snapshot, run, reason, beganAt, who, until, lifted }) => {
      await database
        .insertInto('hold')
        .values({
          id,
          project,
          vault: vault ?? null,
          snapshot: snapshot ?? null,
          run: run ?? null,
          reason,
          began_at: beganAt,
          who,
          until: until ?? null,
          lifted_at: lifted?.at ?? null,
          lifted_by: lifted?.who ?? null,
          lift_reason: lifted?.reason ?? null,
        })
        .execute()
    },
    find: async (id) => {
      const row = await database.selectFrom('hold').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toHold(row)
    },
    list: async ({ project } = {}) => {
      let query = database.selectFrom('hold').selectAll().orderBy('began_at', 'desc').orderBy('id')
      if (project !== undefined) query = query.where('project', '=', project)
      return (await query.execute()).map(toHold)
    },
    lift: async (id, { at, who, reason }) => {
      const { numUpdatedRows } = await database
        .updateTable('hold')
        .set({ lifted_at: at, lifted_by: who, lift_reason: reason })
        .where('id', '=', id)
        .where('lifted_at', 'is', null)
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },
  }
}

function toHold(row: Selectable<Tables['hold']>): Hold {
  const { id, project, vault, snapshot, run, reason, began_at: beganAt, who, until } = row
  const { lifted_at: at, lifted_by: by, lift_reason: why } = row
  const lifted = at === null ? undefined : { at, who: by ?? '', reason: why ?? '' }
  return { id, project, reason, beganAt, who, ...present({ vault, snapshot, run, until }), ...(lifted && { lifted }) }
}
