import assert from 'node:assert/strict'
import { test } from 'node:test'

import { homeOf, placeOf } from './placement.ts'

test('everything has one place in the snapshot, and goes home from it', () => {
  for (const [absolute, place] of [
    ['/srv/shop', 'files'],
    ['/srv/shop/a/b.txt', 'files/a/b.txt'],
    ['/mnt/disk2', 'files/+mnt/disk2'],
    ['/mnt/disk2/x', 'files/+mnt/disk2/x'],
    ['/srv/shop2', 'files/+srv/shop2'],
    ['/srv/shop/\xff', 'files/\xff'],
  ] as const) {
    assert.equal(placeOf('/srv/shop', absolute), place)
    assert.equal(homeOf('/srv/shop', place), absolute)
  }
})

test('settings go home to the project, and what has no home has none', () => {
  assert.equal(homeOf('/srv/shop', 'config/.env'), '/srv/shop/.env')
  assert.equal(homeOf('/srv/shop', 'config'), '/srv/shop')
  for (const place of ['RESTORE.md', 'manifest.json', 'git/repository.bundle', 'database/shop.sql', '']) {
    assert.equal(homeOf('/srv/shop', place), undefined)
  }
})
