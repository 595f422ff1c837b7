import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  describeStanding,
  hasChanged,
  isUnfinished,
  restoreStepKinds,
  type RestoreJournal,
  type RestoreStep,
} from './restore-journal.ts'

function journal(steps: readonly Partial<RestoreStep>[], more: Partial<RestoreJournal> = {}): RestoreJournal {
  return {
    id: 'r-1',
    project: 'shop',
    vault: 'hot',
    snapshot: 'a'.repeat(64),
    wish: { only: [], paths: [], tables: [], delete: false, rolePasswords: false, safety: true },
    state: 'failed',
    isAbandoned: false,
    startedAt: 0,
    steps: steps.map((step) => ({ kind: 'files', about: '/srv/shop', state: 'done', beganAt: 0, ...step })),
    ...more,
  }
}

test('a restore is unfinished when it failed, was cancelled, or lost its process', () => {
  const of = (state: RestoreJournal['state'], isAbandoned = false): boolean => isUnfinished({ state, isAbandoned })
  assert.deepEqual([of('failed'), of('cancelled'), of('open', true)], [true, true, true])
  assert.deepEqual([of('open'), of('complete'), of('incomplete'), of('undone'), of('confirmed')], Array(5).fill(false))
})

test('verifying and saving change nothing, and the standing says so', () => {
  const before = journal([{ kind: 'verify' }, { kind: 'safety', state: 'failed' }])
  assert.equal(hasChanged(before), false)
  assert.deepEqual(describeStanding(before), ['Restore r-1 ended before anything of shop was changed.'])
})

test('the standing names what is done, what was cut off, where the old state is, and both ways out', () => {
  const safety = { vault: 'hot', snapshot: 'b'.repeat(64), without: [] }
  const steps = [{}, { kind: 'database', about: 'database/shop.sql', state: 'begun', wayBack: '{}' }] as const
  const text = describeStanding(journal(steps, { safety })).join('\n')
  assert.match(text, /^Done: files \/srv\/shop\.\nCut off: database database\/shop\.sql; .*nothing of it is lost\.\n/)
  assert.match(text, /snapshot bbbbbbbb of the vault hot/)
  assert.match(text, /--resume\n.*--undo$/)
  assert.doesNotMatch(describeStanding(journal(steps, { state: 'complete' })).join('\n'), /--resume/)
})

test('for each kind of step that is cut off or failed there are words', () => {
  for (const kind of restoreStepKinds) {
    for (const state of ['begun', 'failed'] as const) {
      const text = describeStanding(journal([{}, { kind, about: 'x', state }])).join('\n')
      assert.match(text, new RegExp(`(Cut off|Failed): ${kind}.*; .+\\.`))
    }
  }
})
