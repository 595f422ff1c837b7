import assert from 'node:assert/strict'
import { test } from 'node:test'

import { nearest } from './nearest.ts'

const words = ['schedule', 'vault', 'vaults', 'criticality', 'files', 'keep']

test('the nearest word is found when letters are missing, extra, wrong or swapped', () => {
  assert.equal(nearest('shedule', words), 'schedule')
  assert.equal(nearest('schedulle', words), 'schedule')
  assert.equal(nearest('schequle', words), 'schedule')
  assert.equal(nearest('shcedule', words), 'schedule')
  assert.equal(nearest('FILES', words), 'files')
  assert.equal(nearest('kepe', words), 'keep')
})

test('the word itself is nearer than a longer one', () => {
  assert.equal(nearest('vaults', words), 'vaults')
  assert.equal(nearest('vault', words), 'vault')
})

test('a word that is like none has no nearest', () => {
  assert.equal(nearest('password', words), undefined)
  assert.equal(nearest('anything', []), undefined)
})
