import type { Kysely, Selectable, Transaction } from 'kysely'

import type { ChannelName, Criticality, Delivery, DeliveryKey, FailingChannel, Notice } from '#model'
import { decodeMark, encodeMark, isGone, ownMark } from './process-mark.ts'
import { present } from './rows.ts'
import type { Tables } from './tables.ts'

/** A delivery that shall be attempted. */
export type PlannedDelivery = DeliveryKey & Pick<Delivery, 'criticality'>

export interface DeliveryStore {
  /** All that was ever planned about these incidents or messages, oldest first. */
  of(about: readonly string[]): Promise<Delivery[]>
  /**
   * Takes deliveries into hand; new ones are entered. What another process has in hand, what was sent or given up, and what may
   * not be tried yet, is left out. No two processes ever hold the same one, unless the first is gone or has held it beyond
   * `until`.
   *
   * @param until - when others may take them; milliseconds since 1970, as `now`.
   */
  claim(planned: readonly PlannedDelivery[], now: number, until: number): Promise<Delivery[]>
  /** To be called before they are sent together: counts the attempt. @param message - its id. */
  attempt(planned: readonly PlannedDelivery[], message: string): Promise<void>
  /** They were sent, so their channels are well. */
  sent(keys: readonly DeliveryKey[], at: number): Promise<void>
  /** They were not sent; `nextAt` undefined gives them up. Empty keys: only that the channel failed is noted. */
  failed(
    channel: ChannelName,
    keys: readonly DeliveryKey[],
    outcome: { readonly at: number; readonly nextAt: number | undefined; readonly error: string },
  ): Promise<void>
  /** Gives back what was claimed and not attempted. */
  release(keys: readonly DeliveryKey[]): Promise<void>
  /** They are of no use any more, and were not sent. */
  drop(keys: readonly DeliveryKey[], at: number): Promise<void>
  /** The channels whose last attempt failed, the longest failing first. */
  failing(): Promise<FailingChannel[]>
  /** Forgets the failures of channels that are not in the configuration any more. */
  keepChannels(channels: readonly ChannelName[]): Promise<void>
  /** A channel was tried with something that is not recorded, and worked. */
  works(channel: ChannelName): Promise<void>
}

type Row = Selectable<Tables['delivery']>

/** SQLite takes this many values in one list at least. */
const listLimit = 500

export function createDeliveryStore(database: Kysely<Tables>): DeliveryStore {
  return {
    of: async (about) => {
      const rows: Row[] = []
      for (let from = 0; from < about.length; from += listLimit) {
        rows.push(
          ...(await database
            .selectFrom('delivery')
            .selectAll()
            .where('about', 'in', about.slice(from, from + listLimit))
            .orderBy('planned_at')
            .orderBy('notice')
            .execute()),
        )
      }
      return rows.map(fromRow)
    },
    claim: (planned, now, until) =>
      database.transaction().execute(async (transaction) => {
        const taken: Delivery[] = []
        for (const one of planned) {
          const row = await claimOne(transaction, one, now, until)
          if (row) taken.push(row)
        }
        return taken
      }),
    attempt: (planned, message) =>
      database.transaction().execute(async (transaction) => {
        for (const { criticality, ...key } of planned) {
          await whereKey(transaction.updateTable('delivery'), key)
            .set((set) => ({ attempts: set('attempts', '+', 1), message, criticality }))
            .execute()
        }
      }),
    sent: (keys, at) =>
      database.transaction().execute(async (transaction) => {
        await change(transaction, keys, { sent_at: at, error: null, process: null, claimed_until: null })
        for (const channel of new Set(keys.map((key) => key.channel))) await forget(transaction, channel)
      }),
    failed: (channel, keys, { at, nextAt, error }) =>
      database.transaction().execute(async (transaction) => {
        const then = nextAt === undefined ? { ended_at: at } : { next_at: nextAt }
        await change(transaction, keys, { ...then, error, process: null, claimed_until: null })
        await transaction
          .insertInto('channel_failure')
          .values({ channel, since: at, attempts: 1, error })
          .onConflict((conflict) =>
            conflict
              .column('channel')
              .doUpdateSet((set) => ({ attempts: set('channel_failure.attempts', '+', 1), error })),
          )
          .execute()
      }),
    release: (keys) =>
      database
        .transaction()
        .execute((transaction) => change(transaction, keys, { process: null, claimed_until: null })),
    drop: (keys, at) =>
      database
        .transaction()
        .execute((transaction) => change(transaction, keys, { ended_at: at, process: null, claimed_until: null })),
    failing: async () => {
      const rows = await database.selectFrom('channel_failure').selectAll().orderBy('since').execute()
      return rows.map(({ channel, ...row }) => ({ ...row, channel: channel as ChannelName }))
    },
    keepChannels: async (channels) => {
      let query = database.deleteFrom('channel_failure')
      if (channels.length > 0) query = query.where('channel', 'not in', channels)
      await query.execute()
    },
    works: (channel) => forget(database, channel),
  }
}

async function claimOne(
  transaction: Transaction<Tables>,
  { about, notice, channel, criticality }: PlannedDelivery,
  now: number,
  until: number,
): Promise<Delivery | undefined> {
  const key = { about, notice, channel }
  const found = await whereKey(transaction.selectFrom('delivery'), key).selectAll().executeTakeFirst()
  const claim = { process: encodeMark(ownMark()), claimed_until: until }
  if (!found) {
    const row = { ...key, message: '', criticality, planned_at: now, attempts: 0, next_at: now }
    await transaction
      .insertInto('delivery')
      .values({ ...row, ...claim })
      .execute()
    return { ...key, message: '', criticality, plannedAt: now, attempts: 0, nextAt: now }
  }
  if (found.sent_at !== null || found.ended_at !== null || isHeld(found, now, until - now)) return undefined
  await whereKey(transaction.updateTable('delivery'), key).set(claim).execute()
  return fromRow(found)
}

/** By a claim of a process that lives, or until the next attempt; not by what a clock that was wrong has written. */
function isHeld({ process, claimed_until, next_at }: Row, now: number, claimMs: number): boolean {
  if (process !== null && claimed_until !== null && !isGone(decodeMark(process))) {
    return claimed_until > now && claimed_until <= now + claimMs
  }
  return next_at > now && next_at <= now + longestWaitMs
}

/** No delivery waits longer for its next attempt. */
const longestWaitMs = 2 * 3_600_000

async function change(
  transaction: Transaction<Tables>,
  keys: readonly DeliveryKey[],
  values: Partial<Omit<Row, keyof DeliveryKey>>,
): Promise<void> {
  for (const key of keys) await whereKey(transaction.updateTable('delivery'), key).set(values).execute()
}

async function forget(database: Kysely<Tables>, channel: string): Promise<void> {
  await database.deleteFrom('channel_failure').where('channel', '=', channel).execute()
}

interface Narrowing<Self> {
  where(column: 'about' | 'notice' | 'channel', operator: '=', value: string): Self
}

function whereKey<Query extends Narrowing<Query>>(query: Query, { about, notice, channel }: DeliveryKey): Query {
  return query.where('about', '=', about).where('notice', '=', notice).where('channel', '=', channel)
}

function fromRow(row: Row): Delivery {
  return {
    about: row.about,
    notice: row.notice as Notice,
    channel: row.channel as ChannelName,
    message: row.message,
    criticality: row.criticality as Criticality,
    plannedAt: row.planned_at,
    attempts: row.attempts,
    nextAt: row.next_at,
    ...present({ sentAt: row.sent_at, endedAt: row.ended_at, error: row.error }),
  }
}
