import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { type Hold } from './hold.ts'
import { planRetention } from './plan-retention.ts'
import { amsterdam, caseOf, dailies, foreign, keptOf, made, moment, whyOf } from './retention-scene.ts'

const dayMs = 86_400_000
const hourMs = 3_600_000

/** The days of those that stay, oldest first. */
function daysKept(situation: Parameters<typeof planRetention>[0]): string[] {
  const kept = planRetention(situation).filter(({ reasons }) => reasons.length > 0)
  const day = (time: number): string =>
    Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(situation.timezone).toPlainDate().toString()
  return kept.map(({ time }) => day(time)).toReversed()
}

describe('rules that count', () => {
  test('seven daily, four weekly and three monthly backups of half a year', () => {
    // 2026-11-22 is a Sunday
    const situation = caseOf(
      { daily: 7, weekly: 4, monthly: 3 },
      dailies('2026-11-22T03:00', 180),
      moment('2026-11-22T05:00'),
    )
    assert.deepEqual(daysKept(situation), [
      '2026-09-30',
      '2026-10-31',
      '2026-11-01',
      '2026-11-08',
      '2026-11-15',
      '2026-11-16',
      '2026-11-17',
      '2026-11-18',
      '2026-11-19',
      '2026-11-20',
      '2026-11-21',
      '2026-11-22',
    ])
    const why = whyOf(situation)
    assert.equal(why['s0180'], 'daily 1 of 7; weekly 1 of 4; monthly 1 of 3; newest')
    assert.equal(why['s0174'], 'daily 7 of 7')
    assert.equal(why['s0173'], 'weekly 2 of 4')
    assert.equal(why['s0158'], 'monthly 2 of 3')
    assert.equal(why['s0157'], '')
  })

  test('a day without a backup takes no place', () => {
    const snapshots = dailies('2026-11-22T03:00', 30).filter(({ made }) => made!.number <= 10 || made!.number > 27)
    assert.deepEqual(daysKept(caseOf({ daily: 5 }, snapshots, moment('2026-11-22T05:00'))), [
      '2026-11-01',
      '2026-11-02',
      '2026-11-20',
      '2026-11-21',
      '2026-11-22',
    ])
  })

  test('of one period the newest stays', () => {
    const hourly = Array.from({ length: 72 }, (_, nth) => made(nth + 1, moment('2026-11-20T00:30') + nth * hourMs))
    assert.deepEqual(keptOf(caseOf({ daily: 2 }, hourly, hourly.at(-1)!.claimedAt)), ['s0048', 's0072'])
    assert.deepEqual(keptOf(caseOf({ hourly: 2 }, hourly, hourly.at(-1)!.claimedAt)), ['s0071', 's0072'])
    assert.deepEqual(keptOf(caseOf({ last: 3 }, hourly, hourly.at(-1)!.claimedAt)), ['s0070', 's0071', 's0072'])
  })

  test('an hour that comes twice in autumn is two, and one that is left out in spring takes no place', () => {
    const autumn = Array.from({ length: 6 }, (_, nth) => made(nth + 1, Date.UTC(2026, 9, 24, 22, 30) + nth * hourMs))
    // 00:30, 01:30, 02:30, 02:30 again, 03:30, 04:30
    assert.deepEqual(keptOf(caseOf({ hourly: 4 }, autumn, autumn.at(-1)!.claimedAt)), [
      's0003',
      's0004',
      's0005',
      's0006',
    ])
    const spring = Array.from({ length: 4 }, (_, nth) => made(nth + 1, Date.UTC(2026, 2, 28, 23, 30) + nth * hourMs))
    // 00:30, 01:30, 03:30, 04:30
    assert.deepEqual(keptOf(caseOf({ hourly: 3 }, spring, spring.at(-1)!.claimedAt)), ['s0002', 's0003', 's0004'])
  })

  test('days are those of the time zone', () => {
    const late = made(1, Date.UTC(2026, 10, 21, 22, 30))
    const later = made(2, Date.UTC(2026, 10, 21, 23, 30))
    const now = Date.UTC(2026, 10, 22, 12)
    assert.deepEqual(keptOf(caseOf({ daily: 2 }, [late, later], now)), ['s0001', 's0002'])
    assert.deepEqual(keptOf(caseOf({ daily: 2 }, [late, later], now, { timezone: 'UTC' })), ['s0002'])
  })

  test('week 53 and the first week of a year are the weeks of ISO 8601', () => {
    // 2026-12-31 and 2027-01-03 are in week 53 of 2026, 2027-01-04 is in week 1
    const at = ['2026-12-27', '2026-12-31', '2027-01-03', '2027-01-04'].map((day) => moment(`${day}T03:00`))
    const snapshots = at.map((time, nth) => made(nth + 1, time))
    assert.deepEqual(keptOf(caseOf({ weekly: 9 }, snapshots, moment('2027-01-04T05:00'))), ['s0001', 's0003', 's0004'])
    assert.deepEqual(keptOf(caseOf({ yearly: 9 }, snapshots, moment('2027-01-04T05:00'))), ['s0002', 's0004'])
  })

  test('a backup in which something is missing pushes out none that is whole', () => {
    const snapshots = dailies('2026-11-22T03:00', 10).map((one) =>
      one.made!.number <= 4 ? one : { ...one, made: { ...one.made!, isComplete: false } },
    )
    assert.deepEqual(keptOf(caseOf({ daily: 3 }, snapshots, moment('2026-11-22T05:00'))), [
      's0002',
      's0003',
      's0004',
      's0008',
      's0009',
      's0010',
    ])
  })
})

