import assert from 'node:assert/strict'
import { test } from 'node:test'

import { runProgram } from './subprocess.ts'

/** Compiles call after call, so that V8 is at it at any moment. */
const thread = `
  const { openForeign } = await import('${import.meta.resolve('./foreign-functions.ts')}')
  const { parentPort } = await import('node:worker_threads')
  const libc = openForeign(null, {
    getpid: { return: 'i32', arguments: [] },
    labs: { return: 'i64', arguments: ['i64'] },
    memcmp: { return: 'i32', arguments: ['buffer', 'buffer', 'u64'] },
    pread: { return: 'i64', arguments: ['i32', 'buffer', 'u64', 'i64'] },
  })
  const [one, other] = [Buffer.alloc(64), Buffer.alloc(64)]
  const make = (nth) => new Function('libc', 'one', 'other', 'return function call' + nth + '() {' +
    'return libc.getpid() + Number(libc.labs(-5n)) + libc.memcmp(one, other, 64n) + Number(libc.pread(-1, one, 1n, 0n)) }')(libc, one, other)
  parentPort.postMessage('at work')
  for (let nth = 0; ; nth++) for (let call = make(nth), times = 0; times < 20000; times++) call()`

const main = `
  import { Worker } from 'node:worker_threads'
  for (let round = 0; round < 60; round++) {
    const threads = [1, 2].map(() => new Worker(${JSON.stringify(thread)}, { eval: true, execArgv: ['--input-type=module'] }))
    await Promise.all(threads.map((thread) => new Promise((resolve) => thread.once('message', resolve))))
    await new Promise((resolve) => setTimeout(resolve, 20 + ((round * 7) % 200)))
    await Promise.all(threads.map((thread) => thread.terminate()))
  }
  console.log('all have ended')`

test('a thread that ends while a call of the C library is being compiled ends nothing else', async () => {
  for (let time = 0; time < 5; time++) {
    assert.equal(await runProgram(process.execPath, ['--input-type=module', '--eval', main]), 'all have ended\n')
  }
})
