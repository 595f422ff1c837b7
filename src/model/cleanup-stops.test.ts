import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { findStops, isDamaged, type StopFacts } from './cleanup-stops.ts'
import { planRetention, type RetentionCase } from './plan-retention.ts'
import type { Project } from './project.ts'
import { caseOf, dailies, foreign, moment } from './retention-scene.ts'
import { parseSchedule } from './schedule.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs

const project: Project = {
  name: 'shop',
  title: 'Shop',
  type: 'generic',
  path: '/srv/shop',
  criticality: 'medium',
  schedule: parseSchedule('daily 03:00'),
  leaveOut: [],
  vault: 'local',
  copies: [{ to: 'disk', schedule: parseSchedule('weekly sunday 05:00') }],
  keep: new Map(),
  restore: {},
  paused: false,
}

function stopsOf(situation: RetentionCase, facts: Partial<StopFacts> = {}): string {
  const judged = planRetention(situation)
  const lastAt = situation.now - dayMs
  const all = { situation, project, judged, written: situation.snapshots, damagedVaults: [], moments: [], lastAt }
  return findStops({ ...all, ...facts })
    .map(({ kind }) => kind)
    .join(' ')
}

const last = '2026-11-22T03:00'
const now = moment('2026-11-22T05:00')
const snapshots = dailies(last, 30)

describe('age', () => {
  const at = (hours: number) => caseOf({ daily: 40 }, snapshots, moment(last) + hours * hourMs)

  test('a daily project is late after 25 hours, also when it is paused', () => {
    assert.equal(stopsOf(at(25)), '')
    assert.equal(stopsOf(at(25.1)), 'late')
    assert.equal(stopsOf(at(25.1), { project: { ...project, paused: true } }), 'late')
  })

  test('only a clean-up of the archive of a paused project is never late', () => {
    const archived = { ...at(500), isArchiveCleanup: true }
    assert.equal(stopsOf(archived, { lastAt: archived.now }), 'late')
    assert.equal(stopsOf(archived, { lastAt: archived.now, project: { ...project, paused: true } }), '')
  })

  test('a vault of copies may lag behind as far as its schedule does, and what runs write to may not', () => {
    const disk = { ...at(25 + 7 * 24), vault: 'disk' }
    const written = [...snapshots, ...dailies('2026-11-29T03:00', 1)]
    assert.equal(stopsOf(disk, { written }), '')
    assert.equal(stopsOf({ ...disk, now: disk.now + hourMs }, { written }), 'late late')
    assert.equal(stopsOf(disk, { written: snapshots }), 'late')
  })

  test('backups that nobody here made, or of the future, make no project that is late look well', () => {
    const [newest] = snapshots.slice(-1)
    const ahead = { ...newest!, id: 'ahead', made: { number: 31, at: now + 90 * dayMs, isComplete: true } }
    const more = [...snapshots, foreign('forged', now + 40 * hourMs, now + 40 * hourMs), ahead]
    assert.equal(stopsOf({ ...at(40), snapshots: more }, { written: more }), 'late')
    assert.match(stopsOf(caseOf({ daily: 3 }, [foreign('one', 0)], now), { written: [] }), /^late/)
  })
})

describe('damage', () => {
  const read = (
    status: 'sound' | 'damaged' | 'failed',
    startedAt: number,
    share: number,
    slices?: readonly number[],
  ) => ({
    status,
    startedAt,
    share,
    ...(slices && { slices }),
  })

  test('stops everything', () => {
    assert.equal(stopsOf(caseOf({ daily: 40 }, snapshots, now), { damagedVaults: ['disk'] }), 'damaged')
  })

  test('is over when all or just that was read again and found sound', () => {
    assert.equal(isDamaged([]), false)
    assert.equal(isDamaged([read('damaged', 1, 1)]), true)
    assert.equal(isDamaged([read('damaged', 2, 1), read('sound', 1, 1)]), true)
    assert.equal(isDamaged([read('damaged', 1, 1), read('sound', 2, 1)]), false)
    assert.equal(isDamaged([read('damaged', 1, 1), read('sound', 2, 0.9), read('failed', 3, 1)]), true)
    assert.equal(isDamaged([read('damaged', 1, 0.1, [1, 2]), read('sound', 2, 0.1, [2])]), true)
    assert.equal(
      isDamaged([read('damaged', 1, 0.1, [1, 2]), read('sound', 2, 0.1, [2]), read('sound', 3, 0.1, [1])]),
      false,
    )
    const all = Array.from({ length: 28 }, (_, index) => read('sound', 2 + index, 1 / 28, [index + 1]))
    assert.equal(isDamaged([read('damaged', 1, 1), ...all]), false)
    assert.equal(isDamaged([read('damaged', 1, 1), ...all.slice(1)]), true)
  })
})

