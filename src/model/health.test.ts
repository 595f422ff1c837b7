import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { judgeHealth } from './health.ts'
import type { Finding } from './finding.ts'
import type { ProjectFacts, VaultFacts } from './project-facts.ts'
import type { Reading } from './reading.ts'
import type { Project } from './project.ts'
import { parseSchedule } from './schedule.ts'
import { box, bucket, facts, governed, hot, hourMs, locked, now, open, project, sound } from './watched-shop.ts'
import type { ProbeRecord } from './worth.ts'

suite('health', () => {
  test('is good when all is in time, sound and as claimed', () => {
    const health = judgeHealth(facts, now)
    assert.equal(health.verdict, 'healthy')
    assert.deepEqual(health.reasons, [])
    assert.deepEqual(
      health.vaults.map(({ vault, verdict, newestAt, worth }) => [vault, verdict, newestAt, worth.worth]),
      [
        ['hot', 'healthy', now - hourMs, 'unknown'],
        ['box', 'healthy', now - hourMs, 'unknown'],
        ['bucket', 'healthy', now - hourMs, 'locked'],
      ],
    )
  })

  const limits: readonly [string, VaultFacts, number][] = [
    ['a daily run for 25 hours', hot, 25],
    ['a copy after each run for as long', box, 25],
    ['a weekly copy for a week more', bucket, 25 + 168],
  ]
  for (const [title, one, hours] of limits) {
    test(`lets the newest backup be so old: ${title}`, () => {
      const judge = (age: number, more: Partial<Project> = {}) => {
        const vaults = [{ ...one, newestAt: now - age }]
        return judgeHealth({ ...facts, project: { ...project, ...more }, vaults }, now).verdict
      }
      assert.equal(judge(hours * hourMs), 'healthy')
      assert.equal(judge(hours * hourMs + 1), 'late')
      assert.equal(judge(hours * hourMs + 1, { paused: true }), 'healthy', 'a paused project is never late')
    })
  }

  const claimed = (mode: 'governance' | 'compliance', probe: ProbeRecord | undefined): VaultFacts => {
    const { probe: _, ...rest } = bucket
    return { ...rest, vault: { ...bucket.vault, objectLock: mode }, ...(probe && { probe }) }
  }
  const failed = { status: 'failed', endedAt: now } as const
  const finding = { subject: 'copy', severity: 'warning', text: 'nobody answers' } as const
  const room = (...freeShares: readonly number[]): VaultFacts => ({ ...box, freeShares })
  const reasons: readonly [string, VaultFacts, string, RegExp][] = [
    ['no backup', { vault: box.vault }, 'late', /^it holds no backup yet — .*copy --project=shop --to=box/],
    [
      'old',
      { ...hot, newestAt: now - 90 * hourMs },
      'late',
      /^its newest backup is 3 days old, and may be 25 hours — .*run --project=shop`/,
    ],
    [
      'damage',
      { ...box, lastVerification: { ...sound, status: 'damaged' } },
      'damaged',
      /verify --project=shop --vault=box/,
    ],
    [
      'a copy that failed',
      { ...box, lastCopy: { ...failed, findings: [finding] } },
      'copy-failed',
      /^the last copy to it failed: nobody answers — /,
    ],
    [
      'the same without a word',
      { ...box, lastCopy: { ...failed, findings: [] } },
      'copy-failed',
      /^the last copy to it failed — /,
    ],
    ['little room', room(0.099), 'full', /^only 9% of its room is free/],
    ['little room that grew little', room(0.2, 0.09, 0.12), 'full', /^only 12% of its room is free/],
    ['no lock', claimed('governance', open), 'weak', /should be locked \(governance\), and can be deleted/],
    [
      'a weaker lock',
      claimed('compliance', governed),
      'weak',
      /should be locked \(compliance\), and only governance held/,
    ],
  ]
  for (const [title, one, verdict, said] of reasons) {
    test(`is ${verdict} because of ${title}`, () => {
      const health = judgeHealth({ ...facts, vaults: [one] }, now)
      assert.equal(health.verdict, verdict)
      const [reason] = health.vaults[0]!.reasons
      assert.match(`${reason?.text} — ${reason?.advice}`, said)
    })
  }

  test('is not touched by what is not known, or is as it should be', () => {
    const fine = [
      room(0.1),
      room(0.09, 0.13, 0.11),
      room(),
      claimed('compliance', locked),
      claimed('governance', governed),
      claimed('compliance', undefined),
    ]
    for (const one of fine) assert.equal(judgeHealth({ ...facts, vaults: [one] }, now).verdict, 'healthy')
    const { lastRun: _, ...neverRun } = facts
    assert.equal(judgeHealth(neverRun, now).verdict, 'healthy')
  })

  test('is as bad as the worst of its reasons', () => {
    const run = (status: 'failed' | 'incomplete') => ({ ...facts, lastRun: { status, startedAt: now } })
    assert.equal(judgeHealth(run('failed'), now).verdict, 'failed')
    assert.equal(judgeHealth(run('incomplete'), now).verdict, 'incomplete')
    const damaged = { ...box, lastVerification: { ...sound, status: 'damaged' } as const }
    assert.equal(judgeHealth({ ...run('failed'), vaults: [hot, damaged] }, now).verdict, 'damaged')
  })

  test('says what the last run could not take, and leaves to a copy what a copy could not', () => {
    const finding = { subject: 'shop.sqlite', severity: 'warning', text: 'changed while it was read' } as const
    const ofBox = { vault: 'box', subject: 'copy to box', severity: 'warning', text: 'nobody answers' } as const
    const notice = { subject: 'socket', severity: 'notice', text: 'is left out' } as const
    const told = (status: 'failed' | 'incomplete', ...findings: readonly Finding[]): string | undefined =>
      judgeHealth({ ...facts, lastRun: { status, startedAt: now, findings } }, now).reasons[0]?.text
    const begin = 'the last run could not take everything'
    assert.equal(told('incomplete'), begin)
    assert.equal(told('incomplete', notice, finding), `${begin}: shop.sqlite: changed while it was read`)
    const damage = { subject: 'x', severity: 'damage', text: 'is not what it was' } as const
    assert.equal(told('incomplete', finding, damage), `${begin}: x: is not what it was, and 1 more`)
    assert.equal(told('incomplete', ofBox), undefined)
    assert.equal(told('incomplete', ofBox, finding), `${begin}: shop.sqlite: changed while it was read`)
    const run = { subject: 'run', severity: 'warning', text: 'Nobody answers' } as const
    assert.equal(told('failed', run), 'the last run made no backup: Nobody answers')
  })

  test('is stuck when a run takes far longer than usual, and not before', () => {
    const minutes = (count: number): number => count * 60_000
    const after = (ms: number, durations: readonly number[]): string =>
      judgeHealth({ ...facts, runningSince: now - ms, durations }, now).verdict
    const usual = [minutes(60), minutes(50), minutes(70)]
    assert.equal(after(minutes(300), usual), 'healthy')
    assert.equal(after(minutes(300) + 1, usual), 'stuck')
    assert.equal(after(minutes(120), [1, 1, 1]), 'healthy', 'a short one may take two hours')
    assert.equal(after(minutes(120) + 1, [1, 1, 1]), 'stuck')
    assert.equal(after(24 * hourMs, [1, 1]), 'healthy', 'nobody knows yet how long one takes')
    assert.equal(after(24 * hourMs + 1, [1, 1]), 'stuck')
    const { reasons } = judgeHealth({ ...facts, runningSince: now - minutes(301), durations: usual }, now)
    assert.equal(reasons[0]?.text, 'a run is under way for 5 hours, and usually takes 60 minutes')
  })

  test('takes a backup for what it was when the run began that brings the next one', () => {
    const durations = [2 * hourMs, 2 * hourMs, 2 * hourMs]
    const judge = (age: number, ago: number, more: Partial<ProjectFacts> = {}): string => {
      const vaults = [{ ...hot, newestAt: now - age * hourMs }]
      return judgeHealth({ ...facts, vaults, durations, runningSince: now - ago * hourMs, ...more }, now).verdict
    }
    assert.equal(judge(27, 3), 'healthy')
    assert.equal(judge(27, 1), 'late', 'it was late when the run began')
    assert.equal(judge(36, 11), 'late', 'a run that is stuck brings nothing')
    const vaults = [{ ...box, newestAt: now - 27 * hourMs }]
    assert.equal(judgeHealth({ ...facts, vaults, durations, runningSince: now - 3 * hourMs }, now).verdict, 'healthy')
    const own = [{ ...bucket, newestAt: now - 195 * hourMs }]
    assert.equal(judgeHealth({ ...facts, vaults: own, durations, runningSince: now - 3 * hourMs }, now).verdict, 'late')
    const copying = [{ ...own[0]!, copyingSince: now - 3 * hourMs }]
    assert.equal(judgeHealth({ ...facts, vaults: copying }, now).verdict, 'healthy')
    const { lastRun: _, ...never } = facts
    const first = { ...never, vaults: [{ vault: hot.vault }], runningSince: now - hourMs }
    assert.equal(judgeHealth(first, now).verdict, 'healthy', 'the first backup is being made')
    assert.equal(judgeHealth({ ...first, lastRun: facts.lastRun! }, now).verdict, 'late')
  })

  test('lets a day with a change of the clock have 25 hours, and no other', () => {
    const autumn = Date.parse('2026-10-25T02:00:00Z')
    const judge = (at: number, hours: number): string =>
      judgeHealth({ ...facts, timezone: 'Europe/Amsterdam', vaults: [{ ...hot, newestAt: at - hours * hourMs }] }, at)
        .verdict
    assert.equal(judge(autumn, 26), 'healthy')
    assert.equal(judge(autumn, 26.01), 'late')
    assert.equal(judge(autumn + 48 * hourMs, 25.01), 'late')
    assert.equal(judge(Date.parse('2026-03-29T02:00:00Z'), 25.01), 'late')
  })

  test('is late when two runs in a row did not come, however long the longest gap is', () => {
    const weekdays = { ...project, schedule: parseSchedule('cron "0 3 * * 1-5"') }
    const monday = Date.parse('2026-11-16T03:00:00Z')
    const judge = (hours: number): string =>
      judgeHealth({ ...facts, project: weekdays, vaults: [{ ...hot, newestAt: monday }] }, monday + hours * hourMs)
        .verdict
    assert.equal(judge(48.99), 'healthy', 'one was missed')
    assert.equal(judge(49), 'late')
    const reasons = judgeHealth(
      { ...facts, project: weekdays, vaults: [{ ...hot, newestAt: monday }] },
      monday + 50 * hourMs,
    ).vaults[0]!.reasons
    assert.equal(reasons[0]?.text, 'its newest backup is 50 hours old, and two runs in a row did not come')
  })

  test('does not trust a clock that is behind what it was, nor a backup of the future', () => {
    const behind = judgeHealth({ ...facts, clockWas: now + 5 * 60_000 + 1 }, now)
    assert.deepEqual(
      [behind.verdict, behind.reasons[0]?.text],
      ['clock', 'the clock of this machine is 5 minutes behind what it was'],
    )
    assert.equal(judgeHealth({ ...facts, clockWas: now + 5 * 60_000 }, now).verdict, 'healthy')
    const { vaults } = judgeHealth({ ...facts, vaults: [{ ...hot, futureAt: now + 48 * hourMs }] }, now)
    assert.deepEqual(
      [vaults[0]!.verdict, vaults[0]!.reasons[0]?.text],
      ['clock', 'a backup in it says that it is of 1972-09-29, which is in the future'],
    )
  })

  const dayMs = 24 * hourMs
  const read = (daysAgo: number, share: number, more: Partial<Reading['verifications'][number]> = {}) => ({
    status: 'sound' as const,
    startedAt: now - daysAgo * dayMs,
    share,
    ...more,
  })
  const verifications: readonly [string, Reading, string][] = [
    ['a vault that is young', { since: now - 35 * dayMs, verifications: [] }, 'healthy'],
    ['nothing', { since: now - 35 * dayMs - 1, verifications: [] }, 'unverified'],
    ['everything at once', { since: 0, verifications: [read(35, 1)] }, 'healthy'],
    ['everything, too long ago', { since: 0, verifications: [read(35.01, 1)] }, 'unverified'],
    ['everything, and it was damaged', { since: 0, verifications: [read(1, 1, { status: 'damaged' })] }, 'healthy'],
    ['everything, and it was cut off', { since: 0, verifications: [read(1, 1, { status: 'failed' })] }, 'unverified'],
    ['some by lot', { since: 0, verifications: Array.from({ length: 30 }, (_, day) => read(day, 1 / 30)) }, 'healthy'],
    [
      'all slices',
      { since: 0, verifications: Array.from({ length: 28 }, (_, day) => read(day, 1 / 28, { slices: [day + 1] })) },
      'healthy',
    ],
    [
      'one slice for ever',
      { since: 0, verifications: Array.from({ length: 34 }, (_, day) => read(day, 1 / 28, { slices: [1] })) },
      'unverified',
    ],
  ]
  for (const [title, reading, verdict] of verifications) {
    test(`is ${verdict} when what was read back is ${title}`, () => {
      assert.equal(judgeHealth({ ...facts, vaults: [{ ...hot, reading }] }, now).verdict, verdict)
      const paused = { ...project, paused: true }
      assert.equal(judgeHealth({ ...facts, project: paused, vaults: [{ ...hot, reading }] }, now).verdict, 'healthy')
    })
  }

  test('says how much was read back', () => {
    const reading = { since: 0, verifications: [read(3, 0.25)] }
    const failed = { status: 'failed', endedAt: now } as const
    const text = (one: VaultFacts): string | undefined =>
      judgeHealth({ ...facts, vaults: [one] }, now).vaults[0]!.reasons[0]?.text
    assert.equal(text({ ...hot, reading }), 'only 25% of it was read back in the last 35 days')
    const nothing = { ...hot, reading: { since: 0, verifications: [] }, lastVerification: failed }
    assert.equal(text(nothing), 'nothing of it was read back in the last 35 days, and the last verification failed')
  })

  test('tells why the last clean-up failed', () => {
    const cleaned = (findings: readonly Finding[]): readonly string[] =>
      judgeHealth(
        { ...facts, vaults: [{ ...hot, lastCleanup: { status: 'failed', findings } }] },
        now,
      ).vaults[0]!.reasons.map(({ verdict, text }) => `${verdict}: ${text}`)
    assert.deepEqual(cleaned([{ subject: 'prune', severity: 'warning', text: 'no room' }]), [
      'cleanup-failed: the last clean-up failed: no room',
    ])
    assert.deepEqual(cleaned([]), ['cleanup-failed: the last clean-up failed'])
    const { reasons } = judgeHealth({ ...facts, cleanupFailure: 'box: nobody answers' }, now)
    assert.equal(reasons[0]?.text, 'the last clean-up failed: box: nobody answers')
  })

  test('tells ages in minutes, hours and days', () => {
    const minutely = { ...project, schedule: parseSchedule('every 15 minutes') }
    const vaults = [{ ...hot, newestAt: now - 100 * 60_000 }]
    const [reason] = judgeHealth({ ...facts, project: minutely, vaults }, now).vaults[0]!.reasons
    assert.equal(reason?.text, 'its newest backup is 100 minutes old, and may be 75 minutes')
  })
})
