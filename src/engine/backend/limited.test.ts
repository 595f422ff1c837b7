import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import type { Clock } from '#base'
import { backendSuite, MemoryBackend } from '../testing.ts'
import { limited } from './limited.ts'
import { loadAll } from './load-all.ts'
import { createLocal } from './local/local.ts'
import type { Backend, FileRef, FileType } from './backend.ts'

const scratch = await mkdtemp(join(tmpdir(), 'bewaar-limited-'))
after(() => rm(scratch, { recursive: true, force: true }))

let made = 0
const limits = { connections: 2, bandwidth: () => 1e10 }
backendSuite('limited over memory', () => limited(new MemoryBackend(), limits))
backendSuite('limited over local', async () => limited(await createLocal(join(scratch, String(made++))), limits))

const refOf = (nth: number, type: FileType = 'pack'): FileRef => ({ type, name: nth.toString(16).padStart(64, '0') })

/** Saves take 20 ms; how many were under way at once is counted. */
function counting(): { readonly backend: Backend; readonly most: () => number } {
  const inner = new MemoryBackend()
  let [running, most] = [0, 0]
  const save = async (ref: FileRef, body: Uint8Array): Promise<void> => {
    most = Math.max(most, ++running)
    await new Promise((resolve) => setTimeout(resolve, 20))
    running--
    await inner.save(ref, body)
  }
  const slow: Backend = {
    place: inner.place,
    connections: 8,
    save,
    load: (...args) => inner.load(...args),
    list: (...args) => inner.list(...args),
    remove: (...args) => inner.remove(...args),
    [Symbol.asyncDispose]: async () => {},
  }
  return { backend: slow, most: () => most }
}

test('no more operations run at once than may, and all of them run', async () => {
  const { backend, most } = counting()
  const place = limited(backend, { connections: 3 })
  assert.equal(place.connections, 3)
  await Promise.all(Array.from({ length: 20 }, (_, nth) => place.save(refOf(nth), Buffer.alloc(10))))
  assert.equal(most(), 3)
  assert.equal((await Array.fromAsync(place.list('pack'))).length, 20)
})

test('a lock passes by all who wait', async () => {
  const place = limited(new MemoryBackend(), { connections: 1, bandwidth: () => 0 })
  const stop = new AbortController()
  const waiting = place.save(refOf(1), Buffer.alloc(10), stop.signal)
  const behind = place.save(refOf(2), Buffer.alloc(10), stop.signal)
  await place.save(refOf(3, 'lock'), Buffer.alloc(10))
  assert.equal((await loadAll(place, refOf(3, 'lock'))).length, 10)
  assert.equal((await Array.fromAsync(place.list('lock'))).length, 1)
  await place.remove(refOf(3, 'lock'))
  stop.abort(new Error('stopped'))
  await assert.rejects(waiting, /stopped/)
  await assert.rejects(behind, /stopped/)
})

test('one who stops waiting for a turn takes none away', async () => {
  const { backend } = counting()
  const place = limited(backend, { connections: 1 })
  const first = place.save(refOf(1), Buffer.alloc(10))
  const stop = new AbortController()
  const gone = place.save(refOf(2), Buffer.alloc(10), stop.signal)
  const third = place.save(refOf(3), Buffer.alloc(10))
  stop.abort(new Error('stopped'))
  await assert.rejects(gone, /stopped/)
  await Promise.all([first, third])
  await place.save(refOf(4), Buffer.alloc(10))
})

/** A clock that only waiting moves. */
function clockwork(startsAt = 0): {
  readonly clock: Clock
  readonly wait: (ms: number) => Promise<void>
} {
  let now = startsAt
  return {
    clock: { now: () => now, monotonic: () => now },
    wait: async (ms) => {
      now += ms
    },
  }
}

test('bytes that are saved and loaded take the time that the limit says', async () => {
  const { clock, wait } = clockwork()
  const place = limited(new MemoryBackend(), { bandwidth: () => 1000, clock, wait })
  for (let nth = 0; nth < 10; nth++) await place.save(refOf(nth), Buffer.alloc(500))
  assert.ok(Math.abs(clock.monotonic() - 4500) < 20, String(clock.monotonic()))
  for (let nth = 0; nth < 10; nth++) await loadAll(place, refOf(nth))
  assert.ok(Math.abs(clock.monotonic() - 9500) < 40, String(clock.monotonic()))
})

test('sleeps that take too long are made up for, so that small pieces go as fast as they may', async () => {
  const { clock, wait } = clockwork()
  const late = (ms: number): Promise<void> => wait(ms + 20)
  const place = limited(new MemoryBackend(), { bandwidth: () => 1000, clock, wait: late })
  for (let nth = 0; nth < 500; nth++) await place.save(refOf(nth), Buffer.alloc(10))
  assert.ok(clock.monotonic() > 4700 && clock.monotonic() < 5100, String(clock.monotonic()))
})

test('the limit follows the time of day, also while a file waits', async () => {
  const hour = 3_600_000
  const { clock, wait } = clockwork(7 * hour)
  const bandwidth = (now: number): number | undefined => {
    const hourOfDay = Math.floor(now / hour) % 24
    return hourOfDay < 8 ? 0 : hourOfDay < 9 ? 1000 : undefined
  }
  const place = limited(new MemoryBackend(), { bandwidth, clock, wait })
  await place.save(refOf(1), Buffer.alloc(10))
  assert.ok(clock.now() >= 8 * hour && clock.now() < 8 * hour + 2000)
  await place.save(refOf(2), Buffer.alloc(20_000_000))
  await place.save(refOf(3), Buffer.alloc(10))
  assert.ok(clock.now() >= 9 * hour && clock.now() < 9 * hour + 2000)
  await Promise.all(Array.from({ length: 50 }, (_, nth) => place.save(refOf(nth + 10), Buffer.alloc(1_000_000))))
  assert.ok(clock.now() < 9 * hour + 2000)
})
