import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { rawPathOf } from '../raw-path.ts'
import { drainParts, recordingContext, sourceSuite, startScript, temporaryFolder } from '../testing.ts'
import { dumpSources } from '../dump-sources.ts'
import { countRecords } from './dump.ts'
import { localHost } from '../host/local-host.ts'
import { chooseJson, mayHoldRecords } from './inspect.ts'
import { readStable } from './read-stable.ts'

/** Rewrites a file in place: empties it, writes one half, waits, writes the other, rests. */
const rewriter = `
  import { closeSync, openSync, writeSync } from 'node:fs'
  const [path, betweenMs, restMs] = process.argv.slice(1)
  const wait = (ms) => new Promise((resolve) => setTimeout(resolve, Number(ms)))
  for (let round = 1; ; round++) {
    const text = JSON.stringify(Array.from({ length: 2000 }, (_, id) => ({ id, round, text: 'x'.repeat(id % 50) })))
    const file = openSync(path, 'w')
    writeSync(file, text.slice(0, text.length / 2))
    if (round === 2) console.log('half')
    await wait(betweenMs)
    writeSync(file, text.slice(text.length / 2))
    closeSync(file)
    if (round === 2) console.log('writing')
    await wait(restMs)
  }
`

/** Replaces a file by renaming, as fast as it can. */
const renamer = `
  import { renameSync, writeFileSync } from 'node:fs'
  const [path] = process.argv.slice(1)
  for (let round = 1; ; round++) {
    writeFileSync(path + '.new', JSON.stringify(Array.from({ length: 500 }, (_, id) => ({ id, round }))))
    renameSync(path + '.new', path)
    if (round === 2) console.log('writing')
    await new Promise((resolve) => setImmediate(resolve))
  }
`

function assertOneRound(bytes: Uint8Array, length: number): void {
  const list = JSON.parse(Buffer.from(bytes).toString()) as { round: number }[]
  assert.equal(list.length, length)
  assert.equal(new Set(list.map(({ round }) => round)).size, 1)
}

test('a file that another process rewrites in place is read whole', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'messages.json')
  await using script = startScript(rewriter, path, '60', '250')
  await script.said('half')
  for (let round = 0; round < 3; round++) {
    const read = await readStable(localHost('/tmp'), rawPathOf(path))
    assert.equal(read.state, 'whole')
    assertOneRound(read.bytes, 2000)
  }
})

test('a plain read of the same file meets half of it: the test can fail', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'messages.json')
  await using script = startScript(rewriter, path, '60', '250')
  await script.said('half')
  assert.throws(() => JSON.parse(readFileSync(path, 'utf8')))
})

test('a file that is replaced all the time is read whole', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'clients.json')
  await using script = startScript(renamer, path)
  await script.said('writing')
  for (let round = 0; round < 3; round++) {
    const read = await readStable(localHost('/tmp'), rawPathOf(path))
    assert.equal(read.state, 'whole')
    assertOneRound(read.bytes, 500)
  }
})

test('a file that is never whole is taken with a warning, after seconds and not later', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'broken.json')
  await using script = startScript(
    `import { appendFileSync, writeFileSync } from 'node:fs'
     writeFileSync(process.argv[1], '[')
     console.log('writing')
     setInterval(() => appendFileSync(process.argv[1], '1, '), 20)`,
    path,
  )
  await script.said('writing')
  const context = recordingContext(folder.path)
  const began = performance.now()
  const drained = await drainParts(
    await dumpSources(
      folder.path,
      [{ kind: 'json', options: { path: folder.path, databases: [rawPathOf(path)], counted: true } }],
      context,
    ),
  )
  assert.ok(performance.now() - began < 60_000)
  assert.equal(context.findings[0]!.severity, 'warning')
  assert.ok(drained.get('files/broken.json')!.length > 0)
  assert.deepEqual(context.artifacts, [])
})

