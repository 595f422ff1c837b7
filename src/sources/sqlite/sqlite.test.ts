import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'

import { dumpSources } from '../dump-sources.ts'
import { bytesOf, rawPathOf } from '../raw-path.ts'
import {
  drainParts,
  recordingContext,
  sourceSuite,
  startScript,
  temporaryFolder,
  type RecordingContext,
} from '../testing.ts'
import type { PlannedSource } from '../table.ts'

/** Two tables that every transaction grows by the same number of rows, and whose sums agree. */
const schema = `
  create table account (id integer primary key, amount integer not null, filling blob);
  create table booking (id integer primary key, amount integer not null);
  create index account_amount on account (amount);
`

/** Commits transactions that keep the two tables equal, until it is stopped. */
const writer = `
  import { DatabaseSync } from 'node:sqlite'
  const [path, mode, hold] = process.argv.slice(1)
  const database = new DatabaseSync(path, { timeout: 20000 })
  database.exec('pragma journal_mode = ' + mode)
  database.exec('pragma cache_size = 20')
  let stopped = false
  process.on('SIGTERM', () => { stopped = true })
  let commits = 0
  let longest = 0
  while (!stopped) {
    const began = performance.now()
    database.exec('begin immediate')
    for (let row = 0; row < 20; row++) {
      database.exec('insert into account (amount, filling) values (' + row + ', randomblob(600))')
      database.exec('update account set amount = amount + 0, filling = randomblob(600) where id = abs(random()) % 2000')
    }
    if (hold === 'half' && commits === 3) {
      console.log('half')
      for (;;) await new Promise((resolve) => setTimeout(resolve, 1000))
    }
    for (let row = 0; row < 20; row++) database.exec('insert into booking (amount) values (' + row + ')')
    database.exec('commit')
    longest = Math.max(longest, performance.now() - began)
    if (++commits === 5) console.log('writing')
    await new Promise((resolve) => setImmediate(resolve))
  }
  console.log('commits ' + commits + ' longest ' + Math.round(longest))
  database.close()
`

function makeDatabase(path: string, mode: string, rows = 3000): void {
  using database = new DatabaseSync(path)
  database.exec(`pragma journal_mode = ${mode}`)
  database.exec(schema)
  database.exec('begin')
  const account = database.prepare('insert into account (amount, filling) values (?, randomblob(600))')
  const booking = database.prepare('insert into booking (amount) values (?)')
  for (let row = 0; row < rows; row++) {
    account.run(row)
    booking.run(row)
  }
  database.exec('commit')
}

function planned(path: string, ...databases: string[]): PlannedSource[] {
  return [
    { kind: 'files', options: { path, leaveOut: [] } },
    { kind: 'sqlite', options: { path, databases: databases.map((name) => rawPathOf(join(path, name))) } },
  ]
}

