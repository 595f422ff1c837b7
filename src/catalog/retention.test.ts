import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Kysely } from 'kysely'

import type { Hold } from '#model'
import { openCatalog, type Catalog } from './catalog.ts'
import { migrations } from './migrations/list.ts'
import { openSqlite } from './sqlite.ts'

const folder = await mkdtemp(join(tmpdir(), 'catalog-retention-'))
after(() => rm(folder, { recursive: true }))
let count = 0

function newFile(): string {
  return join(folder, `${++count}.sqlite`)
}

/** A catalog whose clock is set by hand. */
async function open(clock = { at: 1000 }, file = newFile()): Promise<Catalog> {
  return await openCatalog(file, { purpose: 'write', clock: { now: () => clock.at, monotonic: () => 0 } })
}

const size = { bytes: 1, files: 1 }

test('when a snapshot was first seen in a vault stays as it was', async () => {
  const clock = { at: 1000 }
  await using catalog = await open(clock)
  const one = { vault: 'local', project: 'shop', id: 'a', time: 5, ...size }
  await catalog.snapshots.record(one)
  clock.at = 2000
  await catalog.snapshots.record({ ...one, files: 2, receivedAt: 3000 })
  await catalog.snapshots.replaceAll('local', 'shop', [one, { ...one, id: 'b', receivedAt: 2500 }])
  const received = await catalog.snapshots.listReceived('shop')
  assert.deepEqual(
    received.map(({ id, receivedAt, made }) => [id, receivedAt, made]),
    [
      ['a', 1000, undefined],
      ['b', 2500, undefined],
    ],
  )
})

test('snapshots are numbered as they were made, and a copy is made as its source was', async () => {
  await using catalog = await open()
  const key = (vault: string, id: string) => ({ vault, project: 'shop', id })
  for (const [vault, id] of [
    ['local', 'a'],
    ['local', 'b'],
    ['local', 'foreign'],
    ['disk', 'copy of a'],
    ['disk', 'twin of a'],
    ['disk', 'copy of foreign'],
  ] as const)
    await catalog.snapshots.record({ ...key(vault, id), time: 5, ...size })
  await catalog.snapshots.markMade(key('local', 'b'), 'second', { at: 50, isComplete: false })
  await catalog.snapshots.markMade(key('local', 'a'), 'third', { at: 40, isComplete: true })
  await catalog.snapshots.markMade(key('local', 'a'), 'third', { at: 60, isComplete: false })
  await catalog.snapshots.markCopied(key('local', 'a'), key('disk', 'copy of a'))
  await catalog.snapshots.markCopied(key('local', 'a'), key('disk', 'twin of a'))
  await catalog.snapshots.markCopied(key('local', 'foreign'), key('disk', 'copy of foreign'))
  const made = new Map((await catalog.snapshots.listReceived('shop')).map((one) => [one.id, one.made]))
  assert.deepEqual(made.get('b'), { run: 'second', number: 1, at: 50, isComplete: false })
  assert.deepEqual(made.get('a'), { run: 'third', number: 2, at: 40, isComplete: true })
  assert.deepEqual(made.get('copy of a'), made.get('a'))
  for (const id of ['foreign', 'twin of a', 'copy of foreign']) assert.equal(made.get(id), undefined)
})

test('a hold reads back the same, and is lifted once', async () => {
  await using catalog = await open()
  const small: Hold = { id: 'h-000001', project: 'shop', reason: 'audit', beganAt: 1, who: 'anna@host' }
  const whole: Hold = {
    ...small,
    id: 'h-000002',
    project: 'blog',
    vault: 'local',
    snapshot: 'a',
    run: 'r',
    until: '2027-06-30',
    beganAt: 2,
  }
  for (const hold of [small, whole]) await catalog.holds.add(hold)
  assert.deepEqual(await catalog.holds.list(), [whole, small])
  assert.deepEqual(await catalog.holds.list({ project: 'shop' }), [small])
  const lifted = { at: 3, who: 'bert@host', reason: 'closed' }
  assert.equal(await catalog.holds.lift('h-000001', lifted), true)
  assert.equal(await catalog.holds.lift('h-000001', { ...lifted, who: 'carl@host' }), false)
  assert.deepEqual(await catalog.holds.find('h-000001'), { ...small, lifted })
  assert.equal(await catalog.holds.find('h-000003'), undefined)
})

