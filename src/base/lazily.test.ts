import assert from 'node:assert/strict'
import { test } from 'node:test'

import { lazily } from './lazily.ts'

test('a module is loaded when its function is first called, and once', async () => {
  let loads = 0
  const add = lazily(async () => {
    loads++
    return async (a: number, b: number) => a + b
  })
  assert.equal(loads, 0)
  assert.deepEqual(await Promise.all([add(1, 2), add(3, 4)]), [3, 7])
  assert.equal(await add(5, 6), 11)
  assert.equal(loads, 1)
})

test('what the function throws, and what kept it from being loaded, reach the caller', async () => {
  const fails = lazily(async () => async () => {
    throw new TypeError('inside')
  })
  await assert.rejects(fails(), /inside/)
  const absent = lazily(async (): Promise<() => Promise<void>> => {
    throw new Error('not there')
  })
  await assert.rejects(absent(), /not there/)
})

test('a module that is loaded ahead is not loaded again, and what kept it from being loaded reaches the caller', async () => {
  let loads = 0
  const add = lazily(async () => {
    loads++
    return async (a: number, b: number) => a + b
  })
  add.load()
  add.load()
  assert.equal(loads, 1)
  assert.equal(await add(1, 2), 3)
  assert.equal(loads, 1)
  const absent = lazily(async (): Promise<() => Promise<void>> => {
    throw new Error('not there')
  })
  absent.load()
  await assert.rejects(absent(), /not there/)
})
