import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'

import { projectTypes } from '#model'
import { dumpSources, localHost } from '#sources'
import { drainParts, recordingContext, temporaryFolder } from '#sources/testing'
import type { ProjectContent, ProjectPlan } from './strategy.ts'
import { detectTypes, getStrategy } from './table.ts'

const files = {
  'package.json': '{ "name": "shop", "scripts": { "start": "node ." }, "dependencies": { "express": "5" } }',
  'package-lock.json': '{}',
  'tsconfig.json': '{}',
  'index.js': 'x',
  'dist/bundle.js': 'built',
  '.env': 'SECRET=1',
  '.env.example': 'SECRET=',
  'certs/server.key': 'key',
  'certs/server.crt': 'crt',
  'config/database.local.json': '{ "password": "x" }',
  'data/clients.json': '[{ "id": 1 }, { "id": 2 }]',
  'data/messages.json': '{ "inbox": [1, 2, 3], "sent": [] }',
  'uploads/customer/tmp/keep.txt': 'k',
  'uploads/customer/server.log': 'k',
  'uploads/coverage/keep.pdf': 'k',
  'node_modules/express/index.js': 'x',
  'packages/a/node_modules/b/index.js': 'x',
  'apps/web/.next/cache/x': 'x',
  'apps/web/.next/server.js': 'x',
  '.cache/x': 'x',
  'coverage/lcov.info': 'x',
  'tmp/x': 'x',
  'server.log': 'x',
  'logs/2025/app.log': 'x',
  'logs/readme.txt': 'x',
  'npm-debug.log': 'x',
}

function write(folder: string, contents: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

function makeDatabase(path: string): void {
  using database = new DatabaseSync(path)
  database.exec('create table invoice (x); insert into invoice values (1), (2), (3)')
}

function git(path: string, ...args: string[]): void {
  const author = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'commit.gpgsign=false']
  execFileSync('git', ['-C', path, ...author, ...args], { stdio: 'ignore' })
}

