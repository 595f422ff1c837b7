import assert from 'node:assert/strict'
import { test } from 'node:test'

import { openForeign } from './foreign-functions.ts'

test('functions of the C library are called with what they take, however many arguments that is', () => {
  const libc = openForeign(null, {
    getpid: { return: 'i32', arguments: [] },
    labs: { return: 'i64', arguments: ['i64'] },
    memcmp: { return: 'i32', arguments: ['buffer', 'buffer', 'u64'] },
    memmem: { return: 'pointer', arguments: ['buffer', 'u64', 'buffer', 'u64'] },
    free: { return: 'void', arguments: ['pointer'] },
  })!
  const [one, other] = [Buffer.from('abc'), Buffer.from('abd')]
  assert.equal(libc.getpid(), process.pid)
  assert.equal(libc.labs(-5n), 5n)
  assert.deepEqual([Math.sign(libc.memcmp(one, other, 3n)), libc.memcmp(one, other, 2n)], [-1, 0])
  assert.equal(libc.memmem(one, 3n, Buffer.from('c'), 1n), libc.addressOf(one) + 2n)
  assert.equal(libc.free(0n), undefined)
})

test('a library that lacks a function is none', () => {
  assert.equal(openForeign(null, { no_such_function: { return: 'i32', arguments: [] } }), undefined)
  assert.equal(openForeign('libnothing.so', { getpid: { return: 'i32', arguments: [] } }), undefined)
})
