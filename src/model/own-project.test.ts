import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { isOwnBackupDue, ownProjectIn } from './own-project.ts'
import type { Configuration } from './configuration.ts'
import { project, vaultNamed } from './watched-shop.ts'

const hourMs = 60 * 60 * 1000
const now = Date.UTC(2026, 10, 22, 3)

suite('a backup of Bewaar itself after a run', () => {
  const last = { vault: 'hot', triedAt: now, madeAt: now, of: 'a' }

  test('is made where there is none, the last is almost a day old, or was made of something else', () => {
    assert.equal(isOwnBackupDue(undefined, 'a', now), true)
    assert.equal(isOwnBackupDue({ vault: 'hot', triedAt: now, error: 'no answer' }, 'a', now), true)
    assert.equal(isOwnBackupDue(last, 'a', now + 19 * hourMs), false)
    assert.equal(isOwnBackupDue(last, 'b', now), true)
    // a nightly run that starts a little sooner than the night before
    assert.equal(isOwnBackupDue(last, 'a', now + 24 * hourMs - 60_000), true)
  })

  test('is made when the last one is of the future, because a clock was wrong', () => {
    assert.equal(isOwnBackupDue({ ...last, madeAt: now + hourMs }, 'a', now), true)
  })
})

test('of its own backups nothing goes by itself where nothing of the projects does, and each vault stands alone', () => {
  const locking = vaultNamed('bucket', { objectLock: 'compliance' })
  const vaults = [vaultNamed('hot'), vaultNamed('box'), locking]
  const keep = new Map([
    ['hot', { daily: 7, prune: 'automatic' }],
    ['box', { for: { amount: 7, unit: 'year' }, prune: 'never' }],
    ['bucket', { for: { amount: 7, unit: 'year' }, prune: 'automatic' }],
  ] as const)
  const configuration: Configuration = {
    file: '/etc/bewaar/bewaar.yaml',
    files: ['/etc/bewaar/bewaar.yaml'],
    timezone: 'UTC',
    language: 'en',
    state: '/var/lib/bewaar',
    catalog: { kind: 'sqlite' },
    vaults,
    projects: [{ ...project, keep }],
    notify: {},
    serve: { atOnce: 2 },
  }
  const policies = vaults.map((vault) => {
    const own = ownProjectIn(configuration, vault)
    assert.deepEqual([own.vault, own.copies], [vault.name, []])
    return own.keep.get(vault.name)
  })
  const counts = { daily: 30, monthly: 12 }
  assert.deepEqual(policies, [
    { ...counts, prune: 'automatic' },
    { ...counts, prune: 'never' },
    { ...counts, for: { amount: 30, unit: 'day' }, prune: 'automatic' },
  ])
})