async function makeProject(contents: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'shop')
  const temporary = join(folder.path, 'temporary')
  mkdirSync(path)
  mkdirSync(temporary)
  write(path, contents)
  const context = recordingContext(temporary)
  return {
    path,
    folder: folder.path,
    context,
    drain: async ({ sources }: ProjectPlan) =>
      [...(await drainParts(await dumpSources(path, sources, context))).keys()].sort(),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

function content(path: string, more: Partial<ProjectContent> = {}): ProjectContent {
  return { path, leaveOut: [], ...more }
}

test('node-app takes files, databases, settings and history, and leaves out what tools make again', async () => {
  await using project = await makeProject(files)
  makeDatabase(join(project.path, 'data/app.sqlite'))
  git(project.path, 'init')
  git(project.path, 'add', 'index.js')
  git(project.path, 'commit', '-m', 'first')
  const plan = await getStrategy('node-app').plan(content(project.path), localHost('/tmp'))
  assert.deepEqual(await project.drain(plan), [
    'config/.env',
    'config/certs/server.crt',
    'config/certs/server.key',
    'config/config/database.local.json',
    'files/.env.example',
    'files/apps/web/.next/server.js',
    'files/data/app.sqlite',
    'files/data/clients.json',
    'files/data/messages.json',
    'files/dist/bundle.js',
    'files/index.js',
    'files/logs/readme.txt',
    'files/package-lock.json',
    'files/package.json',
    'files/tsconfig.json',
    'files/uploads/coverage/keep.pdf',
    'files/uploads/customer/server.log',
    'files/uploads/customer/tmp/keep.txt',
    'git/HEAD',
    'git/config',
    'git/info/exclude',
    'git/repository.bundle',
  ])
  assert.deepEqual(plan.findings, [])
  assert.deepEqual(project.context.findings, [])
  const rows = Object.fromEntries(project.context.artifacts.map(({ path, rows }) => [path, rows]))
  assert.deepEqual(rows, {
    'files/data/app.sqlite': { invoice: 3 },
    'files/data/clients.json': { records: 2 },
    'files/data/messages.json': { inbox: 3, sent: 0 },
    'git/repository.bundle': undefined,
  })
  const takes = plan.takes.join('\n')
  for (const named of ['app.sqlite', 'clients.json', '.env', 'git history']) assert.match(takes, new RegExp(named))
  const leavesOut = plan.leavesOut.join('\n')
  for (const named of ['node_modules/', 'packages/a/node_modules', '/tmp/', '/.git/', '-wal']) {
    assert.ok(leavesOut.includes(named), named)
  }
})

test('node-app keeps .git whole where a bundle does not stand for it', async () => {
  await using project = await makeProject({ 'package.json': '{}' })
  git(project.path, 'init')
  const plan = await getStrategy('node-app').plan(content(project.path), localHost('/tmp'))
  assert.ok((await project.drain(plan)).includes('files/.git/HEAD'))
  assert.match(plan.takes.join('\n'), /no commits yet/)
})

test('generic takes everything, and the history as a bundle besides', async () => {
  await using project = await makeProject(files)
  makeDatabase(join(project.path, 'data/app.sqlite'))
  git(project.path, 'init')
  git(project.path, 'add', 'index.js')
  git(project.path, 'commit', '-m', 'first')
  const plan = await getStrategy('generic').plan(content(project.path), localHost('/tmp'))
  const drained = await project.drain(plan)
  for (const name of [...Object.keys(files), 'data/app.sqlite', '.git/HEAD'])
    assert.ok(drained.includes(`files/${name}`), name)
  assert.ok(drained.includes('git/repository.bundle'))
  assert.deepEqual(plan.leavesOut, ['-wal, -shm and -journal files of these databases: the copy holds what they hold'])
})

test('generic leaves out what the configuration says, and says so', async () => {
  await using project = await makeProject(files)
  const plan = await getStrategy('generic').plan(
    content(project.path, { leaveOut: ['node_modules/', '/uploads'] }),
    localHost('/tmp'),
  )
  const drained = await project.drain(plan)
  assert.ok(!drained.some((path) => /node_modules|uploads/.test(path)))
  assert.ok(drained.includes('files/tmp/x'))
  assert.deepEqual(plan.leavesOut, [
    'node_modules/',
    '/uploads',
    `at present ${project.path}/node_modules`,
    `at present ${project.path}/packages/a/node_modules`,
    `at present ${project.path}/uploads`,
  ])
})

test('named files are taken, and the databases that the type finds', async () => {
  await using project = await makeProject(files)
  makeDatabase(join(project.path, 'data/app.sqlite'))
  mkdirSync(join(project.folder, 'disk2'))
  makeDatabase(join(project.folder, 'disk2/other.db'))
  const named = ['uploads/customer', join(project.folder, 'disk2')]
  const plan = await getStrategy('node-app').plan(content(project.path, { files: named }), localHost('/tmp'))
  const drained = await project.drain(plan)
  assert.deepEqual(
    drained.filter((path) => !path.startsWith('config/')),
    [
      `files/+${project.folder.slice(1)}/disk2/other.db`,
      'files/data/app.sqlite',
      'files/data/clients.json',
      'files/data/messages.json',
      'files/uploads/customer/server.log',
      'files/uploads/customer/tmp/keep.txt',
    ],
  )
  assert.equal(project.context.artifacts.filter(({ kind }) => kind === 'sqlite').length, 2)
  assert.ok(plan.leavesOut.includes(`everything else in ${project.path}`))
})

test('configured databases are taken whatever they are called, and missed when they are not there', async () => {
  await using project = await makeProject({ state: '[1, 2]' })
  makeDatabase(join(project.path, 'oddly named'))
  const databases = [
    { driver: 'sqlite', path: 'oddly named' },
    { driver: 'json', path: 'state' },
    { driver: 'sqlite', path: 'gone.db' },
  ] as const
  for (const type of ['generic', 'node-app'] as const) {
    const plan = await getStrategy(type).plan(content(project.path, { databases }), localHost('/tmp'))
    project.context.artifacts.length = 0
    await project.drain(plan)
    const rows = new Map(project.context.artifacts.map(({ path, rows }) => [path, rows]))
    assert.deepEqual(
      [...rows].sort(([a], [b]) => a.localeCompare(b)),
      [
        ['files/oddly named', { invoice: 3 }],
        ['files/state', { records: 2 }],
      ],
    )
    assert.deepEqual(
      plan.findings.map(({ subject, severity }) => [subject, severity]),
      [[join(project.path, 'gone.db'), 'warning']],
    )
  }
})

test('a project whose folder is not there is an error', async () => {
  for (const type of projectTypes) {
    await assert.rejects(getStrategy(type).plan(content('/nowhere/at/all'), localHost('/tmp')), {
      code: 'source.missing',
    })
  }
})

test('the kind of a project is known by what lies in it', async () => {
  await using node = await makeProject(files)
  await using laravel = await makeProject({ 'package.json': '{}', artisan: '' })
  await using plain = await makeProject({ 'index.html': '' })
  await using broken = await makeProject({ 'package.json': '{' })
  const [best, other] = await detectTypes(node.path, localHost('/tmp'))
  assert.equal(best!.type, 'node-app')
  assert.deepEqual(best!.reasons, ['package.json', 'a start script', 'dependencies'])
  assert.equal(other!.type, 'generic')
  assert.deepEqual(
    (await detectTypes(laravel.path, localHost('/tmp'))).map(({ type }) => type),
    ['laravel-app', 'node-app', 'generic'],
  )
  for (const { path } of [plain, broken])
    assert.deepEqual(
      (await detectTypes(path, localHost('/tmp'))).map(({ type }) => type),
      ['generic'],
    )
})
