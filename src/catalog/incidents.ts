import type { ExpressionBuilder, Kysely, Selectable } from 'kysely'

import { randomHex } from '#base'
import {
  troubleKey,
  type Criticality,
  type Incident,
  type IncidentEvent,
  type IncidentStep,
  type SeenTrouble,
  type TroubleKind,
} from '#model'
import { catalogError } from './errors.ts'
import { present } from './rows.ts'
import type { Tables } from './tables.ts'

export interface IncidentQuery {
  /** `true`: only those that are open; `false`: only those that are over. */
  readonly open?: boolean
  readonly project?: string
  /** Only those that were not over before then: milliseconds since 1970. */
  readonly since?: number
  readonly limit?: number
}

/** What was done to an incident, and how it is after that. */
export interface SettledIncident {
  readonly step: Exclude<IncidentStep['step'], 'see'>
  readonly incident: Incident
}

export interface IncidentStore {
  /** The newest first, each with its timeline. */
  list(query?: IncidentQuery): Promise<Incident[]>
  find(id: string): Promise<Incident | undefined>
  /** @throws `incident.missing`. */
  get(id: string): Promise<Incident>
  /**
   * Does what `plan` says, all of it or nothing, while no other process changes an incident.
   *
   * @param plan - gets the open incidents and those that were over at `since` or later, without their timelines.
   * @param now - when it is done: milliseconds since 1970.
   * @returns what was changed, in the order of the plan.
   */
  settle(
    since: number,
    plan: (known: readonly Omit<Incident, 'timeline'>[]) => readonly IncidentStep[],
    now: number,
  ): Promise<SettledIncident[]>
  /** @returns whether it was open, and so is acknowledged. @throws `incident.missing`. */
  acknowledge(id: string, event: Omit<IncidentEvent, 'what'> & { readonly who: string }): Promise<boolean>
  /** Ends it in somebody's name. @returns whether it was open. @throws `incident.missing`. */
  resolve(id: string, event: Omit<IncidentEvent, 'what'> & { readonly who: string }): Promise<boolean>
  /** Adds to its timeline. @throws `incident.missing`. */
  addEvent(id: string, event: IncidentEvent): Promise<void>
}

export function createIncidentStore(database: Kysely<Tables>): IncidentStore {
  return {
    list: async ({ open, project, since, limit } = {}) => {
      let query = database.selectFrom('incident').selectAll().orderBy('opened_at', 'desc').orderBy('id', 'desc')
      if (open !== undefined) query = query.where('open', open ? 'is not' : 'is', null)
      if (project !== undefined) query = query.where('project', '=', project)
      if (since !== undefined) query = query.where((eb) => eb.or(notOverBefore(eb, since)))
      if (limit !== undefined) query = query.limit(limit)
      return await withTimelines(database, await query.execute())
    },
    find: (id) => find(database, id),
    get: async (id) => {
      const found = await find(database, id)
      if (!found) throw catalogError('incident.missing', { incident: JSON.stringify(id) })
      return found
    },
    settle: (since, plan, now) => settle(database, since, plan, now),
    acknowledge: (id, { at, who, text }) =>
      database.transaction().execute(async (transaction) => {
        const changes = { acknowledged_at: at, acknowledged_by: who }
        return await changeOpen(transaction, id, changes, { at, who, text, what: 'acknowledged' })
      }),
    resolve: (id, { at, who, text }) =>
      database.transaction().execute(async (transaction) => {
        const changes = { resolved_at: at, resolved_by: who, open: null }
        return await changeOpen(transaction, id, changes, { at, who, text, what: 'resolved' })
      }),
    addEvent: (id, event) =>
      database.transaction().execute(async (transaction) => {
        await requireKnown(transaction, id)
        await addEvent(transaction, id, event)
      }),
  }
}

async function settle(
  database: Kysely<Tables>,
  since: number,
  plan: (known: readonly Omit<Incident, 'timeline'>[]) => readonly IncidentStep[],
  now: number,
): Promise<SettledIncident[]> {
  return await database.transaction().execute(async (transaction) => {
    const rows = await transaction
      .selectFrom('incident')
      .selectAll()
      .where((eb) => eb.or(notOverBefore(eb, since)))
      .orderBy('opened_at')
      .orderBy('id')
      .execute()
    const settled: SettledIncident[] = []
    for (const step of plan(rows.map(toIncident))) {
      const id = await perform(transaction, step, now)
      if (step.step !== 'see') settled.push({ step: step.step, incident: (await find(transaction, id))! })
    }
    return settled
  })
}

function notOverBefore(eb: ExpressionBuilder<Tables, 'incident'>, since: number) {
  return [eb('open', 'is not', null), eb('resolved_at', '>=', since)]
}

