import assert from 'node:assert/strict'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'

import type { Run, RunOutcome } from '#model'
import { openCatalog, openCatalogOrNone, type Catalog } from './catalog.ts'

const folder = await mkdtemp(join(tmpdir(), 'catalog-'))
after(() => rm(folder, { recursive: true }))
let count = 0

function newFile(): string {
  return join(folder, String(++count), 'state', 'catalog.sqlite')
}

function open(file = newFile()): Promise<Catalog> {
  return openCatalog(file, { purpose: 'write' })
}

const outcome: RunOutcome = {
  status: 'complete',
  endedAt: 2000,
  snapshot: 'a'.repeat(64),
  bytesRead: 5e12,
  bytesAdded: 10,
  files: 3,
  findings: [{ project: 'shop', subject: 'x.sqlite', severity: 'warning', text: 'It changed while it was read' }],
}

async function begin(catalog: Catalog, id: string, startedAt = 1000): Promise<void> {
  await catalog.runs.begin({ id, project: 'shop', vault: 'local', startedAt, who: 'anna@host' })
}

test('a run is stored with its outcome and what it made, and reads back the same', async () => {
  const file = newFile()
  const artifacts = [
    { path: 'database/shop.sqlite', kind: 'sqlite', bytes: 7, sha256: 'b'.repeat(64), rows: { invoice: 5, line: 0 } },
    { path: 'files', kind: 'files', bytes: 9 },
  ]
  {
    await using catalog = await open(file)
    await begin(catalog, 'one')
    await catalog.runs.end('one', outcome, artifacts)
  }
  await using catalog = await openCatalog(file, { purpose: 'read' })
  const expected: Run = { id: 'one', project: 'shop', vault: 'local', startedAt: 1000, who: 'anna@host', ...outcome }
  assert.deepEqual(await catalog.runs.find('one'), expected)
  assert.deepEqual(await catalog.runs.artifacts('one'), artifacts)
  assert.deepEqual(await catalog.runs.lastWithSnapshot('shop'), expected)
  assert.equal(await catalog.runs.find('none'), undefined)
  assert.equal(await catalog.runs.lastWithSnapshot('other'), undefined)
})

test('runs are listed newest first, of one project or of all, as many as asked', async () => {
  await using catalog = await open()
  for (const [id, startedAt] of [
    ['a', 1],
    ['c', 3],
    ['b', 2],
  ] as const)
    await begin(catalog, id, startedAt)
  await catalog.runs.begin({ id: 'd', project: 'blog', vault: 'local', startedAt: 4, who: 'x' })
  const ids = async (query: Parameters<typeof catalog.runs.list>[0]): Promise<string> =>
    (await catalog.runs.list(query)).map(({ id }) => id).join('')
  assert.equal(await ids({}), 'dcba')
  assert.equal(await ids({ project: 'shop' }), 'cba')
  assert.equal(await ids({ project: 'shop', limit: 2 }), 'cb')
})

test('a run ends once, and a run that never began does not end', async () => {
  await using catalog = await open()
  await begin(catalog, 'one')
  await catalog.runs.end('one', outcome, [])
  await assert.rejects(catalog.runs.end('one', outcome, []), { code: 'run.missing' })
  await assert.rejects(catalog.runs.end('two', outcome, []), { code: 'run.missing' })
})

test('an outcome that cannot be stored whole is not stored at all', async () => {
  await using catalog = await open()
  await begin(catalog, 'one')
  const twice = { path: 'files', kind: 'files', bytes: 1 }
  await assert.rejects(catalog.runs.end('one', outcome, [twice, twice]))
  assert.equal((await catalog.runs.find('one'))?.status, 'running')
  assert.deepEqual(await catalog.runs.artifacts('one'), [])
})

test('snapshots: what is recorded again replaces, and what is not given stays', async () => {
  await using catalog = await open()
  const key = { vault: 'local', project: 'shop', id: 'a'.repeat(64) }
  await catalog.snapshots.record({ ...key, time: 1, bytes: 2, files: 3, run: 'r', added: 4 })
  await catalog.snapshots.markVerified(key, 10)
  await catalog.snapshots.markTested(key, 11)
  await catalog.snapshots.record({ ...key, time: 1, bytes: 5, files: 6 })
  const expected = { ...key, time: 1, bytes: 5, files: 6, run: 'r', added: 4, verifiedAt: 10, testedAt: 11 }
  assert.deepEqual(await catalog.snapshots.find(key), expected)
  await catalog.snapshots.remove(key)
  assert.equal(await catalog.snapshots.find(key), undefined)
})

