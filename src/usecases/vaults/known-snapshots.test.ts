import assert from 'node:assert/strict'
import { test } from 'node:test'

import { knownFrom } from './known-snapshots.ts'

const snapshot = {
  time: '2026-11-22T03:00:00Z',
  tree: 'a'.repeat(64),
  paths: ['/srv/shop'],
  hostname: 'web',
  username: 'backup',
}

test('a snapshot tells its run, or the restore before which it was made', () => {
  const known = (...tags: readonly string[]) => {
    const { run, safety } = knownFrom({ id: 'b'.repeat(64), snapshot: { ...snapshot, tags } }, 'hot', 'shop')
    return { run, safety }
  }
  assert.deepEqual(known('project:shop', 'run:r1'), { run: 'r1', safety: undefined })
  assert.deepEqual(known('safety', 'restore:9f'), { run: undefined, safety: '9f' })
  assert.deepEqual(known('restore:9f'), { run: undefined, safety: undefined })
  assert.deepEqual(known(), { run: undefined, safety: undefined })
})
