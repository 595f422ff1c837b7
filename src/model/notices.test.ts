import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { channelNames, type ChannelName, type Route } from './configuration.ts'
import type { Delivery } from './delivery.ts'
import { troubleKinds, type Incident, type TroubleKind } from './incident.ts'
import { bundleNotices, dueNotices, graceMs, nextAttemptAt, reminderDistanceMs, routedChannels } from './notices.ts'
import { reopenMs } from './plan-incidents.ts'
import { criticalities, type Criticality } from './project.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const start = Date.UTC(2026, 10, 22)

function incident(changes: Partial<Incident> = {}): Incident {
  return {
    id: 'i-1',
    kind: 'failed',
    project: 'shop',
    criticality: 'critical',
    text: 'the disk is gone',
    advice: 'Look.',
    openedAt: start,
    seenAt: start,
    timeline: [],
    ...changes,
  }
}

/** Tells minute by minute, as the use case does; a channel of `down` fails. */
class Telling {
  readonly deliveries: Delivery[] = []
  readonly log: { readonly at: number; readonly what: string }[] = []
  incidents: Incident[] = []
  routes: readonly Route[] = []
  down: readonly ChannelName[] = []
  readonly #channels: readonly ChannelName[]

  constructor(channels: readonly ChannelName[]) {
    this.#channels = channels
  }

  round(now: number): void {
    const failing = this.down
    const { incidents, deliveries, routes } = this
    for (const { incident, notice, channel } of dueNotices({
      incidents,
      deliveries,
      channels: this.#channels,
      routes,
      failing,
      now,
    })) {
      const key = { about: incident.id, notice, channel }
      const index = deliveries.findIndex(
        (one) => one.about === key.about && one.notice === notice && one.channel === channel,
      )
      const before: Delivery = deliveries[index] ?? {
        ...key,
        message: '',
        criticality: incident.criticality,
        plannedAt: now,
        attempts: 0,
        nextAt: now,
      }
      assert.equal(before.sentAt ?? before.endedAt, undefined, 'what is done is not due')
      if (before.nextAt > now) continue
      const tried = { ...before, criticality: incident.criticality, attempts: before.attempts + 1 }
      if (index >= 0) deliveries.splice(index, 1)
      if (this.down.includes(channel)) {
        const nextAt = nextAttemptAt(before, true, now, 0.5)
        deliveries.push({ ...tried, error: 'down', ...(nextAt === undefined ? { endedAt: now } : { nextAt }) })
      } else {
        const { error: _, ...well } = tried
        deliveries.push({ ...well, sentAt: now })
        this.log.push({ at: now, what: `${incident.id} ${notice} ${channel}` })
      }
    }
  }

  run(from: number, to: number, step = minute): void {
    for (let now = from; now <= to; now += step) this.round(now)
  }

  said(): string[] {
    return this.log.map(({ at, what }) => `${Math.round((at - start) / minute)}: ${what}`)
  }
}

test('an incident is told at once to every channel, once, and its end to the same ones when it cannot come back', () => {
  const telling = new Telling(['mail', 'slack'])
  telling.incidents = [incident()]
  telling.run(start, start + 30 * minute)
  telling.incidents = [incident({ resolvedAt: start + 30 * minute })]
  telling.run(start + 30 * minute, start + 120 * minute)
  assert.deepEqual(telling.said(), [
    '0: i-1 opened mail',
    '0: i-1 opened slack',
    '46: i-1 resolved mail',
    '46: i-1 resolved slack',
  ])
})

test('what a person ended is told at once', () => {
  const telling = new Telling(['mail'])
  telling.incidents = [incident()]
  telling.round(start)
  telling.incidents = [incident({ resolvedAt: start + minute, resolvedBy: 'anna@host' })]
  telling.round(start + minute)
  assert.deepEqual(telling.said(), ['0: i-1 opened mail', '1: i-1 resolved mail'])
})

test('a failed copy that the next try mends is told to nobody, and one that stays is, after its grace', () => {
  for (const [criticality, minutes] of [
    ['critical', 5],
    ['high', 15],
    ['medium', 30],
    ['low', 30],
  ] as const) {
    const telling = new Telling(['mail'])
    telling.incidents = [incident({ kind: 'copy-failed', criticality })]
    telling.run(start, start + minutes * minute)
    assert.deepEqual(telling.said(), [`${minutes}: i-1 opened mail`])
    const mended = new Telling(['mail'])
    mended.incidents = [incident({ kind: 'copy-failed', criticality })]
    mended.run(start, start + (minutes - 1) * minute)
    mended.incidents = [incident({ kind: 'copy-failed', criticality, resolvedAt: start + (minutes - 1) * minute })]
    mended.run(start + minutes * minute, start + 2 * hour)
    assert.deepEqual(mended.said(), [])
  }
})