describe('the clock', () => {
  const situation = caseOf({ daily: 40 }, snapshots, now)
  const stopsBy = (moments: readonly number[], facts: Partial<StopFacts> = {}): string =>
    stopsOf(situation, { moments, ...facts })

  test('may go on by a week without a sign of life, and by twice the longest gap of a schedule that is longer', () => {
    assert.equal(stopsBy([], { lastAt: now - 7 * dayMs }), '')
    assert.equal(stopsBy([], { lastAt: now - 7 * dayMs - 1 }), 'clock')
    assert.equal(stopsBy([now - 4 * dayMs], { lastAt: now - 10 * dayMs }), '')
    const weekly = { ...project, schedule: parseSchedule('weekly sunday 03:00') }
    assert.equal(stopsBy([], { lastAt: now - 14 * dayMs, project: weekly }), '')
    assert.equal(stopsBy([], { lastAt: now - 14 * dayMs - 1, project: weekly }), 'clock')
  })

  test('may be put back by an hour, and no further, also when it was put right again', () => {
    assert.equal(stopsBy([now - hourMs, now - 2 * hourMs, now - hourMs]), '')
    assert.equal(stopsBy([now - hourMs, now - 2 * hourMs - 1, now - hourMs]), 'clock')
    assert.equal(stopsBy([now + hourMs]), '')
    assert.equal(stopsBy([now + hourMs + 1]), 'clock')
    // little by little is far too
    assert.equal(stopsBy([now, now - hourMs / 2, now - hourMs, now - 1.5 * hourMs]), 'clock')
  })

  test('that jumped is doubted although runs were made since', () => {
    const ahead = now - 100 * dayMs
    assert.equal(stopsBy([ahead, now - hourMs], { lastAt: ahead - dayMs }), 'clock')
    assert.equal(stopsBy([now + 100 * dayMs, now - hourMs]), 'clock')
  })
})

describe('much', () => {
  const many = dailies(last, 60)
  const policy = { within: '20 days' } as const

  test('is what was due at the last clean-up already, not what the calendar has brought since', () => {
    const situation = caseOf(policy, many, now)
    assert.equal(stopsOf(situation, { lastAt: now - dayMs }), 'much')
    const weeks = [32, 25, 18, 11, 4].map((days) => now - days * dayMs)
    assert.equal(stopsOf(situation, { lastAt: moment('2026-10-15T05:00'), moments: weeks }), '')
    const cleaned = caseOf(policy, many.slice(-25), now)
    assert.equal(stopsOf(cleaned, { lastAt: now - 4 * dayMs }), '')
  })

  test('is more than three and more than a tenth', () => {
    const withDue = (due: number, kept: number) => caseOf({ last: kept }, dailies(last, due + kept), now)
    assert.equal(stopsOf(withDue(3, 5)), '')
    assert.equal(stopsOf(withDue(5, 5)), 'much')
    assert.equal(stopsOf(withDue(4, 40)), '')
    assert.equal(stopsOf(withDue(7, 40)), 'much')
  })

  test('is everything when nothing was cleaned up before', () => {
    const judged = planRetention(caseOf(policy, many.slice(-25), now))
    const facts = { situation: caseOf(policy, many.slice(-25), now), project, judged, written: many }
    const kinds = findStops({ ...facts, damagedVaults: [], moments: [] }).map(({ kind }) => kind)
    assert.deepEqual(kinds, ['much'])
  })

  test('is not the end of a year, though a whole year of backups goes', () => {
    const years = dailies('2027-01-01T03:00', 2 * 365 + 1)
    const situation = caseOf({ for: '1 year' }, years, moment('2027-01-01T05:00'))
    const goes = planRetention(situation).filter(({ reasons }) => reasons.length === 0)
    assert.equal(goes.length, 365)
    assert.equal(stopsOf(situation), '')
    assert.equal(stopsOf(situation, { lastAt: moment('2027-01-01T01:00') }), 'much')
  })

  test('is what foreign snapshots that came since would bring, and not what waited for its copy', () => {
    const forged = Array.from({ length: 9 }, (_, nth) => foreign(`f${nth}`, 0, now - hourMs))
    assert.equal(stopsOf(caseOf({ last: 30 }, [...snapshots, ...forged], now)), 'much')
    const waited = dailies(last, 10).map((one) => ({ ...one, copiedAt: now - hourMs }))
    assert.equal(stopsOf(caseOf({ last: 2 }, waited, now)), '')
  })
})
