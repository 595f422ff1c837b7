import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { backendSuite, FaultyBackend, MemoryBackend, type Fault } from '../testing.ts'
import { backendError } from './errors.ts'
import { loadAll } from './load-all.ts'
import { createLocal } from './local/local.ts'
import { retrying, type RetryOptions } from './retrying.ts'
import type { Backend, ByteRange, FileRef } from './backend.ts'

const scratch = await mkdtemp(join(tmpdir(), 'bewaar-retrying-'))
after(() => rm(scratch, { recursive: true, force: true }))

let made = 0
backendSuite('retrying over memory', () => retrying(new MemoryBackend()))
backendSuite('retrying over local', async () => retrying(await createLocal(join(scratch, String(made++)))))

const body = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 31) % 251))
const ref: FileRef = { type: 'pack', name: createHash('sha256').update(body).digest('hex') }
const other: FileRef = { type: 'pack', name: 'a'.repeat(64) }

/** Waits that take no time, written down. */
function timed(options: RetryOptions = {}): { readonly options: RetryOptions; readonly waits: number[] } {
  const waits: number[] = []
  let now = 0
  const clock = { now: () => now, monotonic: () => now }
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms)
    now += ms
  }
  return { options: { clock, wait, chance: () => 0, ...options }, waits }
}

function faulty(...faults: readonly Fault[]): { readonly inner: MemoryBackend; readonly backend: FaultyBackend } {
  const inner = new MemoryBackend()
  return { inner, backend: new FaultyBackend(inner, { faults }) }
}

test('an operation is tried again with waits that double, up to the longest', async () => {
  const { backend, inner } = faulty({ at: 1, times: 7, action: 'fail' })
  const { options, waits } = timed({ longestDelayMs: 5000 })
  await retrying(backend, options).save(ref, body)
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 5000, 5000, 5000])
  assert.equal((await loadAll(inner, ref)).length, body.length)
})

test('a place that was never reached is given up after the first attempts, and one that was is not', async () => {
  const { backend } = faulty({ at: 1, times: 3, action: 'fail' }, { at: 5, times: 7, action: 'fail' })
  const { options, waits } = timed({ firstAttempts: 3 })
  const place = retrying(backend, options)
  await assert.rejects(place.save(ref, body), { code: 'backend.unavailable' })
  assert.deepEqual(waits.splice(0), [500, 1000])
  await place.save(ref, body)
  await place.remove(ref)
  assert.equal(waits.length, 7)
})

test('a refusal is an answer', async () => {
  const { backend } = faulty({ at: 2, times: 3, action: 'fail' })
  const place = retrying(backend, timed({ firstAttempts: 3 }).options)
  await assert.rejects(loadAll(place, ref), { code: 'backend.missing' })
  await place.save(ref, body)
})

test('waits differ by chance, up to a half less', async () => {
  const { backend } = faulty({ at: 1, times: 2, action: 'fail' })
  const chances = [0.5, 0.999]
  const { options, waits } = timed({ chance: () => chances.shift()! })
  await retrying(backend, options).save(ref, body)
  assert.equal(waits[0], 375)
  assert.ok(waits[1]! > 500 && waits[1]! < 501)
})

test('tries are bounded in number and in time', async () => {
  for (const [bounds, tries] of [
    [{ attempts: 3 }, 3],
    [{ totalMs: 4000 }, 4],
    [{}, 8],
  ] as const) {
    const { backend } = faulty({ at: 1, times: 1000, action: 'fail' })
    const retried = retrying(backend, timed(bounds).options)
    for (const operation of [
      () => retried.save(ref, body),
      () => loadAll(retried, ref),
      () => Array.fromAsync(retried.list('pack')),
      () => retried.remove(ref),
    ]) {
      const before = backend.operations.length
      await assert.rejects(operation(), { code: 'backend.unavailable' })
      assert.equal(backend.operations.length - before, tries)
    }
  }
})

test('what cannot become better is not tried again', async () => {
  const { backend, inner } = faulty()
  const { options, waits } = timed()
  const retried = retrying(backend, options)
  await assert.rejects(loadAll(retried, ref), { code: 'backend.missing' })
  await assert.rejects(retried.remove(ref), { code: 'backend.missing' })
  await inner.save(ref, body)
  await assert.rejects(retried.save(ref, body), { code: 'backend.conflict' })
  await assert.rejects(loadAll(retried, ref, { start: 0, end: 1e9 }), { code: 'backend.damaged' })
  assert.deepEqual(waits, [])
})