/** @returns the id of the incident. */
async function perform(database: Kysely<Tables>, step: IncidentStep, now: number): Promise<string> {
  switch (step.step) {
    case 'open': {
      const id = await freeId(database)
      const { trouble } = step
      const { kind, project = null, vault = null } = trouble
      const key = troubleKey(trouble)
      const row = { id, trouble: key, open: key, kind, project, vault, opened_at: now, ...seenColumns(trouble, now) }
      await database.insertInto('incident').values(row).execute()
      await addEvent(database, id, { at: now, what: 'opened', text: trouble.text })
      return id
    }
    case 'reopen': {
      const again = { open: troubleKey(step.trouble), resolved_at: null, resolved_by: null, ...unacknowledged }
      await change(database, step.id, { ...again, ...seenColumns(step.trouble, now) })
      await addEvent(database, step.id, { at: now, what: 'reopened', text: step.trouble.text })
      return step.id
    }
    case 'change':
      await change(database, step.id, { ...unacknowledged, ...seenColumns(step.trouble, now) })
      await addEvent(database, step.id, { at: now, what: 'changed', text: step.trouble.text })
      return step.id
    case 'see':
      await change(database, step.id, seenColumns(step.trouble, now))
      return step.id
    case 'resolve':
      await change(database, step.id, { resolved_at: now, open: null })
      await addEvent(database, step.id, { at: now, what: 'resolved', text: 'It is over' })
      return step.id
    default:
      return step satisfies never
  }
}

const unacknowledged = { acknowledged_at: null, acknowledged_by: null }

function seenColumns({ criticality, text, advice, lastBackup }: SeenTrouble, now: number) {
  const backup = { backup_at: lastBackup?.at ?? null, backup_vault: lastBackup?.vault ?? null }
  return { criticality, text, advice, seen_at: now, ...backup }
}

async function freeId(database: Kysely<Tables>): Promise<string> {
  for (;;) {
    const id = `i-${randomHex(3)}`
    const taken = await database.selectFrom('incident').select('id').where('id', '=', id).executeTakeFirst()
    if (!taken) return id
  }
}

type Changes = Partial<Omit<Selectable<Tables['incident']>, 'id'>>

async function change(database: Kysely<Tables>, id: string, changes: Changes): Promise<void> {
  await database.updateTable('incident').set(changes).where('id', '=', id).execute()
}

async function changeOpen(
  database: Kysely<Tables>,
  id: string,
  changes: Changes,
  event: IncidentEvent,
): Promise<boolean> {
  await requireKnown(database, id)
  const { numUpdatedRows } = await database
    .updateTable('incident')
    .set(changes)
    .where('id', '=', id)
    .where('open', 'is not', null)
    .executeTakeFirst()
  if (numUpdatedRows !== 1n) return false
  await addEvent(database, id, event)
  return true
}

async function requireKnown(database: Kysely<Tables>, id: string): Promise<void> {
  const row = await database.selectFrom('incident').select('id').where('id', '=', id).executeTakeFirst()
  if (!row) throw catalogError('incident.missing', { incident: JSON.stringify(id) })
}

async function addEvent(database: Kysely<Tables>, incident: string, event: IncidentEvent): Promise<void> {
  const { at, what, text, who = null } = event
  await database.insertInto('incident_event').values({ incident, at, what, text, who }).execute()
}

async function find(database: Kysely<Tables>, id: string): Promise<Incident | undefined> {
  const row = await database.selectFrom('incident').selectAll().where('id', '=', id).executeTakeFirst()
  return row && (await withTimelines(database, [row]))[0]
}

/** Fewer than the most values that SQLite takes in one statement. */
const mostAtOnce = 1000

async function withTimelines(
  database: Kysely<Tables>,
  rows: readonly Selectable<Tables['incident']>[],
): Promise<Incident[]> {
  const events = new Map<string, IncidentEvent[]>(rows.map(({ id }) => [id, []]))
  for (let at = 0; at < rows.length; at += mostAtOnce) {
    const ids = rows.slice(at, at + mostAtOnce).map(({ id }) => id)
    const query = database.selectFrom('incident_event').selectAll().where('incident', 'in', ids).orderBy('number')
    for (const { incident, at, what, text, who } of await query.execute()) {
      events.get(incident)?.push({ at, what: what as IncidentEvent['what'], text, ...present({ who }) })
    }
  }
  return rows.map((row) => ({ ...toIncident(row), timeline: events.get(row.id)! }))
}

function toIncident(row: Selectable<Tables['incident']>): Omit<Incident, 'timeline'> {
  const { backup_at: at, backup_vault: vault } = row
  return {
    id: row.id,
    kind: row.kind as TroubleKind,
    criticality: row.criticality as Criticality,
    text: row.text,
    advice: row.advice,
    openedAt: row.opened_at,
    seenAt: row.seen_at,
    ...present({
      project: row.project,
      vault: row.vault,
      acknowledgedAt: row.acknowledged_at,
      acknowledgedBy: row.acknowledged_by,
      resolvedAt: row.resolved_at,
      resolvedBy: row.resolved_by,
      lastBackup: at !== null && vault !== null ? { at, vault } : null,
    }),
  }
}
