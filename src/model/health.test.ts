import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { judgeHealth, type VaultFacts } from './health.ts'
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
  const room = (freeBytes?: number): VaultFacts => ({
    ...box,
    capacity: { usedBytes: 1, totalBytes: 1000, ...(freeBytes !== undefined && { freeBytes }) },
  })
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
      'failed',
      /^the last copy to it failed: nobody answers — /,
    ],
    [
      'the same without a word',
      { ...box, lastCopy: { ...failed, findings: [] } },
      'failed',
      /^the last copy to it failed — /,
    ],
    ['little room', room(99), 'full', /^only 9% of its room is free/],
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
      room(100),
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

  test('tells ages in minutes, hours and days', () => {
    const minutely = { ...project, schedule: parseSchedule('every 15 minutes') }
    const vaults = [{ ...hot, newestAt: now - 100 * 60_000 }]
    const [reason] = judgeHealth({ ...facts, project: minutely, vaults }, now).vaults[0]!.reasons
    assert.equal(reason?.text, 'its newest backup is 100 minutes old, and may be 75 minutes')
  })
})
