import assert from 'node:assert/strict'
import { join } from 'node:path'

import { runProgram } from '#base'
import { openCatalogOrNone, type Catalog } from '#catalog'
import { graceMs, reopenMs, type Incident, type Run, type TroubleKind } from '#model'
import { decodeWords } from '#notify/testing'
import { instantOf, timezone, type Happening } from './live.ts'
import type { World } from './world.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
/** Between two looks of the daemon of the simulation, with a little for what is done meanwhile. */
const lookMs = 70 * minuteMs
/** What failed is tried again after this at the latest. */
const longestRetryMs = 6 * hourMs

/** The schedules of the example projects: at what time of the day, and on which day of the week (1 is Monday). */
const schedules: Readonly<Record<string, { readonly at: string; readonly weekday?: number }>> = {
  havunadmin: { at: '03:00' },
  herdenkingsportaal: { at: '04:00' },
  havuncore: { at: '05:00', weekday: 7 },
  'havun-mcp': { at: '06:00', weekday: 7 },
  aimtrack: { at: '02:30' },
}

/** What somebody may be told of while something is wrong. The first is what must be told. */
const mayBeTold: Readonly<Record<Happening['what'], readonly TroubleKind[]>> = {
  'power-cut': ['late', 'failed', 'incomplete', 'copy-failed'],
  'full-disk': ['failed', 'full', 'late', 'incomplete', 'copy-failed', 'cleanup-failed', 'own-backup'],
  'dead-vault': ['copy-failed', 'late', 'incomplete', 'cleanup-failed', 'own-backup'],
  'broken-mail': ['channel'],
  'dead-database': ['failed', 'late'],
}

export interface Lived {
  readonly from: string
  readonly until: string
  readonly happenings: readonly Happening[]
}

export interface Judged {
  readonly slots: number
  readonly missed: number
  readonly incidents: number
  readonly digests: number
}

/** Holds what a daemon did against what it should have done. */
export async function judge(world: World, lived: Lived): Promise<Judged> {
  const opened = await openCatalogOrNone(world.place.at('state/catalog.sqlite'), { purpose: 'read' })
  await using catalog = opened.catalog!
  const { slots, missed } = await judgeSlots(catalog, lived)
  const incidents = await judgeIncidents(world, catalog, lived)
  await judgeVaults(world, catalog, lived)
  return { slots, missed, incidents, digests: judgeDigests(world, lived) }
}

/** Each slot once, unless the machine was off or could not until the next one. */
async function judgeSlots(catalog: Catalog, lived: Lived): Promise<{ slots: number; missed: number }> {
  let [slots, missed] = [0, 0]
  for (const project of Object.keys(schedules)) {
    const runs = await catalog.runs.list({ project })
    const own = slotsOf(project, lived.from, lived.until)
    for (const [nth, slot] of own.entries()) {
      const next = own[nth + 1] ?? instantOf(lived.until)
      const made = runs.filter((run) => run.slot === slot && run.snapshot !== undefined)
      const about = `${project} at ${Temporal.Instant.fromEpochMilliseconds(slot).toZonedDateTimeISO(timezone).toString()}`
      assert.ok(made.length <= 1, `${about} ran ${made.length} times`)
      slots++
      if (made.length === 1) continue
      missed++
      assert.ok(isExcused(slot, next, lived.happenings), `${about} did not run: ${describe(runs, slot)}`)
    }
    for (const run of runs.filter(({ snapshot }) => snapshot !== undefined)) {
      const isFirst = run === runs.at(-1)
      assert.ok(isFirst || own.includes(run.slot ?? -1), `${project} ran for no slot: ${run.id}`)
    }
    assert.ok(!runs.some(({ status }) => status === 'running'), `a run of ${project} was left open`)
  }
  return { slots, missed }
}

function describe(runs: readonly Run[], slot: number): string {
  const tried = runs.filter((run) => run.slot === slot)
  return tried.map(({ status, findings }) => `${status} ${findings[0]?.text ?? ''}`).join('; ') || 'nobody tried'
}

