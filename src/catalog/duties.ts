import type { Kysely } from 'kysely'

import type { DutyKind, DutyRecord, Keeper } from '#model'
import { decodeMark, encodeMark, isGone, ownMark } from './process-mark.ts'
import { present } from './rows.ts'
import type { Tables } from './tables.ts'

export interface DutyStore {
  /** Remembers what was done, or tried. */
  add(duty: DutyRecord): Promise<void>
  /** Newest first. */
  list(query: {
    readonly kind: DutyKind
    readonly project?: string
    readonly vault?: string
    readonly part?: string
    /** Only those that were begun then or later: milliseconds since 1970. */
    readonly since?: number
    readonly limit?: number
  }): Promise<DutyRecord[]>
  /**
   * Makes this process the keeper; of several that try at once, one is. It stays so until it lets go or is gone.
   *
   * @returns the living process that is the keeper already; undefined when this one is.
   */
  take(verb: Keeper['verb'], now: number): Promise<Keeper | undefined>
  letGo(): Promise<void>
  /** The living process that does what is due. */
  keeper(): Promise<Keeper | undefined>
}

/** There may be others one day, such as one for each machine. */
const role = 'duties'

export function createDutyStore(database: Kysely<Tables>): DutyStore {
  return {
    add: async ({ slot, startedAt, endedAt, text, project, vault, part, ...duty }) => {
      await database
        .insertInto('duty')
        .values({
          ...duty,
          project: project ?? '',
          vault: vault ?? '',
          part: part ?? '',
          slot_at: slot,
          started_at: startedAt,
          ended_at: endedAt,
          text: text ?? null,
        })
        .execute()
    },
    list: async ({ kind, project = '', vault = '', part = '', since, limit }) => {
      let query = database
        .selectFrom('duty')
        .selectAll()
        .where('kind', '=', kind)
        .where('project', '=', project)
        .where('vault', '=', vault)
        .where('part', '=', part)
        .orderBy('started_at', 'desc')
        .orderBy('id', 'desc')
      if (since !== undefined) query = query.where('started_at', '>=', since)
      if (limit !== undefined) query = query.limit(limit)
      return (await query.execute()).map((row) => ({
        id: row.id,
        kind: row.kind,
        slot: row.slot_at,
        startedAt: row.started_at,
        endedAt: row.ended_at,
        outcome: row.outcome,
        ...present({ project: row.project || null, vault: row.vault || null, part: row.part || null, text: row.text }),
      }))
    },
    take: (verb, now) => take(database, verb, now),
    letGo: async () => {
      await database.deleteFrom('keeper').where('role', '=', role).where('process', '=', own()).execute()
    },
    keeper: () => findKeeper(database),
  }
}

async function take(database: Kysely<Tables>, verb: Keeper['verb'], now: number): Promise<Keeper | undefined> {
  return await database.transaction().execute(async (transaction) => {
    const other = await findKeeper(transaction)
    if (other) return other
    const row = { verb, since: now, process: own() }
    await transaction
      .insertInto('keeper')
      .values({ role, ...row })
      .onConflict((conflict) => conflict.column('role').doUpdateSet(row))
      .execute()
    return undefined
  })
}

async function findKeeper(database: Kysely<Tables>): Promise<Keeper | undefined> {
  const row = await database.selectFrom('keeper').selectAll().where('role', '=', role).executeTakeFirst()
  if (!row) return undefined
  const mark = decodeMark(row.process)
  return isGone(mark) ? undefined : { verb: row.verb, since: row.since, pid: mark.pid, host: mark.host }
}

function own(): string {
  return encodeMark(ownMark())
}
