import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { recoveryTroubles, type KitCheck, type RecoveryFacts } from './kit.ts'

const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs
const now = 2000 * dayMs

function found(facts: Partial<RecoveryFacts>): string[] {
  const all = { vaults: ['hot', 'box'], backups: [], checks: [], damaged: [], since: now - dayMs, ...facts }
  return recoveryTroubles(all, now).map(({ kind, vault, text }) => `${kind} ${vault ?? ''} ${text}`)
}

function checked(days: number, ...vaults: readonly string[]): KitCheck {
  const status = vaults.length === 2 ? 'complete' : 'failed'
  return { id: `${days}`, at: now - days * dayMs, who: 'anna@vm', by: 'password', status, vaults }
}

suite('what would keep Bewaar itself from being recovered', () => {
  test('is nothing where backups are made and the password was proven within a year', () => {
    assert.deepEqual(found({}), [])
    assert.deepEqual(found({ backups: [{ vault: 'hot', triedAt: now, madeAt: now }] }), [])
    assert.deepEqual(found({ since: now - 900 * dayMs, checks: [checked(364, 'hot', 'box')] }), [])
  })

  test('is a vault that has had no backup of it for more than a day, and not one that nobody uses', () => {
    const failed = { vault: 'hot', triedAt: now, error: 'it does not answer' }
    assert.deepEqual(found({ backups: [{ ...failed, madeAt: now - 25 * hourMs }] }), [])
    assert.match(
      found({ backups: [{ ...failed, madeAt: now - 26 * hourMs }] })[0]!,
      /^own-backup hot .* does not answer/,
    )
    assert.match(found({ backups: [failed] })[0]!, /^own-backup hot /)
    assert.deepEqual(found({ vaults: ['box'], backups: [failed] }), [])
  })

  test('is a vault in which its backups are damaged, once for each vault', () => {
    const failed = { vault: 'hot', triedAt: now, error: 'it does not answer' }
    const all = found({ damaged: ['hot', 'gone'], backups: [failed] })
    assert.equal(all.length, 1)
    assert.match(all[0]!, /^own-backup hot the verification .* found damage$/)
  })

  test('is a password that nobody has proven for a year, by the vault', () => {
    assert.deepEqual(found({ since: now - 365 * dayMs }), [])
    assert.match(found({ since: now - 366 * dayMs })[0]!, /^kit {2}for a year .* opens hot, box$/)
    const checks = [checked(10, 'hot'), checked(400, 'hot', 'box')]
    assert.match(found({ since: now - 900 * dayMs, checks })[0]!, / opens box$/)
  })
})