describe('terms', () => {
  test('thirty days last to the end of the thirtieth', () => {
    const snapshots = dailies('2026-12-31T03:00', 60)
    const ids = (now: string): string => keptOf(caseOf({ within: '30 days' }, snapshots, moment(now)))[0]!
    // 2026-11-22 is the 21st of them
    assert.equal(ids('2026-12-22T23:59:59'), 's0021')
    assert.equal(ids('2026-12-23T00:00'), 's0022')
  })

  test('seven years last to the end of the calendar year: of 2022 to 31-12-2029, and no longer', () => {
    const invoice = made(1, moment('2022-03-14T03:00'))
    const newest = made(2, moment('2029-12-31T03:00'))
    const at = (now: string) => whyOf(caseOf({ for: '7 years' }, [invoice, newest], moment(now)))['s0001']
    assert.equal(at('2029-12-31T23:59:59'), 'for 7 years, until 2030-01-01')
    assert.equal(at('2030-01-01T00:00'), '')
  })

  test('the year is that of the books, not that of Greenwich', () => {
    const atNewYear = made(1, Date.UTC(2022, 11, 31, 23, 30))
    const newest = made(2, moment('2030-05-31T03:00'))
    const at = (timezone: string, now: string) =>
      keptOf(caseOf({ for: '7 years' }, [atNewYear, newest], moment(now, timezone), { timezone })).length
    assert.equal(at(amsterdam, '2030-06-01T00:00'), 2)
    assert.equal(at('UTC', '2030-06-01T00:00'), 1)
  })

  test('a leap day and the last of a month end with the month', () => {
    const leapDay = made(1, moment('2028-02-29T03:00'))
    const january = made(2, moment('2029-01-31T03:00'))
    const newest = made(3, moment('2029-02-28T03:00'))
    const at = (policy: Parameters<typeof caseOf>[0], now: string): string[] =>
      keptOf(caseOf(policy, [leapDay, january, newest], moment(now)))
    assert.deepEqual(at({ within: '12 months' }, '2029-02-28T23:00'), ['s0001', 's0002', 's0003'])
    assert.deepEqual(at({ within: '12 months' }, '2029-03-01T00:00'), ['s0002', 's0003'])
    assert.deepEqual(at({ within: '1 month' }, '2029-02-28T23:00'), ['s0002', 's0003'])
    assert.deepEqual(at({ within: '1 month' }, '2029-03-01T00:00'), ['s0003'])
    assert.deepEqual(at({ for: '1 year' }, '2029-12-31T23:00'), ['s0001', 's0002', 's0003'])
    assert.deepEqual(at({ for: '1 year' }, '2030-01-01T00:00'), ['s0002', 's0003'])
  })

  test('a day of 23 or 25 hours is a day', () => {
    const before = made(1, moment('2026-10-24T12:00'))
    const newest = made(2, moment('2026-10-25T12:00'))
    const at = (now: string): number => keptOf(caseOf({ within: '1 day' }, [before, newest], moment(now))).length
    assert.equal(at('2026-10-25T23:59'), 2)
    assert.equal(at('2026-10-26T00:00'), 1)
  })
})

