import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { test } from 'node:test'

import { pause, type AppError } from '#base'
import { FaultyBackend, MemoryBackend, memoryPassword, memoryRepository, type Fault } from '../testing.ts'
import type { Backend } from '../backend/backend.ts'
import { backendError } from '../backend/errors.ts'
import { encodeLock, type LockFile } from '../format/lock.ts'
import type { LockTimings } from './lock.ts'
import { openRepository, type Repository } from './repository.ts'

const minute = 60_000
const start = Date.parse('2026-05-06T07:00:00Z')

/** A clock that stands still until it is set. */
class TestClock {
  time = start
  now(): number {
    return this.time
  }
  monotonic(): number {
    return this.time
  }
}

interface Party {
  readonly repository: Repository
  readonly backend: FaultyBackend
  readonly clock: TestClock
}

/** Somebody who works on the repository in `inner`; its clock stands still, and it looks at it every two milliseconds. */
async function party(
  inner: Backend,
  faults: readonly Fault[] = [],
  pid = process.pid,
  host = hostname(),
): Promise<Party> {
  const clock = new TestClock()
  const backend = new FaultyBackend(inner, { faults })
  const identity = { hostname: host, username: 'tester', uid: 0, gid: 0, pid }
  const lockTimings: Partial<LockTimings> = { settleMs: 1, tickMs: 2 }
  const options = { password: memoryPassword, clock, identity, lockTimings }
  return { repository: await openRepository(backend, options), backend, clock }
}

async function emptyRepository(): Promise<MemoryBackend> {
  const backend = new MemoryBackend()
  await memoryRepository(backend)
  return backend
}

async function locksIn(backend: Backend): Promise<string[]> {
  return (await Array.fromAsync(backend.list('lock'))).map((file) => file.name)
}

/** A process id that was in use a moment ago. */
async function deadPid(): Promise<number> {
  const child = spawn('true')
  await once(child, 'exit')
  return child.pid!
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let round = 0; round < 1000; round++) {
    if (await condition()) return
    await pause(2)
  }
  assert.fail('it did not come about within two seconds')
}

test('shared locks stand side by side; an exclusive one stands alone, and each goes when it is disposed', async () => {
  const inner = await emptyRepository()
  const { repository } = await party(inner)
  const conflict = { code: 'repository.locked', kind: 'locked' }
  {
    await using one = await repository.lock('shared')
    await using two = await repository.lock('shared')
    assert.deepEqual([one.kind, two.kind], ['shared', 'shared'])
    assert.deepEqual(new Set(await locksIn(inner)), new Set([one.id, two.id]))
    await assert.rejects(repository.lock('exclusive'), conflict)
    assert.equal((await locksIn(inner)).length, 2)
    await two.confirm()
  }
  assert.deepEqual(await locksIn(inner), [])
  {
    await using _ = await repository.lock('exclusive')
    await assert.rejects(repository.lock('shared'), conflict)
    await assert.rejects(repository.lock('exclusive'), conflict)
  }
  assert.deepEqual(await locksIn(inner), [])
})

test('the refusal says who holds the lock, what kind and how old it is', async () => {
  const inner = await emptyRepository()
  const { repository } = await party(inner, [], 4711, 'db2.example.org')
  await using _ = await repository.lock('exclusive')
  const other = await party(inner, [], 4712, 'web1')
  other.clock.time = start + 3 * minute
  await assert.rejects(other.repository.lock('shared'), (thrown: AppError) => {
    assert.match(thrown.message, /process 4711 of tester on db2\.example\.org holds an exclusive lock, 3 min 00 s old/)
    return thrown.code === 'repository.locked'
  })
})

test('who comes between the first look and the own lock is seen by the second look', async () => {
  const inner = await emptyRepository()
  const one = await party(inner)
  const two = await party(inner)
  const settled = await Promise.allSettled([one.repository.lock('exclusive'), two.repository.lock('exclusive')])
  const won = settled.filter((result) => result.status === 'fulfilled')
  assert.ok(won.length <= 1)
  assert.equal((await locksIn(inner)).length, won.length)
  for (const { value } of won) await value[Symbol.asyncDispose]()
})

test('a lock is refreshed after five minutes: a younger file first, then the older one goes', async () => {
  const inner = await emptyRepository()
  const { repository, clock, backend } = await party(inner)
  await using lock = await repository.lock('shared')
  const first = lock.id
  clock.time += 4 * minute
  await pause(20)
  assert.equal(lock.id, first)
  clock.time += 2 * minute
  await until(async () => lock.id !== first && (await locksIn(inner)).length === 1)
  assert.deepEqual(await locksIn(inner), [lock.id])
  const last = backend.operations.slice(-2).map(({ operation, name }) => [operation, name])
  assert.deepEqual(last, [
    ['save', lock.id],
    ['remove', first],
  ])
  await lock.confirm()
  assert.equal(lock.signal.aborted, false)
})

