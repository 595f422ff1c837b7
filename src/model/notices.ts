import type { ChannelName, Route } from './configuration.ts'
import type { Delivery, Notice } from './delivery.ts'
import { troubleKinds, type Incident, type TroubleKind } from './incident.ts'
import { reopenMs } from './plan-incidents.ts'
import { criticalities, type Criticality } from './project.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** What shall be told of an incident, and by what channel. */
export interface DueNotice {
  readonly incident: Incident
  readonly notice: Notice
  readonly channel: ChannelName
}

export interface TellingFacts {
  /** The open ones, and those that ended in the last days. */
  readonly incidents: readonly Incident[]
  /** All that were ever planned about them. */
  readonly deliveries: readonly Delivery[]
  /** Those of the configuration. */
  readonly channels: readonly ChannelName[]
  readonly routes: readonly Route[]
  /** Channels whose last attempt failed. */
  readonly failing: readonly ChannelName[]
  /** Milliseconds since 1970, UTC. */
  readonly now: number
}

/** Kinds that may be over by themselves with the next try, so that it pays to wait. */
const passing: readonly TroubleKind[] = ['copy-failed', 'incomplete']
const patience: Record<Criticality, number> = { critical: 5, high: 15, medium: 30, low: 30 }

/**
 * How long a trouble is watched before anybody is told, in milliseconds: nothing for most, and 5 (critical), 15 (high) or 30
 * minutes for a failed copy and an incomplete run. One that is over by then is never told.
 */
export function graceMs({ kind, criticality }: Pick<Incident, 'kind' | 'criticality'>): number {
  return passing.includes(kind) ? patience[criticality] * minuteMs : 0
}

const distances = [hourMs, 4 * hourMs, dayMs, 3 * dayMs, 7 * dayMs]

/**
 * How long after the notice before it a reminder comes, in milliseconds: an hour, 4 hours, a day, 3 days, then a week each;
 * what is of medium or low criticality begins with a day.
 *
 * @param count - 1 for the first.
 */
export function reminderDistanceMs(count: number, criticality: Criticality): number {
  const skipped = criticality === 'critical' || criticality === 'high' ? 0 : 2
  return distances[Math.min(count - 1 + skipped, distances.length - 1)]!
}

/** How long a notice is tried before it is given up, in milliseconds. */
export const deliveryTermMs = dayMs

/**
 * When a delivery that failed is tried again: milliseconds since 1970, UTC. It waits a minute, and twice as long each time, up to an
 * hour; an hour at once when a person must mend something first.
 *
 * @param delivery - as it was before the attempt.
 * @param chance - from 0 to 1, so that not all come back at the same moment: a fifth of the wait is left to it.
 * @returns undefined when a day has passed since it was planned.
 */
export function nextAttemptAt(
  { plannedAt, attempts }: Pick<Delivery, 'plannedAt' | 'attempts'>,
  mayPass: boolean,
  now: number,
  chance: number,
): number | undefined {
  if (now - plannedAt >= deliveryTermMs) return undefined
  const wait = mayPass ? Math.min(minuteMs * 2 ** Math.min(attempts, 10), hourMs) : hourMs
  return Math.round(now + wait * (0.9 + 0.2 * chance))
}

/** The channels that the routes name for a trouble, in the order of the configuration; all of them when no route matches. */
export function routedChannels(
  { kind, criticality }: Pick<Incident, 'kind' | 'criticality'>,
  channels: readonly ChannelName[],
  routes: readonly Route[],
): readonly ChannelName[] {
  const matching = routes.filter(
    (route) => (route.criticality?.includes(criticality) ?? true) && (route.kind?.includes(kind) ?? true),
  )
  const named = new Set(matching.flatMap(({ to }) => to))
  const routed = channels.filter((channel) => named.has(channel))
  return routed.length > 0 ? routed : channels
}

/**
 * What is to be told now, the gravest first.
 *
 * An incident that is open is told once to each channel that its routes name, after its grace; then reminders follow until it is
 * acknowledged or over, each later than the one before it; when it becomes graver, that is told at once. The end is told to
 * those that heard of it: at once when a person said so, else when the trouble can no longer come back as the same incident.
 * While all of its channels fail, it goes to all the others too; what none of them could be told before it
 * was over is told then. A notice stays due until its delivery was sent or has ended.
 */
export function dueNotices(facts: TellingFacts): DueNotice[] {
  const byIncident = Map.groupBy(facts.deliveries, ({ about }) => about)
  const due: DueNotice[] = []
  const waiting: DueNotice[] = []
  for (const incident of facts.incidents) {
    const deliveries = byIncident.get(incident.id) ?? []
    if (incident.resolvedAt !== undefined) {
      due.push(...ofResolved(incident, deliveries, facts))
      continue
    }
    const isWaiting = facts.now < incident.openedAt + graceMs(incident)
    for (const channel of channelsFor(incident, deliveries, facts)) {
      const own = deliveries.filter((delivery) => delivery.channel === channel)
      const notice = noticeFor(incident, own, facts.now)
      if (notice === undefined) continue
      const list = notice === 'opened' && isWaiting ? waiting : due
      list.push({ incident, notice, channel })
    }
  }
  return [...due, ...waiting.filter((one) => due.some((other) => isLike(one, other)))].toSorted(byGravity)
}