test('a save whose answer was lost has succeeded; one whose name holds something else has not', async () => {
  const { backend, inner } = faulty({ at: 1, on: ['save'], action: 'lose-answer' })
  await retrying(backend, timed().options).save(ref, body)
  assert.equal(Buffer.compare(await loadAll(inner, ref), body), 0)
  for (const there of [body.subarray(1), Buffer.concat([body, body]), Buffer.from('x')]) {
    const { backend: failing, inner: taken } = faulty({ at: 1, on: ['save'], action: 'fail' })
    await taken.save(ref, there)
    await assert.rejects(retrying(failing, timed().options).save(ref, body), { code: 'backend.conflict' })
    assert.equal((await loadAll(taken, ref)).length, there.length)
  }
})

test('a part of a file that a save left under its name is taken away, and nothing is stored there again', async () => {
  for (const there of [body.subarray(0, 1000), Buffer.alloc(0)]) {
    const { backend, inner } = faulty({ at: 1, on: ['save'], action: 'fail' })
    await inner.save(ref, there)
    const saving = retrying(backend, timed().options).save(ref, body)
    await assert.rejects(saving, { code: 'backend.half-stored', kind: 'unavailable' })
    assert.deepEqual(await Array.fromAsync(inner.list('pack')), [])
    assert.equal(backend.operations.filter(({ operation }) => operation === 'save').length, 2)
  }
  const config: FileRef = { type: 'config', name: '' }
  const { backend, inner } = faulty({ at: 1, on: ['save'], action: 'fail' })
  await inner.save(config, body.subarray(0, 10))
  await assert.rejects(retrying(backend, timed().options).save(config, body), { code: 'backend.conflict' })
  assert.equal((await loadAll(inner, config)).length, 10)
})

test('a name that was taken and is free again is saved under', async () => {
  const { backend, inner } = faulty({ at: 1, on: ['save'], action: 'fail' })
  const load = inner.load.bind(inner)
  await inner.save(ref, body.subarray(0, 10))
  inner.load = async function* (...request) {
    inner.load = load
    await inner.remove(ref)
    yield* load(...request)
  }
  await retrying(backend, timed().options).save(ref, body)
  assert.equal(Buffer.compare(await loadAll(inner, ref), body), 0)
})

test('the comparison after a lost answer may fail as well, and is made again', async () => {
  const { backend, inner } = faulty(
    { at: 1, on: ['save'], action: 'lose-answer' },
    { at: 1, times: 2, on: ['load'], action: 'fail' },
  )
  const { options, waits } = timed()
  await retrying(backend, options).save(ref, body)
  assert.equal(waits.length, 3)
  assert.equal((await Array.fromAsync(inner.list('pack'))).length, 1)
})

test('a removal whose answer was lost has succeeded', async () => {
  const { backend, inner } = faulty({ at: 1, on: ['remove'], action: 'lose-answer' })
  await inner.save(ref, body)
  await retrying(backend, timed().options).remove(ref)
  assert.deepEqual(await Array.fromAsync(inner.list('pack')), [])
})

/** Breaks each load and list after so many pieces, and writes down which bytes were asked for. */
function breaking(
  inner: Backend,
  pieces: number,
): { readonly backend: Backend; readonly ranges: (ByteRange | undefined)[] } {
  const ranges: (ByteRange | undefined)[] = []
  const broken = async function* <T>(stream: AsyncIterable<T>): AsyncGenerator<T> {
    let left = pieces
    for await (const item of stream) {
      if (left-- === 0) {
        throw backendError('backend.unavailable', { place: inner.place, verb: 'load', file: 'it', reason: 'cut' })
      }
      yield item
    }
  }
  const backend: Backend = {
    place: inner.place,
    connections: inner.connections,
    save: (...args) => inner.save(...args),
    load: (file, range, signal) => (ranges.push(range), broken(inner.load(file, range, signal))),
    list: (type, signal) => broken(inner.list(type, signal)),
    remove: (...args) => inner.remove(...args),
    [Symbol.asyncDispose]: async () => {},
  }
  return { backend, ranges }
}

test('a load goes on at the byte that it had reached', async () => {
  const inner = new MemoryBackend()
  await inner.save(ref, body)
  for (const range of [undefined, { start: 1000, end: 199_000 }]) {
    const { backend, ranges } = breaking(inner, 1)
    const loaded = await loadAll(retrying(backend, timed().options), ref, range)
    assert.equal(Buffer.compare(loaded, body.subarray(range?.start, range?.end)), 0)
    const end = range?.end ?? body.length
    const starts = ranges.slice(1).map((asked) => asked?.start)
    assert.deepEqual(
      starts,
      [1, 2, 3].map((nth) => (range?.start ?? 0) + nth * 65_536),
    )
    assert.ok(ranges.slice(1).every((asked) => asked?.end === end))
  }
})