test('reminders come after an hour, 4 hours, a day, 3 days and then each week, until somebody is on it', () => {
  const hoursOf = (criticality: Criticality): number[] => {
    const telling = new Telling(['mail'])
    telling.incidents = [incident({ criticality })]
    telling.run(start, start + 26 * day, 10 * minute)
    const acknowledged = incident({ criticality, acknowledgedAt: start + 26 * day })
    telling.incidents = [acknowledged]
    telling.run(start + 26 * day, start + 50 * day, 10 * minute)
    return telling.log.map(({ at }) => (at - start) / hour)
  }
  assert.deepEqual(hoursOf('critical'), [0, 1, 5, 29, 101, 269, 437, 605])
  assert.deepEqual(hoursOf('low'), [0, 24, 96, 264, 432, 600])
})

test('after a week without power there is one reminder, not seven', () => {
  const telling = new Telling(['mail'])
  telling.incidents = [incident()]
  telling.round(start)
  telling.run(start + 7 * day, start + 7 * day + 50 * minute)
  assert.deepEqual(telling.said(), ['0: i-1 opened mail', '10080: i-1 reminder-1 mail'])
})

test('what becomes graver is told at once, also when somebody is on it; what becomes milder is not', () => {
  const telling = new Telling(['mail'])
  telling.incidents = [incident({ criticality: 'medium' })]
  telling.round(start)
  const acknowledgedAt = start + minute
  telling.incidents = [incident({ criticality: 'critical', acknowledgedAt })]
  telling.run(start + minute, start + 3 * minute)
  telling.incidents = [incident({ criticality: 'low', acknowledgedAt })]
  telling.run(start + 4 * minute, start + 5 * minute)
  telling.incidents = [incident({ criticality: 'critical', acknowledgedAt })]
  telling.run(start + 6 * minute, start + 7 * minute)
  assert.deepEqual(telling.said(), ['0: i-1 opened mail', '1: i-1 worse-critical mail'])
})

test('routes choose by criticality and kind; what no route matches goes to all, as does what is routed to nobody', () => {
  const channels: readonly ChannelName[] = ['mail', 'slack', 'ntfy']
  const routes: readonly Route[] = [
    { criticality: ['critical', 'high'], to: ['mail', 'slack'] },
    { kind: ['incomplete'], to: ['mail'] },
    { kind: ['weak'], to: ['discord'] },
  ]
  const to = (kind: TroubleKind, criticality: Criticality): string =>
    routedChannels({ kind, criticality }, channels, routes).join()
  assert.equal(to('failed', 'critical'), 'mail,slack')
  assert.equal(to('incomplete', 'low'), 'mail')
  assert.equal(to('incomplete', 'high'), 'mail,slack')
  assert.equal(to('failed', 'low'), 'mail,slack,ntfy')
  assert.equal(to('weak', 'low'), 'mail,slack,ntfy')
})

test('while its only channel fails an alarm goes to another one, and to its own when that works again', () => {
  const telling = new Telling(['mail', 'slack'])
  telling.routes = [{ to: ['mail'] }]
  telling.incidents = [incident()]
  telling.down = ['mail']
  telling.run(start, start + 10 * minute)
  assert.deepEqual(telling.said(), ['1: i-1 opened slack'])
  telling.down = []
  telling.run(start + 11 * minute, start + 40 * minute)
  assert.deepEqual(telling.said(), ['1: i-1 opened slack', '15: i-1 opened mail'])
})

test('what nobody could be told before it was over is told then', () => {
  const telling = new Telling(['mail'])
  telling.incidents = [incident()]
  telling.down = ['mail']
  telling.run(start, start + hour)
  telling.incidents = [incident({ resolvedAt: start + hour })]
  telling.run(start + hour, start + 2 * hour)
  telling.down = []
  telling.run(start + 2 * hour, start + 5 * hour)
  assert.deepEqual(
    telling.log.map(({ what }) => what),
    ['i-1 resolved mail'],
  )
})

test('that a channel fails is told by those that work, and by none when all fail', () => {
  const telling = new Telling(['mail', 'slack', 'ntfy'])
  telling.routes = [{ kind: ['channel'], to: ['mail'] }]
  telling.incidents = [incident({ kind: 'channel', criticality: 'high' })]
  telling.down = ['mail', 'slack']
  telling.run(start, start + 10 * minute)
  assert.deepEqual(telling.said(), ['0: i-1 opened ntfy'])
})

test('many at once are one message for people, and one each for machines', () => {
  const due = (['mail', 'webhook'] as const).flatMap((channel) =>
    Array.from({ length: 40 }, (_, index) => ({ notice: 'opened' as const, channel, index })),
  )
  assert.deepEqual(
    bundleNotices(due).map((bundle) => bundle.length),
    [40, ...Array<number>(40).fill(1)],
  )
  assert.deepEqual(
    bundleNotices(due.slice(0, 3)).map((bundle) => bundle.length),
    [1, 1, 1],
  )
})

test('what still waits goes along when one of the same kind at the same vault is told', () => {
  const copyOf = (id: string, minutes: number, vault: string): Incident =>
    incident({ id, kind: 'copy-failed', criticality: 'high', vault, openedAt: start + minutes * minute })
  const telling = new Telling(['mail'])
  telling.incidents = [copyOf('i-1', 0, 'box'), copyOf('i-2', 10, 'box'), copyOf('i-3', 10, 'b2')]
  telling.run(start + 10 * minute, start + 16 * minute)
  assert.deepEqual(telling.said(), ['15: i-1 opened mail', '15: i-2 opened mail'])
})