test('a refresh that fails is tried again; a lock that was not refreshed for 22.5 minutes is lost', async () => {
  const inner = await emptyRepository()
  const { repository, clock } = await party(inner, [{ at: 2, action: 'fail', on: ['save'], type: 'lock', times: 99 }])
  const lock = await repository.lock('shared')
  for (let elapsed = 1; elapsed <= 22; elapsed++) {
    clock.time = start + elapsed * minute
    await pause(5)
    assert.equal(lock.signal.aborted, false, `after ${elapsed} minutes`)
  }
  clock.time = start + 22.5 * minute
  await until(() => lock.signal.aborted)
  const reason = lock.signal.reason as AppError
  assert.deepEqual([reason.code, reason.kind], ['repository.lock-lost', 'locked'])
  await assert.rejects(lock.confirm(), { code: 'repository.lock-lost' })
  await lock[Symbol.asyncDispose]()
  assert.deepEqual(await locksIn(inner), [])
})

test('a refresh that failed for a while and then succeeds keeps the lock', async () => {
  const inner = await emptyRepository()
  const { repository, clock } = await party(inner, [
    { at: 2, action: 'lose-answer', on: ['save'], type: 'lock', times: 3 },
  ])
  await using lock = await repository.lock('shared')
  for (let elapsed = 5; elapsed <= 60; elapsed += 1) {
    clock.time = start + elapsed * minute
    await pause(5)
  }
  assert.equal(lock.signal.aborted, false)
  assert.deepEqual(await locksIn(inner), [lock.id])
})

test('a machine that slept too long has lost its lock', async () => {
  const inner = await emptyRepository()
  const { repository, clock } = await party(inner)
  await using lock = await repository.lock('shared')
  clock.time += 3 * 60 * minute
  await until(() => lock.signal.aborted)
})

test('a lock whose file somebody removed is lost at the next refresh, or as soon as it is confirmed', async () => {
  const inner = await emptyRepository()
  const { repository, clock } = await party(inner)
  await using refreshed = await repository.lock('shared')
  await inner.remove({ type: 'lock', name: refreshed.id })
  clock.time += 6 * minute
  await until(() => refreshed.signal.aborted)
  await using confirmed = await repository.lock('shared')
  await inner.remove({ type: 'lock', name: confirmed.id })
  await assert.rejects(confirmed.confirm(), { code: 'repository.lock-lost' })
  assert.equal(confirmed.signal.aborted, true)
})

test('an answer lost while the old file was removed does not look like theft', async () => {
  const inner = await emptyRepository()
  const { repository, clock } = await party(inner, [{ at: 1, action: 'lose-answer', on: ['remove'], type: 'lock' }])
  await using lock = await repository.lock('shared')
  for (const elapsed of [6, 12, 18]) {
    const before = lock.id
    clock.time = start + elapsed * minute
    await until(() => lock.id !== before)
  }
  assert.equal(lock.signal.aborted, false)
  await until(async () => (await locksIn(inner)).length === 1)
})

test('locks of dead processes of this host and locks without a sign of life are taken away', async () => {
  const inner = await emptyRepository()
  const { repository } = await party(inner)
  const lock: LockFile = {
    time: new Date(start - minute).toISOString(),
    exclusive: true,
    hostname: hostname(),
    username: 'x',
    pid: await deadPid(),
  }
  await repository.saveUnpacked('lock', encodeLock(lock))
  const old = { ...lock, hostname: 'elsewhere', time: new Date(start - 30.1 * minute).toISOString() }
  await repository.saveUnpacked('lock', encodeLock(old))
  await using mine = await repository.lock('exclusive')
  assert.deepEqual(await locksIn(inner), [mine.id])
})

test('a fresh lock of another host blocks, whatever its process id means here; one from the future is fresh', async () => {
  const inner = await emptyRepository()
  const { repository } = await party(inner)
  const pid = await deadPid()
  for (const age of [29 * minute, 0, -60 * minute]) {
    const time = new Date(start - age).toISOString()
    const lock: LockFile = { time, exclusive: true, hostname: 'elsewhere', username: 'x', pid }
    const id = await repository.saveUnpacked('lock', encodeLock(lock))
    await assert.rejects(repository.lock('shared'), { code: 'repository.locked' })
    assert.deepEqual(await locksIn(inner), [id])
    await inner.remove({ type: 'lock', name: id })
  }
})

