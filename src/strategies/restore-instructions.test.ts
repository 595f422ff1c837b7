import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'

import { encodeManifest } from '#model'
import { dumpSources, localHost } from '#sources'
import { drainParts, recordingContext, temporaryFolder } from '#sources/testing'
import { needs } from '../../tests/needs.ts'
import { restoreFactsOf, restoreInstructions, type RestoreFacts } from './restore-instructions.ts'
import { getStrategy } from './table.ts'

const facts: RestoreFacts = {
  language: 'en',
  project: 'shop',
  title: 'The shop',
  path: "/var/www/it's the shop",
  repositories: ['/var/backups/bewaar/shop', 'sftp://backup@example.org/shop'],
  sqlite: ['files/data/app.db'],
  json: ['files/data/clients.json'],
  servers: [
    {
      kind: 'postgresql',
      format: 'plain',
      globals: 'database/globals.sql',
      databases: [{ name: 'shop', at: 'database/shop.sql' }],
    },
    { kind: 'postgresql', format: 'custom', databases: [{ name: "it's", at: "database/it's.dump" }] },
    {
      kind: 'mysql',
      format: 'plain',
      globals: 'database/globals-mysql.sql',
      databases: [{ name: 'old`shop', at: 'database/old`shop.sql' }],
    },
  ],
  hasConfig: true,
  hasGitBundle: true,
  hasPatch: true,
  elsewhere: ['/mnt/disk2/photos'],
}

test('the instructions name everything that is there, in both languages', () => {
  for (const language of ['nl', 'en'] as const) {
    const text = restoreInstructions({ ...facts, language })
    for (const named of [
      facts.title,
      ...facts.repositories,
      'restic restore latest',
      'files/data/app.db',
      'files/data/clients.json',
      'config/',
      'git/repository.bundle',
      'git/uncommitted.patch',
      '/mnt/disk2/photos',
      'sha256sum --check',
      'psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=shop < /tmp/restored/database/shop.sql',
      'pg_restore --exit-on-error',
      "--database='old`shop' < '/tmp/restored/database/old`shop.sql'",
    ]) {
      assert.ok(text.includes(named), `${language}: ${named}`)
    }
    assert.ok(text.endsWith('\n') && !text.endsWith('\n\n'))
  }
})

test('the instructions are silent about what is not there', () => {
  const bare = {
    ...facts,
    sqlite: [],
    json: [],
    servers: [],
    hasConfig: false,
    hasGitBundle: false,
    hasPatch: false,
    elsewhere: [],
  }
  for (const language of ['nl', 'en'] as const) {
    const text = restoreInstructions({ ...bare, language })
    for (const silent of [
      'config/',
      'git/',
      'sqlite3',
      'psql',
      'mariadb',
      'database/',
      'JSON',
      'elsewhere',
      'elders',
      '/mnt',
    ]) {
      assert.ok(!text.includes(silent), `${language}: ${silent}`)
    }
  }
})

test(
  'the commands of the instructions bring a project back',
  { skip: needs('restic', 'rsync', 'sqlite3', 'git') },
  async () => {
    await using folder = await temporaryFolder()
    const [path, elsewhere] = [join(folder.path, "it's the shop"), join(folder.path, 'disk2/photos')]
    for (const [name, text] of Object.entries({
      [`${path}/package.json`]: '{}',
      [`${path}/.env`]: 'KEY=1',
      [`${path}/data/clients.json`]: '[1]',
      [`${elsewhere}/a.jpg`]: 'photo',
    })) {
      mkdirSync(dirname(name), { recursive: true })
      writeFileSync(name, text)
    }
    {
      using database = new DatabaseSync(join(path, 'data/app.db'))
      database.exec('create table t (x); insert into t values (1)')
    }
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', path, '-c', 'user.name=Ada', '-c', 'user.email=a@example.org', ...args]).toString()
    git('init', '--quiet')
    git('add', 'package.json')
    git('commit', '--quiet', '--message', 'first')

    const temporary = join(folder.path, 'temporary')
    mkdirSync(temporary)
    const context = recordingContext(temporary)
    const plan = await getStrategy('node-app').plan(
      { path, leaveOut: [], files: ['package.json', 'data', elsewhere] },
      localHost('/tmp'),
    )
    const parts = await dumpSources(path, plan.sources, context)
    const drained = await drainParts(parts)
    const repository = join(folder.path, 'vault/shop')
    const found = restoreFactsOf({ name: 'shop', title: 'The shop', path }, plan, parts)
    assert.deepEqual(found, {
      project: 'shop',
      title: 'The shop',
      path,
      sqlite: ['files/data/app.db'],
      json: ['files/data/clients.json'],
      servers: [],
      hasConfig: true,
      hasGitBundle: true,
      hasPatch: false,
      elsewhere: [elsewhere],
    })
    const text = restoreInstructions({ ...found, language: 'en', repositories: [repository] })
    const artifacts = context.artifacts.map(({ path, kind }) => {
      const bytes = drained.get(path)!
      return { path, kind, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
    })
    assert.equal(artifacts.length, 3)
    const about = { project: 'shop', title: 'shop', type: 'node-app', run: '1', time: '', host: '', path, versions: {} }
    const manifest = encodeManifest({ manifest: 1, ...about, artifacts })

    const snapshot = join(folder.path, 'snapshot')
    for (const [name, bytes] of [...drained, ['manifest.json', Buffer.from(manifest)] as const]) {
      mkdirSync(dirname(join(snapshot, name)), { recursive: true })
      writeFileSync(join(snapshot, name), bytes)
    }
    const env = { ...process.env, RESTIC_PASSWORD: 'secret', RESTIC_CACHE_DIR: join(folder.path, 'cache') }
    const restic = (...args: string[]): void =>
      void execFileSync('restic', ['--repo', repository, ...args], { env, cwd: snapshot })
    restic('init', '--repository-version=2')
    restic('backup', '--tag=project:shop', '.')

    const original = join(folder.path, 'original')
    execFileSync('mv', [path, original])
    execFileSync('rm', ['-r', elsewhere])
    const target = join(folder.path, 'restored')
    const blocks = [...text.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, commands]) => commands)
    assert.equal(blocks.length, 8)
    const script = blocks.join('').replaceAll('/tmp/restored', target)
    const output = execFileSync('sh', ['-euxc', script], {
      env,
      cwd: folder.path,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).toString()

    assert.match(output, /files\/data\/app\.db: OK\n(?:.*\n)*ok\n/)
    for (const name of ['package.json', '.env', 'data/clients.json', 'data/app.db']) {
      assert.ok(readFileSync(join(path, name)).equals(readFileSync(join(original, name))), name)
    }
    assert.equal(readFileSync(join(elsewhere, 'a.jpg'), 'utf8'), 'photo')
    assert.equal(git('log', '--format=%s'), 'first\n')
    assert.ok(!git('status', '--porcelain').includes('package.json'))
  },
)

test('roles are restored before the databases that they own, users after the databases that they may use', () => {
  for (const language of ['nl', 'en'] as const) {
    const text = restoreInstructions({ ...facts, language })
    const order = ['database/globals.sql', 'database/shop.sql', 'database/old`shop.sql', 'database/globals-mysql.sql']
    const places = order.map((name) => text.indexOf(`/tmp/restored/${name}`))
    assert.deepEqual(
      places,
      places.toSorted((a, b) => a - b),
    )
    assert.ok(!places.includes(-1))
  }
})