test('a failed attempt is repeated later each time, up to an hour, and given up after a day', () => {
  const after = (attempts: number, mayPass = true, chance = 0.5): number =>
    nextAttemptAt({ plannedAt: start, attempts }, mayPass, start, chance)! - start
  assert.deepEqual(
    [0, 1, 2, 3, 6, 50].map((attempts) => after(attempts) / minute),
    [1, 2, 4, 8, 60, 60],
  )
  assert.deepEqual([after(0, false) / hour, after(0, true, 0) / 1000, after(0, true, 1) / 1000], [1, 54, 66])
  assert.equal(nextAttemptAt({ plannedAt: start, attempts: 30 }, true, start + day, 0.5), undefined)
})

const life = fc.record({
  kind: fc.constantFrom(...troubleKinds.filter((kind) => kind !== 'channel')),
  criticality: fc.constantFrom(...criticalities),
  opened: fc.integer({ min: 0, max: 600 }),
  lasts: fc.option(fc.integer({ min: 0, max: 6000 }), { nil: undefined }),
  acknowledged: fc.option(fc.integer({ min: 0, max: 3000 }), { nil: undefined }),
  isEndedByPerson: fc.boolean(),
})
const route = fc.record({
  criticality: fc.subarray([...criticalities], { minLength: 1 }),
  to: fc.subarray([...channelNames], { minLength: 1 }),
})

test('each incident is told within its promised time once, each end once to who heard, and no reminder is nearer than the one before', () => {
  fc.assert(
    fc.property(
      fc.array(life, { maxLength: 6 }),
      fc.array(route, { maxLength: 3 }),
      fc.subarray([...channelNames], { minLength: 1 }),
      (lives, routes, channels) => {
        const telling = new Telling(channels)
        telling.routes = routes
        const step = 5 * minute
        const end = start + 8000 * minute
        const at = (minutes: number): number => start + Math.floor(minutes / 5) * step
        for (let now = start; now <= end; now += step) {
          telling.incidents = lives.flatMap(
            ({ kind, criticality, opened, lasts, acknowledged, isEndedByPerson }, index) => {
              const [openedAt, resolvedAt] = [at(opened), lasts === undefined ? undefined : at(opened + lasts)]
              const acknowledgedAt = acknowledged === undefined ? undefined : at(opened + acknowledged)
              if (openedAt > now) return []
              return incident({
                id: `i-${index}`,
                kind,
                criticality,
                project: `p${index}`,
                openedAt,
                ...(acknowledgedAt !== undefined && acknowledgedAt <= now && { acknowledgedAt }),
                ...(resolvedAt !== undefined &&
                  resolvedAt <= now && { resolvedAt, ...(isEndedByPerson && { resolvedBy: 'anna' }) }),
              })
            },
          )
          telling.round(now)
        }
        for (const [index, { kind, criticality, opened, lasts, acknowledged, isEndedByPerson }] of lives.entries()) {
          const own = telling.log.filter(({ what }) => what.startsWith(`i-${index} `))
          const [openedAt, resolvedAt] = [at(opened), lasts === undefined ? Infinity : at(opened + lasts)]
          const told = openedAt + graceMs({ kind, criticality })
          const routed = routedChannels({ kind, criticality }, channels, routes)
          for (const channel of channels) {
            const moments = own.filter(({ what }) => what.endsWith(` ${channel}`))
            const of = (notice: string): number[] =>
              moments.filter(({ what }) => what.includes(` ${notice}`)).map((one) => one.at)
            const isTold = routed.includes(channel) && told < resolvedAt
            // one that waits may go along with another of its kind before its time, and never after it
            if (isTold) assert.ok(of('opened').length === 1 && of('opened')[0]! <= told)
            if (!routed.includes(channel)) assert.deepEqual(moments, [])
            assert.ok(of('opened').length <= 1)
            const heard = of('opened').length === 1
            assert.equal(of('resolved').length, heard && resolvedAt < Infinity ? 1 : 0)
            if (heard && resolvedAt < Infinity) {
              assert.ok(of('resolved')[0]! <= resolvedAt + (isEndedByPerson ? 0 : reopenMs + step))
            }
            const reminders = of('reminder')
            if (reminders.length > 0) assert.ok(heard)
            const distances = [...of('opened'), ...reminders]
              .slice(1)
              .map((moment, place) => moment - [...of('opened'), ...reminders][place]!)
            for (const [place, distance] of distances.entries()) {
              assert.ok(distance >= reminderDistanceMs(place + 1, criticality))
              if (place > 0) assert.ok(distance >= distances[place - 1]!)
            }
            const quietFrom = acknowledged === undefined ? Infinity : at(opened + acknowledged)
            assert.ok(reminders.every((moment) => moment < resolvedAt && moment < quietFrom))
          }
        }
      },
    ),
    { numRuns: Number(process.env['BEWAAR_RUNS'] ?? 25) },
  )
})