describe('times', () => {
  const now = moment('2026-11-22T05:00')

  test('forged snapshots push out nothing, whatever they claim and however many they are', () => {
    const ours = dailies('2026-11-22T03:00', 20)
    const policies = [{ daily: 7 }, { last: 5 }, { weekly: 3, hourly: 4 }, { within: '10 days' }] as const
    for (const policy of policies) {
      const before = keptOf(caseOf(policy, ours, now))
      const claims = [0, now - 400 * dayMs, now - 3 * hourMs, now, now + dayMs, Date.UTC(2099, 0, 1)]
      const forged = claims.flatMap((claim, nth) =>
        Array.from({ length: 10 }, (_, copy) => foreign(`f${nth}-${copy}`, claim + copy * dayMs, now - hourMs)),
      )
      const after = keptOf(caseOf(policy, [...ours, ...forged], now))
      assert.deepEqual(
        after.filter((id) => id.startsWith('s')),
        before,
      )
    }
  })

  test('a foreign snapshot counts at what it claims, but never later than it was first seen, nor after now', () => {
    const snapshots = [
      made(1, moment('2026-11-22T03:00')),
      foreign('early', 0, now),
      foreign('true', moment('2026-11-10T03:00')),
      foreign('late', Date.UTC(2099, 0, 1), moment('2026-10-01T03:00')),
      foreign('unseen', Date.UTC(2099, 0, 1), Date.UTC(2099, 0, 1)),
    ]
    const why = whyOf(caseOf({ within: '30 days' }, snapshots, now))
    assert.deepEqual(why, {
      s0001: 'within 30 days; newest',
      early: '',
      true: 'within 30 days',
      late: '',
      unseen: 'within 30 days; newest',
    })
  })

  test('after a catalog was rebuilt everything stays until there are enough new backups', () => {
    const old = dailies('2026-11-15T03:00', 40).map(({ id, claimedAt }) =>
      foreign(id, claimedAt, moment('2026-11-15T12:00')),
    )
    const policy = { daily: 7 }
    assert.equal(keptOf(caseOf(policy, old, now)).length, 40)
    const own = dailies('2026-11-22T03:00', 7).map((one) => ({ ...one, id: `n${one.made!.number}` }))
    assert.equal(keptOf(caseOf(policy, [...old, ...own.slice(0, 6)], moment('2026-11-21T05:00'))).length, 46)
    assert.deepEqual(keptOf(caseOf(policy, [...old, ...own], now)).toSorted(), [
      'n1',
      'n2',
      'n3',
      'n4',
      'n5',
      'n6',
      'n7',
    ])
  })

  test('a weekly copy that brings seven dailies at once brings seven days', () => {
    const seenAt = moment('2026-11-22T06:00')
    const copies = dailies('2026-11-22T03:00', 7).map((one) => ({ ...one, seenAt }))
    assert.equal(keptOf(caseOf({ daily: 7 }, copies, moment('2026-11-22T07:00'))).length, 7)
  })

  test('a clock that ran ahead for a while pushes out nothing, also when its time has come', () => {
    const times = ['11-01', '11-02', '11-03', '11-09', '11-10', '11-04', '11-05', '11-06'].map((day) =>
      moment(`2026-${day}T03:00`),
    )
    const snapshots = times.map((time, nth) => made(nth + 1, time))
    const policy = { daily: 4 }
    // the fourth and fifth were made while the clock was ahead; they are after now, so they stay
    assert.deepEqual(keptOf(caseOf(policy, snapshots, moment('2026-11-06T05:00'))).toSorted(), [
      's0003',
      's0004',
      's0005',
      's0006',
      's0007',
      's0008',
    ])
    // when their time has come they displace none of those that were made after them
    assert.deepEqual(keptOf(caseOf(policy, snapshots, moment('2026-11-20T05:00'))).toSorted(), [
      's0003',
      's0004',
      's0005',
      's0006',
      's0007',
      's0008',
    ])
    assert.equal(
      whyOf(caseOf(policy, snapshots, moment('2026-11-06T05:00')))['s0004'],
      'daily 1 of 4; newest; its time is in the future',
    )
  })

  test('a clock that was behind for a while makes no backup older than the one before it', () => {
    const times = [moment('2026-11-19T03:00'), moment('2026-11-20T03:00'), 0, hourMs, moment('2026-11-22T03:00')]
    const snapshots = times.map((time, nth) => made(nth + 1, time))
    assert.deepEqual(keptOf(caseOf({ within: '30 days' }, snapshots, now)).toSorted(), [
      's0001',
      's0002',
      's0003',
      's0004',
      's0005',
    ])
    assert.deepEqual(keptOf(caseOf({ within: '1 day' }, snapshots, now)).toSorted(), ['s0005'])
  })

  test('the newest by order stays, though its clock was behind and it is not whole', () => {
    const before = made(1, moment('2026-11-22T03:00'))
    const at = moment('2026-11-22T02:00')
    const newest = made(2, at, { made: { number: 2, at, isComplete: false } })
    assert.equal(whyOf(caseOf({ last: 1 }, [before, newest], now))['s0002'], 'last 1 of 1; newest')
  })
})