function slotsOf(project: string, from: string, until: string): number[] {
  const { at, weekday } = schedules[project]!
  const slots: number[] = []
  for (
    let day = Temporal.PlainDate.from(from);
    Temporal.PlainDate.compare(day, Temporal.PlainDate.from(until)) <= 0;
    day = day.add({ days: 1 })
  ) {
    if (weekday !== undefined && day.dayOfWeek !== weekday) continue
    const slot = day.toZonedDateTime({ timeZone: timezone, plainTime: at }).epochMilliseconds
    if (slot >= instantOf(from) && slot < instantOf(until)) slots.push(slot)
  }
  return slots
}

/** Whether from the slot on there was no time to make it up before the next one came. */
function isExcused(slot: number, next: number, happenings: readonly Happening[]): boolean {
  return happenings.some(({ what, from, until }) => {
    if (what !== 'power-cut' && what !== 'full-disk' && what !== 'dead-database') return false
    const retry = what === 'power-cut' ? 0 : longestRetryMs
    return instantOf(from) <= slot + hourMs && instantOf(until) + retry >= next
  })
}

/** One for each trouble and none without; told once in time, and its end too. */
async function judgeIncidents(world: World, catalog: Catalog, lived: Lived): Promise<number> {
  const incidents = await catalog.incidents.list()
  for (const incident of incidents) {
    const about = `${incident.id} (${incident.kind} of ${incident.project ?? ''} in ${incident.vault ?? ''}: ${incident.text})`
    const cause = lived.happenings.find((happening) => isCause(happening, incident))
    assert.ok(cause, `${about} has no cause, opened at ${new Date(incident.openedAt).toISOString()}`)
    const { resolvedAt } = incident
    assert.ok(resolvedAt !== undefined, `${about} was never over`)
    assert.ok(resolvedAt <= instantOf(cause.until) + 8 * dayMs, `${about} was over too late`)
    judgeTelling(world, incident, lived.happenings, about)
  }
  for (const happening of lived.happenings) {
    if (happening.what === 'power-cut') continue
    const [must] = mayBeTold[happening.what]
    const own = incidents.filter((incident) => incident.kind === must && isCause(happening, incident))
    assert.ok(own.length > 0, `nobody was told of the ${happening.what} of ${happening.from}`)
    const subjects = own.map(({ project, vault }) => `${project} ${vault}`)
    assert.deepEqual(subjects, [...new Set(subjects)], `the ${happening.what} of ${happening.from} was told twice`)
  }
  return incidents.length
}

function isCause({ what, from, until }: Happening, { kind, openedAt }: Incident): boolean {
  if (!mayBeTold[what].includes(kind)) return false
  // a project that is late was late before it is seen
  return openedAt >= instantOf(from) && openedAt <= instantOf(until) + longestRetryMs + lookMs
}

interface WebhookMessage {
  readonly type: string
  readonly incidents: readonly string[]
  readonly timestamp: string
}

/** Messages of the other channel, which is never broken, and of the mail. */
function judgeTelling(world: World, incident: Incident, happenings: readonly Happening[], about: string): void {
  const messages = world.receiver.arrived.map(({ body }) => JSON.parse(body) as WebhookMessage)
  const told = (type: string): WebhookMessage[] =>
    messages.filter((message) => message.type === `bewaar.${type}` && message.incidents.includes(incident.id))
  const opened = told('opened')
  const lasted = incident.resolvedAt! - incident.openedAt
  const mayBeSilent = lasted <= graceMs(incident) + lookMs
  assert.ok(opened.length === 1 || (opened.length === 0 && mayBeSilent), `${about} was told ${opened.length} times`)
  assert.equal(told('resolved').length, opened.length, `the end of ${about} was not told once`)
  if (opened.length === 0) return
  // because a machine that is off tells nobody
  const offMs = happenings
    .filter(({ what }) => what === 'power-cut')
    .filter(
      ({ from }) =>
        instantOf(from) >= incident.openedAt && instantOf(from) <= incident.openedAt + graceMs(incident) + lookMs,
    )
    .reduce((sum, { from, until }) => sum + instantOf(until) - instantOf(from), 0)
  const after = Date.parse(opened[0]!.timestamp) - incident.openedAt
  assert.ok(
    after <= graceMs(incident) + lookMs + offMs,
    `${about} was told after ${Math.round(after / minuteMs)} minutes`,
  )
  const end = Date.parse(told('resolved')[0]!.timestamp) - incident.resolvedAt!
  assert.ok(
    end <= reopenMs + 2 * lookMs + offMs,
    `the end of ${about} was told after ${Math.round(end / minuteMs)} minutes`,
  )
}

