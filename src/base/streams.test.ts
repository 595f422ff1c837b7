import assert from 'node:assert/strict'
import { test } from 'node:test'

import { pause } from './clock.ts'
import { collect, mapInOrder } from './streams.ts'

test('results come in the order of the input, whichever is ready first', async () => {
  const slowFirst = async (item: number): Promise<number> => {
    await pause(item === 0 ? 20 : 0)
    return item * 10
  }
  assert.deepEqual(await Array.fromAsync(mapInOrder([0, 1, 2, 3], slowFirst, 3)), [0, 10, 20, 30])
})

test('no more than `concurrency` items are worked on at once', async () => {
  let working = 0
  let most = 0
  const work = async (item: number): Promise<number> => {
    most = Math.max(most, ++working)
    await pause(1)
    working--
    return item
  }
  await Array.fromAsync(mapInOrder(Array(20).keys(), work, 4))
  assert.equal(most, 4)
})

test('a consumer that stops ends the reading, after the work already begun has settled', async () => {
  let read = 0
  let settled = 0
  const input = function* (): Generator<number> {
    for (;;) yield read++
  }
  const work = async (item: number): Promise<number> => {
    await pause(5)
    settled++
    return item
  }
  for await (const item of mapInOrder(input(), work, 3)) {
    assert.equal(item, 0)
    break
  }
  assert.ok(read <= 4)
  assert.equal(settled, read)
})

test('a failure comes out in its turn and nothing more is read', async () => {
  const seen: number[] = []
  let read = 0
  const input = function* (): Generator<number> {
    while (read < 100) yield read++
  }
  const work = async (item: number): Promise<number> => {
    if (item === 2) throw new Error('third')
    await pause(1)
    return item
  }
  await assert.rejects(async () => {
    for await (const item of mapInOrder(input(), work, 2)) seen.push(item)
  }, /third/)
  assert.deepEqual(seen, [0, 1])
  assert.ok(read <= 5)
})

test('a stream is joined into one array of bytes', async () => {
  const stream = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('one ')
    yield Buffer.from('')
    yield Buffer.from('two')
  }
  assert.equal(Buffer.from(await collect(stream())).toString(), 'one two')
})