test('snapshots of a vault are replaced by what the vault says, and others are left alone', async () => {
  await using catalog = await open()
  const snapshot = (vault: string, project: string, id: string, time: number) => ({
    vault,
    project,
    id,
    time,
    bytes: 1,
    files: 1,
  })
  const all = [
    snapshot('v', 'shop', '1', 1),
    snapshot('v', 'shop', '2', 2),
    snapshot('v', 'blog', '1', 3),
    snapshot('w', 'shop', '1', 4),
  ]
  for (const one of all) await catalog.snapshots.record(one)
  await catalog.snapshots.markVerified(all[1]!, 9)
  await catalog.snapshots.replaceAll('v', 'shop', [all[1]!, snapshot('v', 'shop', '3', 5)])
  const listed = (await catalog.snapshots.list()).map(({ vault, project, id }) => `${vault} ${project} ${id}`)
  assert.deepEqual(listed, ['v shop 3', 'w shop 1', 'v blog 1', 'v shop 2'])
  assert.equal((await catalog.snapshots.find(all[1]!))?.verifiedAt, 9)
  assert.equal((await catalog.snapshots.list({ vault: 'v', project: 'shop' })).length, 2)
})

test('copies, restores and verifications read back the same, newest first', async () => {
  await using catalog = await open()
  const times = { startedAt: 1, endedAt: 2, findings: [] }
  const copy = {
    id: 'c',
    project: 'shop',
    from: 'v',
    to: 'w',
    status: 'complete',
    snapshots: 1,
    bytesAdded: 5,
    verified: 0.25,
    ...times,
  } as const
  const restore = {
    id: 'r',
    project: 'shop',
    vault: 'v',
    snapshot: 's',
    target: '/x',
    status: 'incomplete',
    files: 1,
    bytes: 2,
    who: 'a',
    ...times,
  } as const
  const verification = {
    id: 'f',
    project: 'shop',
    vault: 'v',
    status: 'sound',
    share: 0.05,
    bytesRead: 3,
    who: 'a',
    ...times,
  } as const
  for (const one of [copy, { ...copy, id: 'd', run: 'one', startedAt: 3 }]) {
    await catalog.copies.begin(one)
    await catalog.copies.end(one, one)
  }
  await catalog.restores.add(restore)
  await catalog.verifications.add(verification)
  assert.deepEqual(await catalog.copies.list({ project: 'shop', to: 'w' }), [
    { ...copy, id: 'd', run: 'one', startedAt: 3 },
    copy,
  ])
  assert.deepEqual(await catalog.restores.list({ project: 'shop', limit: 1 }), [restore])
  assert.deepEqual(await catalog.verifications.list({ vault: 'v' }), [verification])
  assert.deepEqual(await catalog.verifications.list({ vault: 'w' }), [])
})

test('of two copies of a project to one vault that begin at once, one wins', async () => {
  const file = newFile()
  await using one = await open(file)
  await using other = await open(file)
  const copy = { id: 'c', project: 'shop', from: 'v', to: 'w', startedAt: 1 }
  assert.equal(await one.copies.begin(copy), undefined)
  assert.deepEqual(await other.copies.begin({ ...copy, id: 'd', startedAt: 2 }), copy)
  assert.equal(await other.copies.begin({ ...copy, id: 'e', to: 'x', run: 'r', startedAt: 3 }), undefined)
  const second = { id: 'e', project: 'shop', from: 'v', to: 'x', startedAt: 3, run: 'r' }
  assert.deepEqual(await one.copies.open({ project: 'shop' }), [copy, second])
  assert.deepEqual(await one.copies.open({ project: 'blog' }), [])
  assert.deepEqual(await one.copies.list(), [])
  assert.deepEqual(await one.copies.closeAbandoned(9), [])
  await one.copies.end(copy, { status: 'complete', endedAt: 4, snapshots: 1, bytesAdded: 2, findings: [] })
  assert.equal(await other.copies.begin({ ...copy, id: 'f' }), undefined)
})

test('the log gives its latest entries in the order in which they came', async () => {
  await using catalog = await open()
  for (let time = 1; time <= 5; time++) {
    await catalog.log.add({
      time: 10 - time,
      kind: 'backup',
      level: 'info',
      text: `${time}`,
      project: time % 2 ? 'a' : 'b',
    })
  }
  await catalog.log.add({ time: 1, kind: 'init', level: 'warning', text: 'six' })
  assert.deepEqual(
    (await catalog.log.latest({ limit: 3 })).map(({ text }) => text),
    ['4', '5', 'six'],
  )
  assert.deepEqual(
    (await catalog.log.latest({ limit: 9, project: 'a' })).map(({ text }) => text),
    ['1', '3', '5'],
  )
  assert.deepEqual((await catalog.log.latest({ limit: 1 }))[0], {
    time: 1,
    kind: 'init',
    level: 'warning',
    text: 'six',
  })
})