/** What waits goes along when one of the same kind at the same vault is told, so that one cause is one message. */
function isLike(one: DueNotice, other: DueNotice): boolean {
  return (
    other.notice === 'opened' &&
    one.channel === other.channel &&
    one.incident.kind === other.incident.kind &&
    one.incident.vault === other.incident.vault
  )
}

function channelsFor(
  incident: Incident,
  deliveries: readonly Delivery[],
  { channels, routes, failing }: TellingFacts,
): readonly ChannelName[] {
  const routed = routedChannels(incident, channels, routes)
  if (incident.kind === 'channel') {
    const well = routed.filter((channel) => !failing.includes(channel))
    const others = channels.filter((channel) => !failing.includes(channel))
    const heard = channels.filter((channel) => deliveries.some((one) => one.channel === channel && isSent(one)))
    return [...new Set([...(well.length > 0 ? well : others), ...heard])]
  }
  const fails = (channel: ChannelName): boolean =>
    deliveries.some((one) => one.channel === channel && !isSent(one) && one.error !== undefined)
  const isHeard = deliveries.some((one) => isSent(one) && routed.includes(one.channel))
  if (!isHeard && routed.every(fails)) return channels
  const alsoTold = channels.filter((channel) => deliveries.some((one) => one.channel === channel && isSent(one)))
  return [...new Set([...routed, ...alsoTold])]
}

function noticeFor(incident: Incident, own: readonly Delivery[], now: number): Notice | undefined {
  const opened = own.find(({ notice }) => notice === 'opened')
  if (!opened || !isDone(opened)) return 'opened'
  const done = own.filter(isDone)
  const gravest = Math.min(...done.map(({ criticality }) => criticalities.indexOf(criticality)))
  if (criticalities.indexOf(incident.criticality) < gravest) return `worse-${incident.criticality}`
  if (incident.acknowledgedAt !== undefined) return undefined
  const count = done.filter(({ notice }) => notice.startsWith('reminder-')).length + 1
  const last = Math.max(...done.map(({ sentAt = 0, endedAt = 0 }) => Math.max(sentAt, endedAt)))
  return now >= last + reminderDistanceMs(count, incident.criticality) ? `reminder-${count}` : undefined
}

/** Longer than any attempt takes: what has no outcome by then was cut off. */
const attemptMs = 5 * minuteMs

function ofResolved(
  incident: Incident,
  deliveries: readonly Delivery[],
  { channels, now }: TellingFacts,
): readonly DueNotice[] {
  if (incident.resolvedBy === undefined && now <= incident.resolvedAt! + reopenMs) return []
  const heard = deliveries.filter(isSent)
  const tried = deliveries.filter(
    ({ attempts, error, plannedAt }) => error !== undefined || (attempts > 0 && now >= plannedAt + attemptMs),
  )
  const hearing = new Set((heard.length > 0 ? heard : tried).map(({ channel }) => channel))
  return channels
    .filter((channel) => hearing.has(channel))
    .filter((channel) => !deliveries.some((one) => one.channel === channel && one.notice === 'resolved' && isDone(one)))
    .map((channel) => ({ incident, notice: 'resolved', channel }))
}

function isSent({ sentAt }: Delivery): boolean {
  return sentAt !== undefined
}

function isDone({ sentAt, endedAt }: Delivery): boolean {
  return sentAt !== undefined || endedAt !== undefined
}

function byGravity({ incident: one }: DueNotice, { incident: other }: DueNotice): number {
  return (
    criticalities.indexOf(one.criticality) - criticalities.indexOf(other.criticality) ||
    troubleKinds.indexOf(one.kind) - troubleKinds.indexOf(other.kind) ||
    one.openedAt - other.openedAt ||
    one.id.localeCompare(other.id)
  )
}

/** Channels that people read get one message about many incidents; machines get each by itself. */
const readByPeople: readonly ChannelName[] = ['mail', 'slack', 'discord', 'ntfy']
/** So many of one sort at once have a message each. */
const mostSingle = 3

/**
 * Splits what is due into messages: more than three of one sort (beginnings, reminders …) for one channel that people read
 * become one.
 */
export function bundleNotices<N extends Pick<DueNotice, 'notice' | 'channel'>>(
  due: readonly N[],
): readonly (readonly N[])[] {
  const sorts = Map.groupBy(due, ({ notice, channel }) => `${channel} ${sortOf(notice)}`)
  return [...sorts.values()].flatMap((alike) =>
    alike.length > mostSingle && readByPeople.includes(alike[0]!.channel) ? [alike] : alike.map((one) => [one]),
  )
}

/** `opened`, `worse`, `reminder`, `resolved`. */
export function sortOf(notice: Notice): 'opened' | 'worse' | 'reminder' | 'resolved' | 'report' | 'test' {
  return notice.replace(/-.*$/, '') as ReturnType<typeof sortOf>
}
