import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'

import { encodeManifest, parseLocation } from '#model'
import { dumpSources, localHost } from '#sources'
import { drainParts, recordingContext, temporaryFolder } from '#sources/testing'
import { needs } from '../../tests/needs.ts'
import type { RepositoryPlace } from './repository-places.ts'
import { restoreFactsOf, restoreInstructions, type RestoreFacts } from './restore-instructions.ts'
import { getStrategy } from './table.ts'

const facts: RestoreFacts = {
  language: 'en',
  project: 'shop',
  title: 'The shop',
  path: "/var/www/it's the shop",
  repositories: [
    {
      vault: 'box',
      location: { kind: 'sftp', user: 'backup', host: 'box.example.org', port: 23, path: './my backups/shop' },
    },
    { vault: 'local', location: { kind: 'local', path: '/var/backups/bewaar/shop' } },
  ],
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
      '/var/backups/bewaar/shop',
      'sftp://backup@box.example.org:23/my%20backups/shop',
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
    const text = restoreInstructions({
      ...found,
      language: 'en',
      repositories: [{ vault: 'local', location: { kind: 'local', path: repository } }],
    })
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
    assert.equal(blocks.length, 9)
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

const elsewhere: readonly { readonly place: RepositoryPlace; readonly named: readonly string[] }[] = [
  {
    place: { vault: 'box', location: parseLocation('sftp://u1@box.example.org:23/./back ups/shop') },
    named: [
      'export RESTIC_REPOSITORY=sftp://u1@box.example.org:23/back%20ups/shop',
      "-o sftp.command='ssh -i /path/to/private-key -p 23 -l u1 box.example.org -s sftp'",
    ],
  },
  {
    place: { vault: 'b2', location: parseLocation('s3://s3.example.org/bucket/shop'), region: 'eu-central-1' },
    named: [
      'export RESTIC_REPOSITORY=s3:https://s3.example.org/bucket/shop',
      'export AWS_ACCESS_KEY_ID=ACCESS-KEY',
      'export AWS_SECRET_ACCESS_KEY=SECRET-KEY',
      'export AWS_DEFAULT_REGION=eu-central-1',
    ],
  },
  {
    place: {
      vault: 'rest',
      location: parseLocation('rest:https://web1@rest.example.org/shop/'),
      hasOwnAuthority: true,
    },
    named: [
      'export RESTIC_REPOSITORY=rest:https://rest.example.org/shop/',
      'export RESTIC_REST_USERNAME=web1',
      'export RESTIC_REST_PASSWORD=PASSWORD-OF-THE-SERVER',
      '--cacert /path/to/ca.pem',
    ],
  },
  {
    place: { vault: 'append', location: parseLocation('rest+ssh://u1@box.example.org:23/shop') },
    named: [
      'export RESTIC_REPOSITORY=rclone:',
      "-o rclone.program='ssh -i /path/to/private-key -p 23 -l u1 box.example.org rclone'",
      'sftp://u1@box.example.org:23/FOLDER/shop',
    ],
  },
]

test('for each kind of place the instructions say what restic needs there, in both languages', () => {
  for (const { place, named } of elsewhere) {
    for (const language of ['nl', 'en'] as const) {
      const text = restoreInstructions({ ...facts, language, repositories: [place] })
      for (const part of named) assert.ok(text.includes(part), `${language}: ${part}`)
    }
  }
})

test('all the vaults are listed, those on this machine first', () => {
  const local = { vault: 'disk', location: parseLocation('/var/backups/shop') }
  for (const language of ['nl', 'en'] as const) {
    const repositories = [...elsewhere.map(({ place }) => place), local]
    const text = restoreInstructions({ ...facts, language, repositories })
    const vaults = [...text.matchAll(/^### (\w+): /gm)].map(([, vault]) => vault)
    assert.deepEqual(vaults, ['disk', 'box', 'b2', 'rest', 'append'])
  }
})