test('a file that is no JSON and has long been so is taken without a word', async () => {
  await using folder = await temporaryFolder()
  for (const [name, bytes] of [
    ['empty.json', ''],
    ['comments.json', '{ /* settings */ "a": 1, }'],
    ['latin.json', Buffer.from([0x7b, 0xff, 0x7d])],
  ] as const) {
    const path = join(folder.path, name)
    writeFileSync(path, bytes)
    utimesSync(path, 1_700_000_000, 1_700_000_000)
    const began = performance.now()
    const read = await readStable(localHost('/tmp'), rawPathOf(path))
    assert.equal(read.state, 'not json')
    assert.ok(Buffer.from(bytes).equals(read.bytes))
    assert.ok(performance.now() - began < 10_000)
  }
})

test('a file that was just emptied is waited for', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'messages.json')
  writeFileSync(path, '[1]')
  truncateSync(path, 0)
  setTimeout(() => writeFileSync(path, '[1, 2]'), 400)
  const read = await readStable(localHost('/tmp'), rawPathOf(path))
  assert.equal(read.state, 'whole')
  assert.deepEqual(read.document, [1, 2])
})

test('reading stops when it is told to', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'messages.json')
  writeFileSync(path, '[')
  const signal = AbortSignal.timeout(100)
  await assert.rejects(readStable(localHost('/tmp'), rawPathOf(path), signal), { name: 'TimeoutError' })
})

test('files of tools are no databases', () => {
  for (const name of [
    'clients.json',
    'messages.json',
    'db.json',
    'data.JSON',
    'nl.json',
    'a.b.json',
    'packages.json',
  ]) {
    assert.deepEqual(mayHoldRecords([name]), [name])
  }
  for (const name of [
    'package.json',
    'package-lock.json',
    'tsconfig.json',
    'tsconfig.build.json',
    'jsconfig.json',
    'composer.json',
    '.eslintrc.json',
    'user.schema.json',
    'manifest.json',
    'clients.json5',
    'json',
  ]) {
    assert.deepEqual(mayHoldRecords([name]), [])
  }
})

test('only what changed lately is chosen when it is asked so, and nothing too large', async () => {
  await using folder = await temporaryFolder()
  const make = (name: string, ageSeconds: number): string => {
    const path = join(folder.path, name)
    writeFileSync(path, '[]')
    const time = Date.now() / 1000 - ageSeconds
    utimesSync(path, time, time)
    return rawPathOf(path)
  }
  const [old, fresh, large] = [make('old.json', 10_000), make('fresh.json', 10), make('large.json', 10)]
  truncateSync(large, 65 * 1024 * 1024)
  mkdirSync(join(folder.path, 'folder.json'))
  const all = [
    old,
    fresh,
    large,
    rawPathOf(join(folder.path, 'folder.json')),
    rawPathOf(join(folder.path, 'gone.json')),
  ]
  assert.deepEqual(await chooseJson(localHost(folder.path), all), [fresh, old])
  assert.deepEqual(await chooseJson(localHost(folder.path), all, 3_600_000), [fresh])
})

test('records are counted by the shape of the document', () => {
  assert.deepEqual(countRecords([1, 2, 3]), { records: 3 })
  assert.deepEqual(countRecords({ a: 1, b: 2 }), { records: 2 })
  assert.deepEqual(countRecords({ users: [1, 2], posts: [] }), { users: 2, posts: 0 })
  assert.deepEqual(countRecords({}), { records: 0 })
  assert.deepEqual(countRecords('text'), { records: 1 })
})

sourceSuite('json', {
  prepare: async (path) => {
    const file = join(path, 'clients.json')
    writeFileSync(file, '[{"id": 1}, {"id": 2}]')
    utimesSync(file, 1_700_000_000, 1_700_000_000)
    return { kind: 'json', options: { path, databases: [rawPathOf(file)], counted: true } }
  },
})