async function makeProject() {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'project')
  const temporary = join(folder.path, 'temporary')
  await mkdir(join(path, 'data'), { recursive: true })
  await mkdir(temporary, { mode: 0o700 })
  const context = recordingContext(temporary)
  return {
    path,
    temporary,
    context,
    dump: async (...databases: string[]) => drainParts(await dumpSources(path, planned(path, ...databases), context)),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

/** Opens copied bytes and asks whether every transaction is there whole. @returns rows of a table. */
function assertWhole(bytes: Uint8Array, folder: string): number {
  const path = join(folder, 'examined.db')
  writeFileSync(path, bytes)
  using database = new DatabaseSync(path)
  assert.deepEqual(database.prepare('pragma integrity_check').all().map(Object.values), [['ok']])
  const sums = database
    .prepare(
      `select (select count(*) from account) as accounts, (select count(*) from booking) as bookings,
       (select sum(amount) from account) = (select sum(amount) from booking) as agree`,
    )
    .get()!
  assert.equal(sums['accounts'], sums['bookings'])
  assert.equal(sums['agree'], 1)
  database.close()
  for (const side of ['', '-wal', '-shm', '-journal']) rmSync(path + side, { force: true })
  return Number(sums['accounts'])
}

function rowsOf(context: RecordingContext): Readonly<Record<string, number>> {
  return context.artifacts.at(-1)!.rows!
}

for (const mode of ['wal', 'delete', 'truncate', 'persist']) {
  test(`a database that is written to without a pause is copied between two transactions (journal: ${mode})`, async () => {
    await using project = await makeProject()
    const path = join(project.path, 'data/app.db')
    makeDatabase(path, mode)
    await using script = startScript(writer, path, mode)
    await script.said('writing')
    let before = 0
    for (let round = 0; round < 3; round++) {
      const drained = await project.dump('data/app.db')
      assert.deepEqual([...drained.keys()], ['files/data/app.db'])
      const rows = assertWhole(drained.get('files/data/app.db')!, project.temporary)
      assert.ok(rows > before, 'the copy has what was committed since')
      before = rows
      assert.deepEqual(rowsOf(project.context), { account: rows, booking: rows })
    }
    assert.deepEqual(project.context.findings, [])
    const longest = Number(/longest (\d+)/.exec(await script.stop())![1])
    assert.ok(longest < 10_000, `a writer waited for ${longest} ms`)
    assert.deepEqual(readdirSync(project.temporary), [])
  })
}

test('a plain copy of the same database under the same writer is not whole: the test can fail', async () => {
  await using project = await makeProject()
  const path = join(project.path, 'data/app.db')
  makeDatabase(path, 'wal')
  await using script = startScript(writer, path, 'wal')
  await script.said('writing')
  let wrong = 0
  for (let round = 0; round < 40 && wrong === 0; round++) {
    const copy = join(project.temporary, 'plain.db')
    copyFileSync(path, copy)
    try {
      using database = new DatabaseSync(path)
      const live = Number(database.prepare('select count(*) as rows from account').get()!['rows'])
      if (assertWhole(readFileSync(copy), project.temporary) < live - 20) wrong++
    } catch {
      wrong++
    }
  }
  assert.ok(wrong > 0)
})

for (const mode of ['wal', 'delete']) {
  test(`a database at rest is taken byte for byte, and nothing is laid beside it (journal: ${mode})`, async () => {
    await using project = await makeProject()
    const path = join(project.path, 'app.sqlite3')
    makeDatabase(path, mode)
    const { mtimeNs } = lstatSync(project.path, { bigint: true })
    const drained = await project.dump('app.sqlite3')
    assert.ok(readFileSync(path).equals(drained.get('files/app.sqlite3')!))
    assert.deepEqual(readdirSync(project.path).sort(), ['app.sqlite3', 'data'])
    assert.equal(lstatSync(project.path, { bigint: true }).mtimeNs, mtimeNs)
    assert.equal(project.context.artifacts[0]!.facts['copied'], 'as it lies')
    assert.deepEqual(rowsOf(project.context), { account: 3000, booking: 3000 })
  })
}

test('what a killed program left in a write-ahead log is in the copy, with and without its shared memory', async () => {
  for (const withMemory of [true, false]) {
    await using project = await makeProject()
    const path = join(project.path, 'app.db')
    makeDatabase(path, 'wal')
    await using script = startScript(writer, path, 'wal')
    await script.said('writing')
    await script.kill()
    assert.ok(existsSync(`${path}-wal`))
    if (!withMemory) rmSync(`${path}-shm`)
    const drained = await project.dump('app.db')
    assert.deepEqual([...drained.keys()], ['files/app.db'])
    assert.ok(assertWhole(drained.get('files/app.db')!, project.temporary) >= 3100)
    assert.ok(existsSync(`${path}-wal`), 'the log is still there')
    assert.equal(existsSync(`${path}-shm`), withMemory)
    assert.deepEqual(project.context.findings, [])
  }
})

test('a transaction that a killed program left half done is undone in the copy, and not in the original', async () => {
  await using project = await makeProject()
  const path = join(project.path, 'app.db')
  makeDatabase(path, 'delete')
  await using script = startScript(writer, path, 'delete', 'half')
  await script.said('half')
  await script.kill()
  assert.ok(existsSync(`${path}-journal`))
  const [database, journal] = [readFileSync(path), readFileSync(`${path}-journal`)]
  const drained = await project.dump('app.db')
  assert.equal(assertWhole(drained.get('files/app.db')!, project.temporary), 3000 + 3 * 20)
  assert.ok(readFileSync(path).equals(database) && readFileSync(`${path}-journal`).equals(journal))
  assert.deepEqual(project.context.findings, [])
})

test('a transaction that is half done while the copy is made is not in it', async () => {
  await using project = await makeProject()
  const path = join(project.path, 'app.db')
  makeDatabase(path, 'wal')
  await using script = startScript(writer, path, 'wal', 'half')
  await script.said('half')
  const drained = await project.dump('app.db')
  assert.equal(assertWhole(drained.get('files/app.db')!, project.temporary), 3000 + 3 * 20)
})

test('names of any bytes, and tables of odd names, are copied and counted', async () => {
  await using project = await makeProject()
  const name = Buffer.concat([Buffer.from("it's 100%?#"), Buffer.from([0xff, 0xe9]), Buffer.from('\n.db')])
  const path = Buffer.concat([Buffer.from(`${project.path}/`), name])
  const plain = join(project.temporary, 'plain.db')
  {
    using database = new DatabaseSync(plain)
    database.exec(`create table "a ""quoted"" table" (x); insert into "a ""quoted"" table" values (1), (2);
      create virtual table search using fts5(body); insert into search values ('x');
      create table "sqlite-like" (x); create view v as select 1; create table w (k text primary key) without rowid`)
  }
  copyFileSync(plain, path)
  rmSync(plain)
  const raw = path.toString('latin1')
  const sources: PlannedSource[] = [
    { kind: 'files', options: { path: project.path, leaveOut: [] } },
    { kind: 'sqlite', options: { path: project.path, databases: [raw] } },
  ]
  const drained = await drainParts(await dumpSources(project.path, sources, project.context))
  assert.ok(readFileSync(bytesOf(raw)).equals(drained.get(`files/${name.toString('latin1')}`)!))
  assert.deepEqual(rowsOf(project.context), { 'a "quoted" table': 2, search: 1, 'sqlite-like': 0, w: 0 })
})

test('a damaged database is kept as it is, with a finding of damage', async () => {
  await using project = await makeProject()
  const path = join(project.path, 'app.db')
  makeDatabase(path, 'delete')
  const bytes = readFileSync(path)
  bytes.fill(0xab, 8192, 300_000)
  writeFileSync(path, bytes)
  const drained = await project.dump('app.db')
  assert.ok(bytes.equals(drained.get('files/app.db')!))
  assert.equal(project.context.findings[0]!.severity, 'damage')
})

test('what only begins like a database is taken as a plain file, with a warning', async () => {
  await using project = await makeProject()
  const path = join(project.path, 'app.db')
  const bytes = Buffer.concat([Buffer.from('SQLite format 3\0', 'latin1'), Buffer.alloc(5000, 7)])
  writeFileSync(path, bytes)
  const drained = await project.dump('app.db')
  assert.ok(bytes.equals(drained.get('files/app.db')!))
  assert.equal(project.context.findings[0]!.severity, 'warning')
  assert.equal(project.context.artifacts.length, 0)
})

test('a database of which no copy can be made is taken as it lies, with a warning', async () => {
  await using project = await makeProject()
  const path = join(project.path, 'app.db')
  makeDatabase(path, 'delete')
  rmSync(project.temporary, { recursive: true })
  const drained = await project.dump('app.db')
  assert.ok(readFileSync(path).equals(drained.get('files/app.db')!))
  assert.equal(project.context.findings[0]!.severity, 'warning')
})

test('a database of which no copy can be made is taken with the log in which its last transactions are', async () => {
  await using project = await makeProject()
  const files = { '': Buffer.alloc(5000, 7), '-wal': Buffer.alloc(5000, 'committed, and nowhere else') }
  files[''].write('SQLite format 3\0', 'latin1')
  for (const [side, bytes] of Object.entries(files)) writeFileSync(join(project.path, `app.db${side}`), bytes)
  const drained = await project.dump('app.db')
  for (const [side, bytes] of Object.entries(files)) assert.ok(bytes.equals(drained.get(`files/app.db${side}`)!))
  assert.equal(project.context.findings[0]!.severity, 'warning')
})

test('a copy can be read by its owner alone while it lies there', async () => {
  await using project = await makeProject()
  const path = join(project.path, 'app.db')
  makeDatabase(path, 'delete')
  chmodSync(path, 0o644)
  const [part] = await dumpSources(project.path, planned(project.path, 'app.db'), project.context)
  assert.ok(part?.kind === 'folder')
  const content = part.replace!.get('app.db')!
  assert.ok(content.kind === 'stream')
  for await (const piece of content.open()) {
    assert.ok(piece.length > 0)
    const modes = readdirSync(project.temporary).map((name) => lstatSync(join(project.temporary, name)).mode & 0o777)
    assert.deepEqual(modes, [0o600])
    break
  }
  assert.deepEqual(readdirSync(project.temporary), [])
})

sourceSuite('sqlite at rest', {
  prepare: async (path) => {
    makeDatabase(join(path, 'app.db'), 'wal', 500)
    return { kind: 'sqlite', options: { path, databases: [rawPathOf(join(path, 'app.db'))] } }
  },
})
