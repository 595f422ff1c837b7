import assert from 'node:assert/strict'
import { test } from 'node:test'

import { findLostRows } from './row-changes.ts'
import type { Artifact } from './run.ts'

function database(rows: Record<string, number>, path = 'database/shop.sql'): Artifact {
  return { path, kind: 'mysql', bytes: 1, rows }
}

function texts(before: Artifact[], after: Artifact[]): string[] {
  return findLostRows(before, after).map(({ subject, text }) => `${subject}: ${text}`)
}

test('what grows, stays or shrinks a little is no news', () => {
  const before = database({ users: 1000, orders: 5000, empty: 0, settings: 12 })
  assert.deepEqual(texts([before], [before]), [])
  assert.deepEqual(texts([before], [database({ users: 501, orders: 9000, empty: 4, settings: 1 })]), [])
  assert.deepEqual(texts([], [before]), [])
})

test('a table that is gone or fell sharply is told', () => {
  const before = database({ users: 1000, orders: 5000, empty: 0 })
  assert.deepEqual(texts([before], [database({ orders: 2500 })]), [
    'database/shop.sql: The table users is gone; the last backup had 1,000 rows of it',
    'database/shop.sql: The table orders fell from 5,000 rows to 2,500 since the last backup',
  ])
})

test('a database that is empty is told once, and one that is gone too', () => {
  const before = database({ users: 1000, orders: 5000 })
  assert.deepEqual(texts([before], [database({ users: 0, orders: 0 })]), [
    'database/shop.sql: This database is empty now; the last backup had 6,000 rows of it',
  ])
  assert.deepEqual(texts([before], [database({})]), [
    'database/shop.sql: This database is empty now; the last backup had 6,000 rows of it',
  ])
  assert.deepEqual(texts([before], []), [
    'database/shop.sql: This database was in the last backup, and is not in this one',
  ])
})

test('tables that empty themselves every day raise no alarm, and their names end so', () => {
  const names = ['sessions', 'public.sessions', 'cache', 'jobs', 'telescope_entries', 'failed_jobs']
  const before = database(Object.fromEntries([...names, 'users'].map((name) => [name, 500])))
  const after = database(Object.fromEntries([...names.map((name) => [name, 0]), ['users', 500]]))
  assert.deepEqual(texts([before], [after]), [])
  const own = database({ session_bookings: 500, users: 1 })
  assert.equal(texts([own], [database({ session_bookings: 0, users: 1 })]).length, 1)
})

test('tables whose names are words of JavaScript are tables', () => {
  const before = database({ constructor: 200, ['__proto__x']: 200, users: 5 })
  assert.equal(texts([before], [database({ users: 5 })]).length, 2)
})
