import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { AppError } from '#base'
import { persistently } from './persistently.ts'

const entry = { message: '', hint: '' }
const unavailable = new AppError('backend.unavailable', { ...entry, kind: 'unavailable' }, {})
const full = new AppError('backend.full', { ...entry, kind: 'unavailable' }, {})
const calm = new AbortController().signal

/** Fails with each of these, and then succeeds. */
function failing(...troubles: readonly Error[]): { work: () => Promise<string>; count: () => number } {
  let count = 0
  return {
    work: () => (count < troubles.length ? Promise.reject(troubles[count++]!) : Promise.resolve('done')),
    count: () => count,
  }
}

describe('persistence', () => {
  test('goes on while a place does not answer, a little later each time', async () => {
    const { work } = failing(unavailable, unavailable)
    const began = performance.now()
    assert.equal(await persistently(work, calm), 'done')
    const elapsed = performance.now() - began
    assert.ok(elapsed > 700, String(elapsed))
  })

  test('ends with every other trouble', async () => {
    for (const trouble of [full, new TypeError('a bug')]) {
      const { work, count } = failing(trouble, trouble)
      await assert.rejects(persistently(work, calm), trouble)
      assert.equal(count(), 1)
    }
  })

  test('ends after as many attempts as it may have', async () => {
    const unreachable = new AppError('remote.unreachable', { ...entry, kind: 'unavailable' }, {})
    const { work, count } = failing(unreachable, unreachable, unreachable)
    await assert.rejects(persistently(work, undefined, 2), unreachable)
    assert.equal(count(), 2)
  })

  test('ends at once when it is stopped', async () => {
    const stop = new AbortController()
    const { work } = failing(...Array.from({ length: 7 }, () => unavailable))
    setTimeout(() => stop.abort(new Error('enough')), 50)
    const began = performance.now()
    await assert.rejects(persistently(work, stop.signal), { message: 'enough' })
    assert.ok(performance.now() - began < 30_000)
  })
})