test('a clean-up is recorded before anything goes, and what went is known though it was killed', async () => {
  await using catalog = await open()
  const about = { project: 'shop', vault: 'local' }
  for (const id of ['a', 'b']) await catalog.snapshots.record({ ...about, id, time: 5, ...size })
  await catalog.log.add({ time: 1, kind: 'backup', level: 'info', text: 'one' })
  const beginning = { ...about, mode: 'asked', startedAt: 10, who: 'anna@host' } as const
  const removals = [
    { snapshot: 'a', time: 5, run: 'r' },
    { snapshot: 'b', time: 6 },
  ]
  await catalog.cleanups.begin({ ...beginning, id: 'one' }, removals)
  assert.deepEqual(await catalog.cleanups.removals('shop', 'local'), [])
  await catalog.cleanups.markRemoved('one', 'a', 11)
  assert.deepEqual(await catalog.cleanups.removals('shop', 'local'), [removals[0]])
  assert.equal((await catalog.snapshots.list()).length, 1)
  // a process that was killed before it could say so: the vault says it
  await catalog.snapshots.replaceAll('local', 'shop', [])
  assert.deepEqual((await catalog.cleanups.removals('shop', 'local')).length, 2)
  assert.deepEqual(await catalog.cleanups.removals('shop', 'disk'), [])

  const finding = { subject: 'snapshot b', severity: 'warning', text: 'was not removed' } as const
  const outcome = { status: 'complete', endedAt: 20, isPruned: true, freedBytes: 7, findings: [finding] } as const
  await catalog.log.add({ time: 2, kind: 'cleanup', level: 'info', text: 'two' })
  await catalog.cleanups.end('one', outcome)
  await catalog.cleanups.begin({ ...beginning, id: 'two', startedAt: 5 }, [])
  const [latest, first] = await catalog.cleanups.list(about)
  assert.deepEqual([latest!.id, latest!.status, latest!.logNumber], ['two', 'running', 2])
  assert.deepEqual(first, { ...beginning, id: 'one', ...outcome, logNumber: 2 })
  assert.deepEqual(await catalog.cleanups.list({ ...about, status: 'complete' }), [first])
})

test('the log tells what the clock has shown since an entry, or since a project was first in it', async () => {
  await using catalog = await open()
  for (const [time, project] of [
    [10, undefined],
    [30, 'shop'],
    [20, undefined],
    [40, 'blog'],
  ] as const)
    await catalog.log.add({ time, kind: 'backup', level: 'info', text: 'x', ...(project && { project }) })
  assert.deepEqual(await catalog.log.timesSince(1), [30, 20, 40])
  assert.deepEqual(await catalog.log.timesSince(4), [])
  assert.deepEqual(await catalog.log.timesSince({ project: 'shop' }), [30, 20, 40])
  assert.deepEqual(await catalog.log.timesSince({ project: 'blog' }), [40])
  assert.deepEqual(await catalog.log.timesSince({ project: 'none' }), [])
})

test('of an older catalog, what its runs made is known as made here, with its copies', async () => {
  const file = newFile()
  const sqlite = openSqlite(file, 'write')
  const database = new Kysely<unknown>({ dialect: sqlite.dialect })
  for (const migration of migrations.slice(0, 4)) await migration(database)
  const run = "'shop', 'local', 'complete'"
  sqlite.database.exec(`
    insert into run values ('r2', ${run}, 20, 21, 'b', 0, 0, 0, '[]', 'anna', '[]');
    insert into run values ('r1', ${run}, 10, 11, 'a', 0, 0, 0, '[]', 'anna', '[]');
    insert into run values ('r3', 'shop', 'local', 'failed', 30, 31, null, 0, 0, 0, '[]', 'anna', '[]');
    insert into snapshot values ('local', 'shop', 'a', 10, 1, 1, 'r1', 1, null, null);
    insert into snapshot values ('local', 'shop', 'b', 20, 1, 1, 'r2', 1, null, null);
    insert into snapshot values ('disk', 'shop', 'copy of a', 10, 1, 1, 'r1', 1, null, null);
    insert into snapshot values ('disk', 'shop', 'odd', 15, 1, 1, 'r1', 1, null, null);
    insert into snapshot values ('local', 'shop', 'forged', 10, 1, 1, 'r1', 1, null, null);
    insert into snapshot values ('local', 'shop', 'of r3', 30, 1, 1, 'r3', 1, null, null);
    pragma user_version = 4
  `)
  await database.destroy()
  await using catalog = await open(undefined, file)
  const known = await catalog.snapshots.listReceived('shop')
  const made = Object.fromEntries(known.map((one) => [one.id, one.made?.number]))
  assert.deepEqual(made, { a: 1, b: 2, 'copy of a': 1, odd: undefined, forged: undefined, 'of r3': undefined })
  assert.ok(known.every(({ time, receivedAt }) => time === receivedAt))
})