describe('reasons that need no rule', () => {
  const now = moment('2026-11-22T05:00')

  test('a vault without a policy keeps everything, and says so', () => {
    const why = whyOf(caseOf(undefined, dailies('2020-01-01T03:00', 2), now))
    assert.deepEqual(why, { s0001: 'no rule for this vault', s0002: 'no rule for this vault' })
  })

  test('the newest and the newest verified stay when every term is over', () => {
    const snapshots = dailies('2020-01-10T03:00', 5).map((one, nth) => ({ ...one, isVerified: nth === 1 || nth === 2 }))
    assert.deepEqual(whyOf(caseOf({ within: '1 day' }, snapshots, now)), {
      s0005: 'newest',
      s0004: '',
      s0003: 'newest verified',
      s0002: '',
      s0001: '',
    })
  })

  test('what is never pruned stays but in a clean-up of the archive, and in term it stays in that too', () => {
    const snapshots = dailies('2026-11-22T03:00', 3).map((one, nth) =>
      nth === 0 ? made(1, moment('2015-01-01T03:00')) : one,
    )
    const policy = { for: '7 years', prune: 'never' } as const
    assert.equal(whyOf(caseOf(policy, snapshots, now))['s0001'], 'never pruned automatically')
    assert.deepEqual(keptOf(caseOf(policy, snapshots, now, { isArchiveCleanup: true })), ['s0002', 's0003'])
    assert.equal(keptOf(caseOf({ prune: 'never' }, snapshots, now, { isArchiveCleanup: true })).length, 3)
  })

  test('what waits for its copy stays', () => {
    const snapshots = dailies('2026-11-22T03:00', 3).map((one, nth) =>
      nth === 0 ? { ...one, awaitedBy: ['b2'] } : one,
    )
    assert.deepEqual(whyOf(caseOf({ last: 1 }, snapshots, now)), {
      s0003: 'last 1 of 1; newest',
      s0002: '',
      s0001: 'not copied to b2 yet',
    })
  })

  test('what is locked is kept until its lock ends, reckoned from when it was received', () => {
    const copied = made(1, moment('2026-10-01T03:00'), { seenAt: moment('2026-10-10T03:00') })
    const snapshots = [copied, made(2, moment('2026-10-20T03:00'))]
    const policy = { within: '10 days' } as const
    const at = (wall: string, hasLocks: boolean) =>
      whyOf(caseOf(policy, snapshots, moment(wall), { hasLocks }))['s0001']
    assert.equal(at('2026-10-20T23:00', true), 'locked until 2026-10-21')
    assert.equal(at('2026-10-20T23:00', false), '')
    assert.equal(at('2026-10-21T00:00', true), '')
  })
})

describe('holds', () => {
  const now = moment('2026-11-22T05:00')
  const hold: Hold = { id: 'h-000001', project: 'shop', reason: 'audit 2026', beganAt: now, who: 'anna@host' }
  const snapshots = dailies('2026-11-22T03:00', 3).map((one) => ({ ...one, run: `run${one.made!.number}` }))
  const kept = (holds: readonly Hold[], at = now): string[] => keptOf(caseOf({ last: 1 }, snapshots, at, { holds }))

  test('keep everything of a project, with the reason in the plan', () => {
    assert.deepEqual(kept([hold]), ['s0001', 's0002', 's0003'])
    const why = whyOf(caseOf({ last: 1 }, snapshots, now, { holds: [{ ...hold, until: '2027-06-30' }] }))
    assert.equal(why['s0001'], 'hold: audit 2026, until 2027-06-30')
  })

  test('keep the last day too, and nothing after it or once they are lifted', () => {
    const until = { ...hold, until: '2026-11-30' }
    assert.equal(kept([until], moment('2026-11-30T23:59')).length, 3)
    assert.equal(kept([until], moment('2026-12-01T00:00')).length, 1)
    assert.equal(kept([{ ...hold, lifted: { at: now, who: 'anna@host', reason: 'closed' } }]).length, 1)
  })

  test('are about their project, vault and snapshot alone, and about copies of that snapshot', () => {
    assert.equal(kept([{ ...hold, project: 'blog' }]).length, 1)
    assert.equal(kept([{ ...hold, vault: 'b2' }]).length, 1)
    assert.equal(kept([{ ...hold, vault: 'local' }]).length, 3)
    assert.deepEqual(kept([{ ...hold, snapshot: 's0001' }]), ['s0001', 's0003'])
    assert.deepEqual(kept([{ ...hold, snapshot: 'elsewhere', run: 'run2' }]), ['s0002', 's0003'])
    assert.deepEqual(kept([{ ...hold, snapshot: 'elsewhere' }]), ['s0003'])
  })
})