test('a list begins anew and names no file twice', async () => {
  const inner = new MemoryBackend()
  for (let nth = 0; nth < 10; nth++) {
    await inner.save({ type: 'pack', name: String(nth).repeat(64) }, Buffer.alloc(nth))
  }
  let broken = 0
  const backends = [3, 5, 7, 100].map((pieces) => breaking(inner, pieces).backend)
  const reconnect = async (): Promise<Backend> => backends[++broken]!
  const files = await Array.fromAsync(retrying(backends[0]!, { ...timed().options, reconnect }).list('pack'))
  assert.equal(broken, 3)
  assert.deepEqual(
    files.map(({ size }) => size),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  )
})

test('an operation without progress is cut and tried again; a consumer that is slow is not', async () => {
  const inner = new MemoryBackend()
  await inner.save(ref, body)
  let stalls = 3
  const never = new Promise<never>(() => {})
  const stalling: Backend = {
    ...breaking(inner, 100).backend,
    save: async (...args) => (stalls-- > 0 ? await never : await inner.save(...args)),
    load: async function* (...args) {
      if (stalls-- > 0) await never
      yield* inner.load(...args)
    },
    remove: async (...args) => (stalls-- > 0 ? await never : await inner.remove(...args)),
  }
  const { options, waits } = timed({ stallMs: 30, slowestSave: 1e9 })
  const retried = retrying(stalling, options)
  await retried.save(other, body)
  assert.equal(waits.length, 3)
  for await (const _ of retried.load(ref)) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(waits.length, 3)
  stalls = 2
  assert.equal((await loadAll(retried, ref)).length, body.length)
  stalls = 1
  await retried.remove(other)
  stalls = 1000
  await assert.rejects(retried.remove(ref), { code: 'backend.unavailable', message: /no progress/ })
})

test('a load of which a byte comes now and then is cut, one that is only slow is not', async () => {
  const inner = new MemoryBackend()
  await inner.save(ref, body)
  let trickles = 2
  const trickling: Backend = {
    ...breaking(inner, 100).backend,
    load: async function* (_, range) {
      const pieceBytes = trickles-- > 0 ? 1 : 40_000
      for (let at = range?.start ?? 0; at < body.length; at += pieceBytes) {
        await new Promise((resolve) => setTimeout(resolve, 15))
        yield body.subarray(at, at + pieceBytes)
      }
    },
  }
  const { options, waits } = timed({ stallMs: 60 })
  assert.equal(Buffer.compare(await loadAll(retrying(trickling, options), ref), body), 0)
  assert.equal(waits.length, 2)
})

test('after a failure the place is opened anew, once for all who wait, and what was open before ends', async () => {
  const inner = new MemoryBackend()
  await inner.save(ref, body)
  let disposed = 0
  const place = (faults: readonly Fault[]): Backend => {
    const backend = new FaultyBackend(inner, { faults })
    return Object.assign(backend, { [Symbol.asyncDispose]: async () => void disposed++ })
  }
  let opened = 0
  const reconnect = async (): Promise<Backend> => {
    opened++
    if (opened < 3) {
      const facts = { place: 'there', verb: 'load', file: 'it', reason: 'refused' }
      throw backendError('backend.unavailable', facts)
    }
    return place([])
  }
  const { options } = timed({ attempts: 5, wait: () => new Promise((resolve) => setTimeout(resolve, 5)) })
  {
    await using retried = retrying(place([{ at: 1, times: 100, action: 'fail' }]), { ...options, reconnect })
    await Promise.all(Array.from({ length: 10 }, () => loadAll(retried, ref)))
    assert.equal(opened, 3)
    assert.equal(disposed, 1)
  }
  assert.equal(disposed, 2)
})

test('a signal ends the waiting with its own reason', async () => {
  const { backend } = faulty({ at: 1, times: 100, action: 'fail' })
  const stop = new AbortController()
  const reason = new Error('stopped')
  const saving = retrying(backend).save(ref, body, stop.signal)
  setTimeout(() => stop.abort(reason), 20)
  await assert.rejects(saving, (thrown) => thrown === reason)
  assert.equal(backend.operations.length, 1)
})
