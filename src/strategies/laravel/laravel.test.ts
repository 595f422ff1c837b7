import assert from 'node:assert/strict'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'

import { Secret } from '#base'
import { dumpSources, localHost } from '#sources'
import { drainParts, recordingContext, temporaryFolder } from '#sources/testing'
import { makeApplication, type ApplicationName } from '../../../tests/fixtures/applications/applications.ts'
import type { ProjectContent, ProjectPlan } from '../strategy.ts'
import { detectTypes, getStrategy } from '../table.ts'

const here = localHost('/tmp')

/** An application in a folder of its own. */
async function application(name: ApplicationName) {
  const folder = await temporaryFolder()
  const path = makeApplication(name, folder.path)
  return {
    folder: folder.path,
    path,
    write: (file: string, text: string): void => {
      mkdirSync(dirname(join(path, file)), { recursive: true })
      writeFileSync(join(path, file), text)
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}

function plan(type: 'laravel-app' | 'laravel-package' | 'node-app', path: string, more: Partial<ProjectContent> = {}) {
  return getStrategy(type).plan({ path, leaveOut: [], ...more }, here)
}

/** The servers of a plan as plain values, with their passwords. */
function serversOf({ sources }: ProjectPlan): unknown[] {
  return sources.flatMap((source) => {
    if (source.kind !== 'postgresql' && source.kind !== 'mysql') return []
    const { connection, ...rest } = source.options
    const { password, ...address } = connection
    return [{ kind: source.kind, ...address, ...(password && { password: password.reveal() }), ...rest }]
  })
}

/** What a snapshot would hold besides the dumps of servers, and what was found to be wrong. */
async function drain(path: string, { sources }: ProjectPlan) {
  await using folder = await temporaryFolder()
  const context = recordingContext(folder.path)
  const files = sources.filter(({ kind }) => kind !== 'postgresql' && kind !== 'mysql')
  const drained = await drainParts(await dumpSources(path, files, context))
  assert.deepEqual(context.findings, [])
  return [...drained.keys()].sort()
}

function withoutFolder(folder: string, lines: readonly string[]): string[] {
  return lines.map((line) => line.replaceAll(folder, '').replaceAll(`+${folder.slice(1)}/`, '+'))
}

/** Files that every Laravel fixture has. */
const skeleton = [
  'files/artisan',
  'files/bootstrap/app.php',
  'files/bootstrap/cache/.gitignore',
  'files/composer.json',
  'files/composer.lock',
  'files/public/index.php',
  'files/public/robots.txt',
  'files/resources/views/welcome.blade.php',
  'files/routes/web.php',
  'files/storage/app/.gitignore',
  'files/storage/framework/.gitignore',
  'files/storage/framework/cache/data/.gitignore',
  'files/storage/framework/sessions/.gitignore',
  'files/storage/framework/testing/.gitignore',
  'files/storage/framework/views/.gitignore',
  'files/storage/logs/.gitignore',
]

const leftOut = [
  '/vendor/',
  'node_modules/',
  '/bootstrap/cache/[!.]*',
  '/storage/framework/cache/data/[!.]*',
  '/storage/framework/cache/*.php',
  '/storage/framework/sessions/[!.]*',
  '/storage/framework/views/[!.]*',
  '/storage/framework/testing/[!.]*',
  '/storage/framework/schedule-*',
  '/storage/logs/[!.]*',
  '/storage/debugbar/',
  '/storage/clockwork/',
  '/storage/pail/',
  '/storage/framework/down',
  '/storage/framework/maintenance.php',
  '/public/hot',
  '/.phpunit.cache/',
  '/.phpunit.result.cache',
  '/.php-cs-fixer.cache',
  'npm-debug.log*',
  'yarn-error.log*',
]

test('HavunAdmin: MySQL, invoices, keys and settings, from .env alone', async () => {
  await using app = await application('havunadmin')
  const planned = await plan('laravel-app', app.path)
  assert.deepEqual(planned.findings, [])
  assert.deepEqual(serversOf(planned), [
    {
      kind: 'mysql',
      host: '127.0.0.1',
      port: 3306,
      user: 'havunadmin',
      password: 'fixture "quoted" #1 $ecret',
      databases: [{ name: 'havunadmin', at: 'database/havunadmin.sql' }],
      driver: 'mysql',
      grants: 'database/globals.sql',
    },
  ])
  assert.deepEqual(withoutFolder(app.folder, planned.takes).slice(-5), [
    'everything in /havunadmin',
    '.env, into config/',
    'auth.json, into config/',
    'storage/oauth-private.key, into config/',
    'storage/oauth-public.key, into config/',
  ])
  assert.deepEqual(withoutFolder(app.folder, planned.leavesOut), [
    ...leftOut,
    'Redis: jobs that wait in its queues',
    'at present /havunadmin/node_modules',
    'at present /havunadmin/vendor',
  ])
  assert.deepEqual(
    await drain(app.path, planned),
    [
      ...skeleton,
      'config/.env',
      'config/auth.json',
      'config/storage/oauth-private.key',
      'config/storage/oauth-public.key',
      'files/.env.example',
      'files/app/Models/Invoice.php',
      'files/public/build/manifest.json',
      'files/storage/app/invoices/2025/2025-0001.pdf',
      'files/storage/app/invoices/2025/2025-0002.pdf',
      'files/storage/app/private/.gitignore',
      'files/storage/app/private/imports/bank.csv',
    ].sort(),
  )
})

test('HavunAdmin with `files`: only these, the database, settings and keys', async () => {
  await using app = await application('havunadmin')
  const planned = await plan('laravel-app', app.path, { files: ['storage/app/invoices'] })
  assert.equal(serversOf(planned).length, 1)
  assert.deepEqual(await drain(app.path, planned), [
    'config/.env',
    'config/auth.json',
    'config/storage/oauth-private.key',
    'config/storage/oauth-public.key',
    'files/storage/app/invoices/2025/2025-0001.pdf',
    'files/storage/app/invoices/2025/2025-0002.pdf',
  ])
})

test('Herdenkingsportaal: two databases of two servers, uploads, and a disk elsewhere', async () => {
  await using app = await application('herdenkingsportaal')
  const planned = await plan('laravel-app', app.path)
  assert.deepEqual(planned.findings, [])
  assert.deepEqual(serversOf(planned), [
    {
      kind: 'postgresql',
      socket: '/run/postgresql',
      port: 5432,
      user: 'portaal',
      password: 'fixture $password',
      databases: [{ name: 'herdenkingsportaal', at: 'database/herdenkingsportaal.sql' }],
      format: 'plain',
      globals: 'database/globals.sql',
    },
    {
      kind: 'mysql',
      user: 'oud',
      password: 'fixture-oud',
      databases: [{ name: 'portaal_oud', at: 'database/portaal_oud.sql' }],
      driver: 'mysql',
      grants: 'database/globals-mysql.sql',
    },
  ])
  assert.deepEqual(withoutFolder(app.folder, planned.leavesOut), [
    ...leftOut,
    'connection statistics: nothing in .env is about it alone',
    'disk s3: it is elsewhere (s3), and nothing of it is taken',
    'at present /herdenkingsportaal/vendor',
  ])
  assert.deepEqual(
    withoutFolder(app.folder, await drain(app.path, planned)),
    [
      ...skeleton,
      'config/.env',
      'files/+disk2/monuments/1/front.jpg',
      'files/config/database.php',
      'files/config/filesystems.php',
      'files/public/storage',
      'files/public/uploads/condolences/1.txt',
      'files/storage/app/messages.json',
      'files/storage/app/public/.gitignore',
      'files/storage/app/public/profiles/7.jpg',
    ].sort(),
  )
})

test('AimTrack: PostgreSQL by a URL, in the format that the configuration asks for', async () => {
  await using app = await application('aimtrack')
  const planned = await plan('laravel-app', app.path, {
    databases: [{ driver: 'postgresql', format: 'custom', leaveOutSchemas: ['telescope'] }],
  })
  assert.deepEqual(planned.findings, [])
  assert.deepEqual(serversOf(planned), [
    {
      kind: 'postgresql',
      host: 'db.example.org',
      port: 5433,
      user: 'aimtrack',
      password: 'p@ss/word',
      tls: { mode: 'require' },
      databases: [{ name: 'aimtrack', at: 'database/aimtrack.dump' }],
      format: 'custom',
      leaveOutSchemas: ['telescope'],
      globals: 'database/globals.sql',
    },
  ])
  const drained = await drain(app.path, planned)
  assert.ok(drained.includes('files/storage/app/public/targets/1.jpg'))
  assert.ok(!drained.includes('files/public/hot'))
})

test('HavunCore: source, the whole history, the vault and settings', async () => {
  await using app = await application('havuncore')
  const expected = [
    'config/.env',
    'config/vault/master.key',
    'files/vault/secrets.json',
    'git/HEAD',
    'git/config',
    'git/info/exclude',
    'git/repository.bundle',
  ]
  const source = ['composer.json', 'config/core.php', 'src/CoreServiceProvider.php', 'tests/CoreTest.php']
  const planned = await plan('laravel-package', app.path)
  assert.deepEqual(planned.findings, [])
  assert.deepEqual(serversOf(planned), [])
  assert.deepEqual(await drain(app.path, planned), [...expected, ...source.map((file) => `files/${file}`)].sort())
  const few = await plan('laravel-package', app.path, { files: ['src'] })
  assert.deepEqual(await drain(app.path, few), [...expected, 'files/src/CoreServiceProvider.php'].sort())
})

test('havun-mcp: its JSON databases and settings', async () => {
  await using app = await application('havun-mcp')
  const planned = await plan('node-app', app.path)
  assert.deepEqual(planned.findings, [])
  assert.deepEqual(serversOf(planned), [])
  assert.deepEqual(await drain(app.path, planned), [
    'config/.env',
    'files/clients.json',
    'files/messages.json',
    'files/package-lock.json',
    'files/package.json',
    'files/server.js',
  ])
})

test('each application is known for what it is', async () => {
  const expected = {
    havunadmin: 'laravel-app',
    herdenkingsportaal: 'laravel-app',
    havuncore: 'laravel-package',
    'havun-mcp': 'node-app',
    aimtrack: 'laravel-app',
  } as const
  for (const name of Object.keys(expected) as ApplicationName[]) {
    await using app = await application(name)
    const [best, next] = await detectTypes(app.path, here)
    assert.equal(best!.type, expected[name])
    assert.ok(best!.confidence > 0.85 && best!.reasons.length > 1, name)
    assert.ok(next!.confidence < 0.5, name)
  }
})

test('a new application has a SQLite database, found where Laravel looks for it', async () => {
  await using app = await application('havunadmin')
  app.write('.env', 'APP_NAME=New\n')
  const missing = await plan('laravel-app', app.path)
  assert.deepEqual(
    missing.findings.map(({ severity, text }) => [severity, text.replaceAll(app.path, '')]),
    [['warning', 'The connection sqlite is the SQLite database /database/database.sqlite, and there is no such file']],
  )
  mkdirSync(join(app.path, 'database'))
  mkdirSync(join(app.folder, 'data'))
  for (const [file, setting] of [
    ['havunadmin/database/database.sqlite', ''],
    ['havunadmin/database/shop', 'DB_DATABASE=database/shop'],
    ['data/shop.db', `DB_DATABASE=${app.folder}/data/shop.db`],
    ['data/url', `DB_URL=sqlite:///${app.folder}/data/url`],
  ] as const) {
    {
      using database = new DatabaseSync(join(app.folder, file))
      database.exec('create table invoice (x)')
    }
    app.write('.env', `${setting}\n`)
    const planned = await plan('laravel-app', app.path)
    assert.deepEqual(planned.findings, [], setting)
    assert.ok(
      planned.takes.some((line) => line.includes(`SQLite database ${app.folder}/${file},`)),
      setting,
    )
  }
})

test('storage and .env beside the releases are taken, as a deployment tool keeps them', async () => {
  await using app = await application('aimtrack')
  const shared = join(app.folder, 'shared')
  mkdirSync(shared)
  renameSync(join(app.path, 'storage'), join(shared, 'storage'))
  renameSync(join(app.path, '.env'), join(shared, '.env'))
  symlinkSync('../shared/storage', join(app.path, 'storage'))
  symlinkSync('../shared/.env', join(app.path, '.env'))
  symlinkSync('/usr/share', join(app.path, 'public/share'))
  symlinkSync('../..', join(app.path, 'public/all'))
  writeFileSync(join(shared, 'storage/logs/laravel.log'), 'x')
  const planned = await plan('laravel-app', app.path)
  assert.deepEqual(planned.findings, [])
  assert.equal(serversOf(planned).length, 1)
  const drained = withoutFolder(app.folder, await drain(app.path, planned))
  assert.ok(drained.includes('files/+shared/.env'))
  assert.ok(drained.includes('files/+shared/storage/app/public/targets/1.jpg'))
  assert.ok(drained.includes('files/+shared/storage/framework/sessions/.gitignore'))
  assert.ok(!drained.some((path) => path.includes('laravel.log') || path.includes('usr/share')))
  assert.ok(!drained.some((path) => path.startsWith('files/+aimtrack')))
  const few = await plan('laravel-app', app.path, { files: ['public/robots.txt'] })
  assert.deepEqual(withoutFolder(app.folder, await drain(app.path, few)), [
    'files/+shared/.env',
    'files/public/robots.txt',
  ])
})

test('connections: hosts to write to, sockets, URLs of their own, and databases that are written out', async () => {
  await using app = await application('aimtrack')
  app.write('.env', 'DB_DATABASE=shop\nDB_PASSWORD=null\nREPORTS_URL=mysql://ann:s%23cret@reports:3307/reports\n')
  app.write(
    'config/database.php',
    `<?php
    $common = ['username' => 'shop', 'password' => env('DB_PASSWORD', '')];
    return [
      'default' => env('DB_CONNECTION', 'main'),
      'connections' => [
        'main' => [
          'driver' => 'mysql',
          'read' => ['host' => ['10.0.0.2', '10.0.0.3']],
          'write' => ['host' => ['10.0.0.1']],
          'port' => 3306,
          'database' => env('DB_DATABASE'),
          ...$common,
        ],
        'main_again' => ['driver' => 'mariadb', 'host' => '10.0.0.1', 'database' => env('DB_DATABASE'), ...$common],
        'reports' => ['driver' => 'mysql', 'url' => env('REPORTS_URL'), 'unix_socket' => '/run/mysqld/mysqld.sock'],
        'fixed' => ['driver' => 'mysql', 'unix_socket' => '/run/mysqld/other.sock', 'database' => 'fixed'],
        'memory' => ['driver' => 'sqlite', 'database' => ':memory:'],
        'testing' => ['driver' => 'mysql', 'host' => env('DB_HOST'), 'database' => 'testing'],
      ],
    ];`,
  )
  const planned = await plan('laravel-app', app.path)
  assert.deepEqual(planned.findings, [])
  assert.deepEqual(serversOf(planned), [
    {
      kind: 'mysql',
      host: '10.0.0.1',
      port: 3306,
      user: 'shop',
      databases: [{ name: 'shop', at: 'database/shop.sql' }],
      driver: 'mysql',
      grants: 'database/globals.sql',
    },
    {
      kind: 'mysql',
      host: 'reports',
      port: 3307,
      user: 'ann',
      password: 's#cret',
      databases: [{ name: 'reports', at: 'database/reports.sql' }],
      driver: 'mysql',
      grants: 'database/globals-mysql.sql',
    },
    {
      kind: 'mysql',
      socket: '/run/mysqld/other.sock',
      databases: [{ name: 'fixed', at: 'database/fixed.sql' }],
      driver: 'mysql',
      grants: 'database/globals-run-mysqld-other.sock.sql',
    },
  ])
  assert.ok(planned.leavesOut.includes('connection testing: nothing in .env is about it alone'))
})

test('what is not known is said, and how to tell it', async () => {
  await using app = await application('aimtrack')
  const cases: readonly (readonly [settings: string, text: RegExp])[] = [
    ["'default' => choose()", /default connection is not known.*`databases`/],
    ["'default' => 'main'", /default connection main is not known/],
    [
      "'default' => 'a', 'connections' => ['a' => ['driver' => 'sqlsrv', 'database' => 'x']]",
      /driver sqlsrv, which is not/,
    ],
    [
      "'default' => 'a', 'connections' => ['a' => ['driver' => 'pgsql', 'database' => 'x', 'password' => vault('x')]]",
      /password of the connection a of config\/database.php is only known when it runs/,
    ],
    [
      "'default' => 'a', 'connections' => ['a' => ['driver' => 'pgsql', 'url' => 'oracle://x/y']]",
      /url of the connection a .* is not one of PostgreSQL/,
    ],
  ]
  for (const [settings, text] of cases) {
    app.write('config/database.php', `<?php return [${settings}];`)
    const { findings } = await plan('laravel-app', app.path)
    assert.equal(findings.length, 1, settings)
    assert.equal(findings[0]!.severity, 'warning')
    assert.match(findings[0]!.text, text)
  }
  app.write(
    'config/database.php',
    "<?php return ['default' => 'pgsql', 'connections' => ['pgsql' => ['driver' => 'pgsql']]];",
  )
  await assert.rejects(plan('laravel-app', app.path), { code: 'strategy.database-unnamed' })
  const named = await plan('laravel-app', app.path, {
    databases: [
      { driver: 'postgresql', format: 'plain', leaveOutSchemas: [], name: 'given', password: new Secret('x') },
    ],
  })
  assert.equal(serversOf(named).length, 1)
})

test('troubles of .env and of the settings are findings, without a value', async () => {
  await using app = await application('aimtrack')
  app.write('.env', 'DB_CONNECTION=pgsql\nDB_DATABASE=a\nDB_PASSWORD=hunter2 hunter3\n')
  app.write('config/filesystems.php', "<?php return ['disks' => ['x' => ['driver' => 'local', 'root' => where()],")
  const { findings } = await plan('laravel-app', app.path)
  assert.deepEqual(
    findings.map(({ subject, text }) => [subject.replace(app.path, ''), text]),
    [
      ['/.env', 'Line 3 could not be read: unexpected whitespace: a value with spaces needs quotes'],
      ['/config/filesystems.php', 'Line 1: an array does not end'],
    ],
  )
})

test('cached settings that name another database than .env are a finding', async () => {
  await using app = await application('havunadmin')
  const cache = (database: string): string => `<?php return array (
  'app' => array ('name' => 'It\\'s', 'providers' => array (0 => 'A\\\\B')),
  'database' => array (
    'default' => 'mysql',
    'connections' => array ('mysql' => array ('driver' => 'mysql', 'url' => NULL, 'host' => '127.0.0.1', 'port' => '3306',
      'database' => '${database}', 'password' => 'x', 'options' => array (), 'object' => \\A\\B::__set_state(array ('a' => 1)))),
  ),
);`
  app.write('bootstrap/cache/config.php', cache('havunadmin'))
  assert.deepEqual((await plan('laravel-app', app.path)).findings, [])
  app.write('bootstrap/cache/config.php', cache('other'))
  const [finding, ...more] = (await plan('laravel-app', app.path)).findings
  assert.deepEqual(more, [])
  assert.deepEqual([finding!.subject, finding!.severity], [join(app.path, 'bootstrap/cache/config.php'), 'warning'])
  assert.match(finding!.text, /another default database than .env/)
})
