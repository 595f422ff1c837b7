import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'

import { dumpSources } from './dump-sources.ts'
import { rawPathOf } from './raw-path.ts'
import type { PlannedSource } from './table.ts'
import { drainParts, recordingContext, sourceSuite, temporaryFolder } from './testing.ts'

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
    utimesSync(path, 1_700_000_000, 1_700_000_000)
  }
}

async function makeProject(files: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'shop')
  mkdirSync(path)
  write(path, files)
  const context = recordingContext(folder.path)
  return {
    path,
    elsewhere: join(folder.path, 'elsewhere'),
    context,
    dump: async (...sources: PlannedSource[]) => drainParts(await dumpSources(path, sources, context)),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

test('a folder is taken as it is, without what patterns leave out', async () => {
  await using project = await makeProject({
    'a.txt': 'a',
    'b/c.log': 'c',
    'b/d.txt': 'd',
    'tmp/x': 'x',
    'b/tmp/y': 'y',
  })
  symlinkSync('a.txt', join(project.path, 'link'))
  const drained = await project.dump({ kind: 'files', options: { path: project.path, leaveOut: ['*.log', '/tmp/'] } })
  assert.deepEqual([...drained.keys()].sort(), ['files/a.txt', 'files/b/d.txt', 'files/b/tmp/y', 'files/link'])
})

test('only what is wanted is taken, wherever it lies, and a name that is not there is said', async () => {
  await using project = await makeProject({
    'storage/app/invoices/1.pdf': '1',
    'storage/app/other/2.pdf': '2',
    'uploads/a/b.png': 'b',
    'data/app.json': '[]',
    'index.js': 'x',
  })
  write(project.elsewhere, { 'disk/x.bin': 'x', 'disk/deep/y.bin': 'y', 'one.txt': 'one', 'two.txt': 'two' })
  const drained = await project.dump({
    kind: 'files',
    options: {
      path: project.path,
      wanted: [
        'storage/app/invoices',
        join(project.path, 'uploads'),
        join(project.elsewhere, 'disk'),
        join(project.elsewhere, 'one.txt'),
        'storage/ap/invoices',
        join(project.elsewhere, 'three.txt'),
      ],
      besides: ['data/app.json'],
      leaveOut: [],
    },
  })
  const outside = rawPathOf(project.elsewhere).slice(1)
  assert.deepEqual([...drained.keys()].sort(), [
    `files/+${outside}/disk/deep/y.bin`,
    `files/+${outside}/disk/x.bin`,
    `files/+${outside}/one.txt`,
    'files/data/app.json',
    'files/storage/app/invoices/1.pdf',
    'files/uploads/a/b.png',
  ])
  assert.deepEqual(
    project.context.findings.map(({ subject, severity }) => [subject, severity]),
    [
      [join(project.elsewhere, 'three.txt'), 'warning'],
      [join(project.path, 'storage/ap/invoices'), 'warning'],
    ],
  )
})

test('settings lie in config, and not a second time in files', async () => {
  await using project = await makeProject({
    '.env': 'KEY=1',
    'certs/a.key': 'k',
    'certs/readme.txt': 'r',
    'index.js': 'x',
  })
  const drained = await project.dump(
    { kind: 'files', options: { path: project.path, leaveOut: [] } },
    { kind: 'secrets', options: { path: project.path, files: ['.env', 'certs/a.key'] } },
  )
  assert.deepEqual([...drained.keys()].sort(), [
    'config/.env',
    'config/certs/a.key',
    'files/certs/readme.txt',
    'files/index.js',
  ])
})

test('a database that no folder holds is taken by itself, and one in a folder elsewhere at its place there', async () => {
  await using project = await makeProject({ 'index.js': 'x' })
  write(project.elsewhere, { 'disk/keep.txt': 'k', 'lone/other.txt': 'o', 'lone.txt/x.json': '[1]' })
  const databases = ['disk/app.db', 'lone/app.db', 'lone/more.db'].map((name) => {
    const path = join(project.elsewhere, name)
    using database = new DatabaseSync(path)
    database.exec('create table t (x); insert into t values (1)')
    return rawPathOf(path)
  })
  const drained = await project.dump(
    {
      kind: 'files',
      options: { path: project.path, wanted: [join(project.elsewhere, 'disk')], leaveOut: [] },
    },
    { kind: 'sqlite', options: { path: project.path, databases } },
  )
  const outside = `files/+${rawPathOf(project.elsewhere).slice(1)}`
  assert.deepEqual([...drained.keys()].sort(), [
    `${outside}/disk/app.db`,
    `${outside}/disk/keep.txt`,
    `${outside}/lone/app.db`,
    `${outside}/lone/more.db`,
  ])
  assert.deepEqual(
    project.context.artifacts.map(({ path }) => path),
    [`${outside}/disk/app.db`, `${outside}/lone/app.db`, `${outside}/lone/more.db`],
  )
})

sourceSuite('files', {
  prepare: async (path) => {
    write(path, { 'a.txt': 'a', 'b/c.txt': 'c' })
    return { kind: 'files', options: { path, leaveOut: [] } }
  },
})

sourceSuite('secrets', {
  prepare: async (path) => {
    write(path, { '.env': 'KEY=1', 'certs/deep/a.pem': 'k' })
    return { kind: 'secrets', options: { path, files: ['.env', 'certs/deep/a.pem'] } }
  },
})

test('what patterns leave out is taken all the same when it is asked for, and nothing else of its folder', async () => {
  await using project = await makeProject({
    'a.txt': 'a',
    'cache/b/one': '1',
    'cache/b/two': '2',
    'cache/three': '3',
    'x.log': 'x',
    'y.log': 'y',
    'uploads/z': 'z',
  })
  const wanted = ['cache/b/one', 'x.log', 'a.txt', 'gone.log']
  const also = () => wanted.map((name) => ({ path: rawPathOf(join(project.path, name)), kind: 'file' as const }))
  const leaveOut = ['*.log', '/cache/']
  const dumped = async (options: object): Promise<string[]> => {
    const source = { kind: 'files', options: { path: project.path, leaveOut, ...options } } as const
    const parts = await dumpSources(project.path, [source], { ...project.context, also })
    return [...(await drainParts(parts)).keys()].toSorted()
  }
  assert.deepEqual(await dumped({}), ['files/a.txt', 'files/cache/b/one', 'files/uploads/z', 'files/x.log'])
  assert.deepEqual(await dumped({ wanted: [project.elsewhere] }), ['files/a.txt', 'files/cache/b/one', 'files/x.log'])
})