/** One a day, but for the first, and the days on which the machine was off; late ones when the mail was broken. */
function judgeDigests({ mailServer }: World, { from, until, happenings }: Lived): number {
  const subjects = mailServer.arrived.map(({ headers }) => decodeWords(headers.get('subject') ?? ''))
  const digests = subjects.filter((subject) => /Dagelijks back-uprapport/.test(subject))
  const days = digests.map((subject) => /\d{4}-\d\d-\d\d/.exec(subject)?.[0] ?? '')
  assert.deepEqual(days, [...new Set(days)], 'a digest came twice')
  const start = Temporal.PlainDate.from(from)
  const count = start.until(Temporal.PlainDate.from(until)).days
  const off = happenings
    .filter(({ what }) => what === 'power-cut' || what === 'broken-mail')
    .reduce((sum, { from, until }) => sum + Math.ceil((instantOf(until) - instantOf(from)) / dayMs), 0)
  assert.ok(digests.length >= count - 1 - off, `${digests.length} digests in ${count} days`)
  const ids = mailServer.arrived.map(({ headers }) => headers.get('message-id'))
  assert.deepEqual(ids, [...new Set(ids)], 'a mail came twice')
  return digests.length
}

interface ResticSnapshot {
  readonly time: string
  readonly tags?: readonly string[]
}

/** Sound for stock restic; nothing is kept too short, and what is past its term has gone. */
async function judgeVaults(world: World, catalog: Catalog, { until }: Lived): Promise<void> {
  const now = instantOf(until)
  for (const project of Object.keys(schedules)) {
    const runs = (await catalog.runs.list({ project })).filter(({ snapshot }) => snapshot !== undefined)
    const local = await snapshotsOf(world, world.place.at('disk/vault', project))
    const other = project === 'aimtrack' ? world.place.at('b2', project) : join(world.box.folder, project)
    const archive = await snapshotsOf(world, other)
    const latestCopy = Math.max(...archive.map(({ time }) => Date.parse(time)))
    for (const { id, startedAt } of runs) {
      const isIn = (snapshots: readonly ResticSnapshot[]): boolean =>
        snapshots.some(({ tags }) => tags?.includes(`run:${id}`))
      const isRecent = project === 'aimtrack' ? startedAt > now - 6 * dayMs : startedAt > now - 30 * dayMs
      assert.ok(!isRecent || isIn(local), `the run ${id} of ${project} is not in local any more`)
      const isCopied = startedAt <= latestCopy
      assert.ok(!isCopied || isIn(archive), `the run ${id} of ${project} is not in the archive any more`)
    }
    const tooOld = local.filter(({ time }) => Date.parse(time) < now - (project === 'aimtrack' ? 95 : 33) * dayMs)
    const mayStay = schedules[project]!.weekday === undefined ? 1 : 2 // the newest that was read back in full, for one
    assert.ok(tooOld.length <= mayStay, `${project} keeps ${tooOld.length} in local that are past their term`)
  }
}

async function snapshotsOf({ disk, place }: World, repository: string): Promise<ResticSnapshot[]> {
  const [enter, ...rest] = disk.under
  const restic = (...args: string[]): Promise<string> =>
    runProgram(enter!, [...rest, 'restic', '--no-cache', '--repo', repository, ...args], {
      env: { ...process.env, RESTIC_PASSWORD_FILE: place.at('vault.password') },
    })
  await restic('check')
  return JSON.parse(await restic('--no-lock', 'snapshots', '--json')) as ResticSnapshot[]
}
