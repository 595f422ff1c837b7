import assert from 'node:assert/strict'
import { test } from 'node:test'

import { pause, systemClock } from './clock.ts'

test('the system clock tells the time since 1970, and a monotonic time that never goes back', () => {
  assert.ok(Math.abs(systemClock.now() - Date.now()) < 1000)
  const first = systemClock.monotonic()
  assert.ok(systemClock.monotonic() >= first)
})

test('a pause lasts as long as asked', async () => {
  const began = systemClock.monotonic()
  await pause(20)
  assert.ok(systemClock.monotonic() - began >= 19)
})

test('an aborted pause ends at once with the reason of its signal', async () => {
  const stop = new AbortController()
  const waiting = pause(60_000, stop.signal)
  stop.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  await assert.rejects(pause(60_000, stop.signal), /enough/)
})
