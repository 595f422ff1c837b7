import assert from 'node:assert/strict'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { planRetention, type RetainedSnapshot, type RetentionCase } from './plan-retention.ts'
import { caseOf, keptIn, keptOf, type WrittenPolicy } from './retention-scene.ts'

const hourMs = 3_600_000
const begin = Date.UTC(2023, 0, 1)
/** Among others around changes of the clock, the end of years and a leap day. */
const times = fc.oneof(
  fc.integer({ min: 0, max: 3 * 365 * 24 }).map((hours) => begin + hours * hourMs),
  fc
    .tuple(
      fc.constantFrom('2023-03-26', '2023-10-29', '2023-12-31', '2024-02-28', '2024-12-29', '2025-03-30'),
      fc.integer({ min: 0, max: 72 }),
    )
    .map(([day, hours]) => Date.parse(day) + hours * hourMs),
)
const now = begin + 3 * 365 * 24 * hourMs
const zones = fc.constantFrom('Europe/Amsterdam', 'UTC', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe')
const count = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined, freq: 2 })
const term = fc.option(fc.constantFrom('20 hours', '9 days', '3 weeks', '5 months', '1 year', '2 years'), { freq: 2 })

const policies: fc.Arbitrary<WrittenPolicy> = fc
  .record({
    last: count,
    hourly: count,
    daily: count,
    weekly: count,
    monthly: count,
    yearly: count,
    within: term,
    for: term,
  })
  .map((rules) =>
    Object.fromEntries(Object.entries(rules).filter(([, value]) => value !== undefined && value !== null)),
  )

/** Runs in the order of their numbers. Most clocks are right; some are ahead or behind for a while. */
const runs = fc
  .tuple(
    fc.array(fc.record({ time: times, isComplete: fc.boolean(), isVerified: fc.boolean() }), { maxLength: 25 }),
    fc.array(fc.tuple(fc.nat(24), fc.oneof(fc.constant(0), times, fc.constant(now + 1e10))), { maxLength: 3 }),
  )
  .map(([list, wrong]) => {
    const sorted = list.toSorted((a, b) => a.time - b.time)
    for (const [index, time] of wrong) if (sorted[index]) sorted[index] = { ...sorted[index], time }
    return sorted.map(({ time, isComplete, isVerified }, index): RetainedSnapshot => ({
      id: `s${index}`,
      claimedAt: time,
      seenAt: time,
      made: { number: index + 1, at: time, isComplete },
      isVerified,
    }))
  })
const foreigners = fc
  .array(
    fc.record({
      claimedAt: fc.oneof(times, fc.constant(0), fc.constant(now + 1e12)),
      seenAt: times,
      isVerified: fc.boolean(),
    }),
    { maxLength: 6 },
  )
  .map((list) => list.map((one, index): RetainedSnapshot => ({ id: `f${index}`, ...one })))

const cases: fc.Arbitrary<RetentionCase> = fc
  .tuple(policies, runs, foreigners, zones)
  .map(([policy, made, others, timezone]) => caseOf(policy, [...made, ...others], now, { timezone }))

const options = { numRuns: Number(process.env['RETENTION_RUNS'] ?? 300) }

test('nothing goes before its term is over, for whatever time it is believed to have', () => {
  fc.assert(
    fc.property(cases, (situation) => {
      for (const { time, reasons } of planRetention(situation)) {
        if (reasons.length > 0) continue
        for (const duty of [situation.policy!.for, situation.policy!.within]) {
          if (!duty) continue
          const end = Temporal.Instant.fromEpochMilliseconds(time)
            .toZonedDateTimeISO(situation.timezone)
            .add({ [`${duty.unit}s`]: duty.amount })
          assert.ok(end.epochMilliseconds <= now)
        }
      }
    }),
    options,
  )
})

test('a foreign snapshot that is added takes the protection of no other', () => {
  fc.assert(
    fc.property(
      cases,
      fc.array(fc.record({ claimedAt: times, seenAt: times, isVerified: fc.boolean() })),
      (situation, more) => {
        const added = more.map((one, index) => ({ ...one, id: `added${index}` }))
        const after = new Set(keptOf({ ...situation, snapshots: [...situation.snapshots, ...added] }))
        for (const id of keptOf(situation)) assert.ok(after.has(id), id)
      },
    ),
    options,
  )
})

test('a backup of our own takes protection only from those before it, whose time is not after its own', () => {
  fc.assert(
    fc.property(
      cases,
      fc.oneof(times, fc.constant(now + 1e10), fc.constant(0)),
      fc.boolean(),
      (situation, at, isComplete) => {
        const number = 1 + situation.snapshots.length
        const added = { id: 'added', claimedAt: at, seenAt: at, made: { number, at, isComplete }, isVerified: true }
        const after = new Set(keptOf({ ...situation, snapshots: [...situation.snapshots, added] }))
        for (const { snapshot, time, reasons } of planRetention(situation)) {
          if (reasons.length === 0 || after.has(snapshot.id)) continue
          assert.ok(time <= at && at <= now, `${snapshot.id} of ${time} went by one of ${at}`)
          assert.ok(isComplete || snapshot.made?.isComplete === false)
        }
      },
    ),
    options,
  )
})

test('what was planned once and performed leaves nothing to do', () => {
  fc.assert(
    fc.property(cases, (situation) => {
      const judged = planRetention(situation)
      const kept = new Set(keptIn(judged))
      const left = { ...situation, snapshots: situation.snapshots.filter(({ id }) => kept.has(id)) }
      assert.deepEqual(keptOf(left).toSorted(), [...kept].toSorted())
    }),
    options,
  )
})

test('when some of what goes has gone, the rest of it still goes and nothing else does', () => {
  fc.assert(
    fc.property(cases, fc.infiniteStream(fc.boolean()), (situation, chance) => {
      const kept = new Set(keptOf(situation))
      const left = situation.snapshots.filter(({ id }) => kept.has(id) || chance.next().value)
      const after = new Set(keptOf({ ...situation, snapshots: left }))
      for (const id of kept) assert.ok(after.has(id), id)
    }),
    options,
  )
})

test('a hold keeps what it is about', () => {
  fc.assert(
    fc.property(cases, fc.nat(30), fc.boolean(), (situation, index, isOfOne) => {
      const id = situation.snapshots[index]?.id ?? 'none'
      const hold = { id: 'h-000001', project: 'shop', reason: 'audit', beganAt: now, who: 'anna@host' }
      const holds = [isOfOne ? { ...hold, snapshot: id } : hold]
      const kept = new Set(keptOf({ ...situation, holds }))
      for (const one of situation.snapshots) if (!isOfOne || one.id === id) assert.ok(kept.has(one.id))
    }),
    options,
  )
})

test('the newest whole backup, the newest verified one and the newest at all stay', () => {
  fc.assert(
    fc.property(cases, (situation) => {
      const kept = new Set(keptOf(situation))
      const made = situation.snapshots.filter((one) => one.made && one.made.at <= now)
      const newest = made.at(-1)
      if (newest) assert.ok(kept.has(newest.id))
      const whole = made.findLast((one) => one.made!.isComplete)
      if (whole) assert.ok(kept.has(whole.id))
      const verified = made.findLast((one) => one.isVerified)
      if (verified) assert.ok(kept.has(verified.id))
    }),
    options,
  )
})
