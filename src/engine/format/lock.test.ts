import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeLock, encodeLock } from './lock.ts'

const time = '2026-05-06T07:08:09Z'
const lock = { time, exclusive: true, hostname: 'vm', username: 'backup', pid: 4711 }

test('a lock comes back, and is written as restic writes it', () => {
  const withOwner = { ...lock, uid: 1000, gid: 1001 }
  assert.deepEqual(decodeLock(encodeLock(withOwner)), withOwner)
  assert.deepEqual(decodeLock(encodeLock({ ...lock, uid: 0, gid: 0 })), lock)
  assert.equal(
    Buffer.from(encodeLock(withOwner)).toString(),
    `{"time":"${time}","exclusive":true,"hostname":"vm","username":"backup","pid":4711,"uid":1000,"gid":1001}`,
  )
})

test('a lock that does not say it is exclusive is shared', () => {
  assert.equal(decodeLock(Buffer.from(JSON.stringify({ time }))).exclusive, false)
})

test('a lock without a time, or whose kind is a text, is damaged', () => {
  for (const document of ['{}', `{"time":"${time}","exclusive":"yes"}`, 'garbage', '']) {
    assert.throws(() => decodeLock(Buffer.from(document)), { code: 'format.damaged', message: /valid lock/ })
  }
})
