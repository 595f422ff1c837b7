import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { judgeHealth } from './health.ts'
import { troubleKey } from './incident.ts'
import type { Project } from './project.ts'
import type { ProjectFacts, VaultFacts } from './project-facts.ts'
import { judgedKinds, kindsToSettle, troublesOf } from './troubles.ts'
import { box, bucket, facts, hot, hourMs, now, open, project, sound } from './watched-shop.ts'

const blog: Project = { ...project, name: 'blog', criticality: 'critical' }

function troubles(all: readonly ProjectFacts[], isNew?: (project: string, vault: string) => boolean) {
  const reports = all.map((one) => judgeHealth(one, now))
  return troublesOf(
    reports,
    all.map((one) => one.project),
    isNew,
  )
}

function keys(vaults: readonly VaultFacts[], more: Partial<ProjectFacts> = {}): string {
  return troubles([{ ...facts, vaults, ...more }])
    .map(troubleKey)
    .join(' ')
}

suite('the troubles of projects', () => {
  test('are none when all is well', () => {
    assert.deepEqual(troubles([facts, { ...facts, project: blog }]), [])
  })

  test('name the project, the vault, and the last good backup with where it is', () => {
    const [late] = troubles([{ ...facts, vaults: [{ ...hot, newestAt: now - 30 * hourMs }, box] }])
    assert.deepEqual(late, {
      kind: 'late',
      project: 'shop',
      vault: 'hot',
      criticality: 'medium',
      text: 'its newest backup is 30 hours old, and may be 25 hours',
      advice: 'Run `bewaar run --project=shop`, and see that something runs it on time.',
      lastBackup: { at: now - hourMs, vault: 'box' },
    })
    const damaged: VaultFacts = { ...box, newestAt: now, lastVerification: { ...sound, status: 'damaged' } }
    const [broken] = troubles([{ ...facts, vaults: [{ ...hot, newestAt: now - hourMs }, damaged] }])
    assert.deepEqual(broken?.lastBackup, { at: now - hourMs, vault: 'hot' }, 'what is damaged is not good')
    const [none] = troubles([{ ...facts, vaults: [{ vault: hot.vault }] }])
    assert.equal(none?.lastBackup, undefined)
  })

  test('of a vault are one for all projects in it, as critical as the most critical', () => {
    const full: VaultFacts = { ...hot, freeShares: [0.01] }
    const weak: VaultFacts = { ...bucket, vault: { ...bucket.vault, objectLock: 'governance' }, probe: open }
    const found = troubles([
      { ...facts, vaults: [full, weak] },
      { ...facts, project: blog, vaults: [full, weak] },
    ])
    assert.deepEqual(
      found.map((trouble) => [troubleKey(trouble), trouble.criticality]),
      [
        ['full//hot', 'critical'],
        ['weak//bucket', 'critical'],
      ],
    )
  })

  test('of the clock of this machine are one, and of a backup from the future its own', () => {
    const wrong = { clockWas: now + hourMs }
    const found = troubles([
      { ...facts, ...wrong },
      { ...facts, project: blog, ...wrong },
    ])
    assert.deepEqual(
      found.map((trouble) => [troubleKey(trouble), trouble.criticality]),
      [['clock//', 'critical']],
    )
    assert.equal(keys([{ ...hot, futureAt: now + hourMs }]), 'clock/shop/hot')
  })

  test('do not blame a vault for what there was not to copy', () => {
    const old = { newestAt: now - 30 * hourMs }
    assert.equal(
      keys([
        { ...hot, ...old },
        { ...box, ...old },
      ]),
      'late/shop/hot',
    )
    assert.equal(keys([{ vault: hot.vault }, { vault: box.vault }]), 'late/shop/hot')
    assert.equal(
      keys([
        { ...hot, ...old },
        { ...box, newestAt: now - 31 * hourMs },
      ]),
      'late/shop/hot late/shop/box',
    )
    assert.equal(keys([hot, { ...box, ...old }]), 'late/shop/box')
  })

  test('do not begin with what was just added, unless something was there', () => {
    const empty = { ...facts, vaults: [{ vault: hot.vault }] }
    assert.deepEqual(
      troubles([empty], (name, vault) => name === 'shop' && vault === 'hot'),
      [],
    )
    assert.equal(troubles([empty], () => false).length, 1)
    const old = { ...facts, vaults: [{ ...hot, newestAt: now - 30 * hourMs }] }
    assert.equal(troubles([old], () => true).length, 1)
  })

  test('are of the kinds that are looked for', () => {
    const bad: ProjectFacts = {
      ...facts,
      lastRun: { status: 'failed', startedAt: now },
      runningSince: now - 48 * hourMs,
      clockWas: now + hourMs,
      tests: { last: { status: 'failed', endedAt: now, findings: [], vault: 'hot', snapshot: 'abc' } },
      vaults: [
        {
          ...hot,
          newestAt: now - 60 * hourMs,
          futureAt: now + hourMs,
          lastVerification: { ...sound, status: 'damaged' },
          lastCopy: { status: 'failed', endedAt: now, findings: [] },
          lastCleanup: { status: 'failed', findings: [] },
          freeShares: [0],
          reading: { since: 0, verifications: [] },
        },
        { ...bucket, vault: { ...bucket.vault, objectLock: 'governance' }, probe: open },
      ],
    }
    const incomplete: ProjectFacts = {
      ...facts,
      project: blog,
      lastRun: { status: 'incomplete', startedAt: now },
      tests: { since: now - 60 * 24 * hourMs },
    }
    const found = new Set(troubles([bad, incomplete]).map(({ kind }) => kind))
    assert.deepEqual([...found].toSorted(), [...judgedKinds].toSorted())
  })

  test('that depend on ages are not settled while the clock of this machine is wrong', () => {
    assert.deepEqual(kindsToSettle(troubles([facts])), judgedKinds)
    const future = troubles([{ ...facts, vaults: [{ ...hot, futureAt: now + hourMs }] }])
    assert.deepEqual(kindsToSettle(future), judgedKinds)
    const kinds = kindsToSettle(troubles([{ ...facts, clockWas: now + hourMs }]))
    const left = judgedKinds.filter((kind) => !kinds.includes(kind))
    assert.deepEqual(left, ['late', 'stuck', 'unverified', 'untested'])
  })

  test('of a project that is gone from the configuration are none', () => {
    assert.deepEqual(troublesOf([judgeHealth({ ...facts, vaults: [{ vault: hot.vault }] }, now)], []), [])
  })
})
