import assert from 'node:assert/strict'
import { test } from 'node:test'

import { backendSuite, FaultyBackend, MemoryBackend, type FaultAction } from '../testing.ts'
import { loadAll } from './load-all.ts'

const pack = (digit: string) => ({ type: 'pack', name: digit.repeat(64) }) as const
const body = Buffer.from('0123456789'.repeat(10))

backendSuite('faulty without faults', () => new FaultyBackend(new MemoryBackend()))

test('fail has no effect, and strikes the nth matching operation alone', async () => {
  const inner = new MemoryBackend()
  const faulty = new FaultyBackend(inner, { faults: [{ at: 2, action: 'fail', on: ['save'], type: 'pack' }] })
  await faulty.save({ type: 'key', name: 'a'.repeat(64) }, body)
  await faulty.save(pack('1'), body)
  await assert.rejects(faulty.save(pack('2'), body), { code: 'backend.unavailable', kind: 'unavailable' })
  await faulty.save(pack('3'), body)
  const names = (await Array.fromAsync(inner.list('pack'))).map((file) => file.name[0])
  assert.deepEqual(names, ['1', '3'])
})

test('a lost answer comes after the effect', async () => {
  const inner = new MemoryBackend()
  const faulty = new FaultyBackend(inner, { faults: [{ at: 1, action: 'lose-answer', times: 2 }] })
  await assert.rejects(faulty.save(pack('1'), body), { code: 'backend.unavailable' })
  assert.deepEqual(Buffer.from(await loadAll(inner, pack('1'))), body)
  await assert.rejects(faulty.remove(pack('1')), { code: 'backend.unavailable' })
  await assert.rejects(loadAll(faulty, pack('1')), { code: 'backend.missing' })
})

test('stop lets nothing through from the nth operation on', async () => {
  const inner = new MemoryBackend()
  const faulty = new FaultyBackend(inner, { faults: [{ at: 2, action: 'stop' }] })
  await faulty.save(pack('1'), body)
  for (let round = 0; round < 3; round++) {
    await assert.rejects(faulty.save(pack('2'), body), { code: 'backend.unavailable' })
    await assert.rejects(faulty.remove(pack('1')), { code: 'backend.unavailable' })
    await assert.rejects(loadAll(faulty, pack('1')), { code: 'backend.unavailable' })
  }
  assert.equal(faulty.stopped, true)
  assert.equal(faulty.operations.length, 10)
  assert.equal((await Array.fromAsync(inner.list('pack'))).length, 1)
})

test('a truncated save leaves part of the bytes under the final name, and everything stops', async () => {
  const inner = new MemoryBackend()
  const faulty = new FaultyBackend(inner, { faults: [{ at: 1, action: 'truncate' }] })
  await assert.rejects(faulty.save(pack('1'), body), { code: 'backend.unavailable' })
  const left = await loadAll(inner, pack('1'))
  assert.ok(left.length < body.length)
  assert.deepEqual(Buffer.from(left), body.subarray(0, left.length))
  await assert.rejects(loadAll(faulty, pack('1')), { code: 'backend.unavailable' })
})

test('a truncated load that pretends to be whole is caught by loadAll when a range was asked for', async () => {
  const inner = new MemoryBackend()
  await inner.save(pack('1'), body)
  const faulty = new FaultyBackend(inner, { faults: [{ at: 1, action: 'truncate' }] })
  const range = { start: 10, end: 60 }
  await assert.rejects(loadAll(faulty, pack('1'), range), { code: 'backend.damaged' })
  assert.deepEqual(Buffer.from(await loadAll(faulty, pack('1'), range)), body.subarray(10, 60))
})

test('flip turns over exactly one bit, of what is loaded or of what is stored', async () => {
  const inner = new MemoryBackend()
  const faulty = new FaultyBackend(inner, { faults: [{ at: 1, action: 'flip', times: 2 }] })
  await faulty.save(pack('1'), body)
  const bitsOff = (bytes: Uint8Array): number =>
    bytes.reduce((sum, byte, at) => sum + (byte ^ body[at]!).toString(2).replaceAll('0', '').length, 0)
  const stored = await loadAll(inner, pack('1'))
  assert.equal(bitsOff(stored), 1)
  const loaded = await loadAll(faulty, pack('1'))
  assert.equal(
    loaded.reduce((sum, byte, at) => sum + (byte ^ stored[at]!).toString(2).replaceAll('0', '').length, 0),
    1,
  )
})

test('chance strikes the same operations for the same seed, and others for another', async () => {
  const run = async (seed: number): Promise<string> => {
    const actions: FaultAction[] = ['fail', 'lose-answer']
    const faulty = new FaultyBackend(new MemoryBackend(), { chance: { share: 0.3, actions, seed } })
    let outcome = ''
    for (let nth = 0; nth < 200; nth++) {
      const name = nth.toString(16).padStart(64, '0')
      const [settled] = await Promise.allSettled([faulty.save({ type: 'pack', name }, body)])
      outcome += settled.status === 'fulfilled' ? '.' : 'x'
    }
    return outcome
  }
  const first = await run(7)
  assert.equal(first, await run(7))
  assert.notEqual(first, await run(8))
  const struck = first.replaceAll('.', '').length
  assert.ok(struck > 30 && struck < 90, `${struck} of 200 were struck`)
})

test('delay only takes time, and an abort ends the waiting', async () => {
  const faulty = new FaultyBackend(new MemoryBackend(), { faults: [{ at: 1, action: 'delay', delayMs: 20, times: 2 }] })
  await faulty.save(pack('1'), body)
  const stop = new AbortController()
  const waiting = loadAll(faulty, pack('1'), undefined, stop.signal)
  stop.abort(new Error('enough'))
  await assert.rejects(waiting, /enough/)
  assert.equal((await loadAll(faulty, pack('1'))).length, body.length)
})