test('only the owner can read the catalog and its journals', async () => {
  const file = newFile()
  await using catalog = await open(file)
  await begin(catalog, 'one')
  for (const name of await readdir(join(file, '..'))) {
    assert.equal((await stat(join(file, '..', name))).mode & 0o777, 0o600, name)
  }
  assert.equal((await stat(join(file, '..'))).mode & 0o777, 0o700)
})

test('to read, a catalog that is not there is not made', async () => {
  const file = newFile()
  await assert.rejects(openCatalog(file, { purpose: 'read' }), { code: 'catalog.missing' })
  assert.deepEqual(await openCatalogOrNone(file, { purpose: 'read' }), { catalog: undefined })
  await assert.rejects(stat(file), { code: 'ENOENT' })
})

test('a damaged catalog is an error, is no catalog to read, and is moved aside to write', async () => {
  const bad: readonly ((bytes: Buffer) => Buffer)[] = [
    () => Buffer.from('this is not a database, it is a text of some length'.repeat(9)),
    (bytes) => bytes.subarray(0, bytes.length / 2),
    (bytes) => Buffer.concat([bytes.subarray(0, 4096), Buffer.alloc(bytes.length - 4096, 0xff)]),
    (bytes) => Buffer.concat([Buffer.alloc(16, 1), bytes.subarray(16)]),
  ]
  for (const spoil of bad) {
    const file = newFile()
    {
      await using catalog = await open(file)
      await begin(catalog, 'one')
    }
    const spoilt = spoil(await readFile(file))
    await writeFile(file, spoilt)
    await assert.rejects(open(file), { code: 'catalog.damaged', kind: 'damaged' })
    const reading = await openCatalogOrNone(file, { purpose: 'read' })
    assert.equal(reading.catalog, undefined)
    assert.match(reading.warning!, /is damaged/)

    const { catalog, warning } = await openCatalogOrNone(file, { purpose: 'write' })
    await using opened = catalog!
    assert.deepEqual(await opened.runs.list(), [])
    const kept = /kept as (\S+catalog\.damaged-\S+),/.exec(warning!)![1]!
    assert.deepEqual(await readFile(kept), spoilt)
  }
})

test('a catalog of a newer version is not touched', async () => {
  const file = newFile()
  await (await open(file))[Symbol.asyncDispose]()
  const database = new DatabaseSync(file)
  database.exec('pragma user_version = 99')
  database.close()
  await assert.rejects(open(file), { code: 'catalog.newer', kind: 'conflict' })
  await assert.rejects(openCatalogOrNone(file, { purpose: 'write' }), { code: 'catalog.newer' })
  const { catalog, warning } = await openCatalogOrNone(file, { purpose: 'read' })
  assert.equal(catalog, undefined)
  assert.match(warning!, /newer version/)
})

test('a folder that cannot be made is a typed error', async () => {
  const file = join(folder, 'plain')
  await writeFile(file, '')
  await assert.rejects(open(join(file, 'state', 'catalog.sqlite')), { code: 'catalog.unavailable' })
})

test('a second writer waits for the first, and one that waits too long says so', async () => {
  const file = newFile()
  await using catalog = await openCatalog(file, { purpose: 'write', waitMs: 100 })
  const other = new DatabaseSync(file)
  other.exec('begin immediate')
  await assert.rejects(begin(catalog, 'one'), { code: 'catalog.busy', kind: 'locked' })
  other.exec('rollback')
  other.close()
  await begin(catalog, 'one')
})

test('the run of a living process is left open', { timeout: 30_000 }, async () => {
  const file = newFile()
  await using catalog = await open(file)
  await begin(catalog, 'mine')
  await using other = await open(file)
  assert.equal((await other.runs.find('mine'))?.status, 'running')
})

test('a folder that others may read still hides the catalog', async () => {
  const file = join(folder, 'shared', 'catalog.sqlite')
  await (await open(file))[Symbol.asyncDispose]()
  await chmod(join(folder, 'shared'), 0o755)
  await using catalog = await open(file)
  assert.equal((await stat(catalog.file)).mode & 0o777, 0o600)
})