test('a stale lock that may not be removed blocks as if it were alive', async () => {
  const inner = await emptyRepository()
  const { repository } = await party(inner)
  const time = new Date(start - 60 * minute).toISOString()
  const lock: LockFile = { time, exclusive: true, hostname: 'elsewhere', username: 'x', pid: 1 }
  await repository.saveUnpacked('lock', encodeLock(lock))
  const appendOnly = Object.assign(inner.clone(), {
    remove: () =>
      Promise.reject(backendError('backend.denied', { place: 'x', verb: 'remove', file: 'y', reason: 'append-only' })),
  })
  const denied = await party(appendOnly)
  await assert.rejects(denied.repository.lock('shared'), { code: 'repository.locked' })
  const failing = await party(inner, [{ at: 1, action: 'fail', on: ['remove'], type: 'lock' }])
  await assert.rejects(failing.repository.lock('shared'), { code: 'backend.unavailable' })
})

test('a lock that cannot be read blocks both kinds; an empty file is no lock', async () => {
  const inner = await emptyRepository()
  const { repository } = await party(inner)
  inner.overwrite({ type: 'lock', name: '0'.repeat(64) }, new Uint8Array())
  {
    await using _ = await repository.lock('exclusive')
  }
  inner.overwrite({ type: 'lock', name: '1'.repeat(64) }, Buffer.from('?'))
  for (const kind of ['shared', 'exclusive'] as const) {
    await assert.rejects(repository.lock(kind), { code: 'repository.lock-unreadable', kind: 'locked' })
  }
  assert.equal((await locksIn(inner)).length, 2)
})

test('an acquisition that fails or is stopped at any operation leaves no lock behind', async () => {
  for (const action of ['fail', 'lose-answer'] as const) {
    for (let at = 1; at <= 12; at++) {
      const inner = await emptyRepository()
      const { repository } = await party(inner, [{ at, action }]).catch(() => ({ repository: undefined }))
      const [settled] = await Promise.allSettled([repository?.lock('exclusive')])
      if (settled.status === 'fulfilled') await settled.value?.[Symbol.asyncDispose]()
      assert.deepEqual(await locksIn(inner), [], `${action} at ${at}`)
    }
  }
  const inner = await emptyRepository()
  const { repository } = await party(inner)
  const stop = new AbortController()
  const locking = repository.lock('shared', stop.signal)
  setImmediate(() => stop.abort(new Error('no more')))
  await assert.rejects(locking, /no more/)
  assert.deepEqual(await locksIn(inner), [])
})

test('a release that fails is not thrown, and disposing the repository releases what was left', async () => {
  const inner = await emptyRepository()
  const one = await party(inner, [{ at: 1, action: 'fail', on: ['remove'], type: 'lock', times: 9 }])
  const lock = await one.repository.lock('shared')
  await lock[Symbol.asyncDispose]()
  assert.equal((await locksIn(inner)).length, 1)
  const two = await party(inner)
  await two.repository.lock('shared')
  await two.repository[Symbol.asyncDispose]()
  assert.equal((await locksIn(inner)).length, 1)
})

test('SIGHUP does no harm while any lock is held, and is as before afterwards', async () => {
  const before = process.listenerCount('SIGHUP')
  const inner = await emptyRepository()
  const { repository } = await party(inner)
  const one = await repository.lock('shared')
  const two = await repository.lock('shared')
  assert.equal(process.listenerCount('SIGHUP'), before + 1)
  process.kill(process.pid, 'SIGHUP')
  await pause(20)
  await one[Symbol.asyncDispose]()
  await one[Symbol.asyncDispose]()
  assert.equal(process.listenerCount('SIGHUP'), before + 1)
  await two[Symbol.asyncDispose]()
  assert.equal(process.listenerCount('SIGHUP'), before)
})

test('a lock that was begun does not settle when somebody took an exclusive one at the same moment', async () => {
  const inner = await emptyRepository()
  const { repository } = await party(inner)
  await using begun = await repository.beginLock('shared')
  const time = new Date(start).toISOString()
  const other: LockFile = { time, exclusive: true, hostname: 'elsewhere', username: 'x', pid: 1 }
  const id = await repository.saveUnpacked('lock', encodeLock(other))
  await assert.rejects(begun.settle(), { code: 'repository.locked' })
  await inner.remove({ type: 'lock', name: id })
  await begun.settle()
  assert.deepEqual(await locksIn(inner), [begun.id])
})
