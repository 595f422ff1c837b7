import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'

import { localHost } from '#sources'
import { temporaryFolder } from '#sources/testing'
import { findNodeDatabases } from './databases.ts'
import { readDatasource } from './prisma.ts'
import { readSettingsCode, readSettingsJson } from './settings-files.ts'

type Files = Readonly<Record<string, string>>

async function find(files: Files): Promise<{ servers: unknown[]; findings: string[] }> {
  await using folder = await temporaryFolder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder.path, name)), { recursive: true })
    writeFileSync(join(folder.path, name), text)
  }
  const { servers, findings } = await findNodeDatabases(folder.path, localHost('/tmp'))
  return {
    servers: servers.map(({ driver, name, address: { password, ...address } }) => ({
      driver,
      name,
      ...address,
      ...(password && { password: password.reveal() }),
    })),
    findings: findings.map(({ text }) => text),
  }
}

const schema = (lines: string): string =>
  `generator client {\n  provider = "prisma-client-js"\n}\n\ndatasource db {\n${lines}\n}\n`

const shop = { driver: 'postgresql', name: 'shop', host: 'db', port: 5432, user: 'ann', password: 's3 cret' }
const url = 'postgresql://ann:s3%20cret@db:5432/shop'

/** Each: what a project has, and what is found. */
const cases: readonly (readonly [title: string, files: Files, servers: readonly unknown[]])[] = [
  ['nothing', { '.env': 'PORT=3000\nMONGO_URL=mongodb://h/d\n' }, []],
  ['a URL', { '.env': `DATABASE_URL="${url}"\n` }, [shop]],
  ['a URL made of parts', { '.env': `P=s3%20cret\nDATABASE_URL=postgresql://ann:\${P}@db:5432/shop\n` }, [shop]],
  [
    'several URLs, and those that are no data of their own',
    {
      '.env': `DATABASE_URL=${url}\nTEST_DATABASE_URL=${url}_test\nREPLICA_URL=postgres://x/shop\nOLD=mysql://h/old\n`,
    },
    [shop, { driver: 'mysql', name: 'old', host: 'h' }],
  ],
  [
    'settings of the server that others replace',
    { '.env': 'DATABASE_URL=mysql://h/a\n', '.env.local': 'DATABASE_URL=mysql://h/b\n' },
    [{ driver: 'mysql', name: 'b', host: 'h' }],
  ],
  [
    'Prisma with a pool',
    {
      '.env': `DATABASE_URL=postgres://pool:6543/shop?pgbouncer=true\nDIRECT=${url}\nSHADOW_URL=postgres://x/y\n`,
      'prisma/schema.prisma': schema('provider = "postgresql"\nurl = env("DATABASE_URL")\ndirectUrl = env("DIRECT")'),
    },
    [shop],
  ],
  [
    'Prisma with SQLite',
    {
      '.env': 'DATABASE_URL="file:./dev.db"\n',
      'prisma/schema.prisma': schema('provider="sqlite"\nurl=env("DATABASE_URL")'),
    },
    [],
  ],
  ['PG variables', { '.env': 'PGHOST=db\nPGPORT=5432\nPGUSER=ann\nPGPASSWORD="s3 cret"\nPGDATABASE=shop\n' }, [shop]],
  [
    'DB variables',
    { '.env': 'DB_DIALECT=mysql\nDB_HOST=db\nDB_NAME=shop\nDB_USER=ann\nDB_PASS=x\n' },
    [{ driver: 'mysql', name: 'shop', host: 'db', user: 'ann', password: 'x' }],
  ],
  [
    'Knex',
    {
      '.env': 'DB_PASSWORD=s3 cret\n',
      'knexfile.js': `// client: 'mysql'
        module.exports = {
          development: { client: 'sqlite3', connection: { filename: './dev.sqlite3' } },
          production: {
            client: 'pg',
            connection: { host: process.env.DB_HOST || 'db', port: 5432, user: "ann", password: process.env.DB_PASSWORD, database: 'shop' },
          },
        }`,
    },
    [shop],
  ],
  [
    'Knex with a URL',
    { '.env': `DATABASE=${url}\n`, 'knexfile.ts': "export default { client: 'pg', connection: process.env.DATABASE }" },
    [shop],
  ],
  [
    'TypeORM',
    {
      'ormconfig.json': JSON.stringify({
        type: 'postgres',
        host: 'db',
        port: 5432,
        username: 'ann',
        password: 's3 cret',
        database: 'shop',
      }),
    },
    [shop],
  ],
  [
    'a data source',
    {
      '.env': 'DB_PASSWORD=s3 cret\n',
      'src/data-source.ts': `export const source = new DataSource({ type: 'postgres', host: 'db', port: Number(process.env.DB_PORT ?? 5432), username: 'ann', password: process.env['DB_PASSWORD'], database: 'shop' })`,
    },
    [shop],
  ],
  [
    'Sequelize',
    {
      '.env': `PRODUCTION=${url}\n`,
      'config/config.json': JSON.stringify({
        development: { dialect: 'mysql', database: 'dev' },
        production: { dialect: 'postgres', use_env_variable: 'PRODUCTION' },
      }),
    },
    [shop],
  ],
  ['the same database in two places', { '.env': `DATABASE_URL=${url}\nPGDATABASE=shop\nPGHOST=localhost\n` }, [shop]],
]

test('the databases of a Node.js application are found in its settings', async () => {
  for (const [title, files, servers] of cases) {
    assert.deepEqual(await find(files), { servers, findings: [] }, title)
  }
})

test('a database that cannot be found out is said, without what is secret', async () => {
  const prisma = await find({ 'prisma/schema.prisma': schema('provider = "mysql"\nurl = env("GONE")') })
  assert.deepEqual(prisma, {
    servers: [],
    findings: ['The url of its datasource is not in .env, so its database is not taken'],
  })
  const { servers, findings } = await find({ '.env': 'DATABASE_URL=postgres://ann:hunter2@a,b/shop\n' })
  assert.deepEqual(servers, [])
  assert.equal(findings.length, 1)
  assert.doesNotMatch(findings[0]!, /hunter2/)
})

test('any text is read, and hostile ones end soon', () => {
  const none = new Map<string, string>()
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      readSettingsJson(text, none)
      readSettingsCode(text, none)
      readDatasource(text)
    }),
    { numRuns: 300 },
  )
  for (const piece of [
    '/*',
    'host: ',
    "host: '",
    '{',
    'production: {',
    'process.env.',
    'port: process.env.A ||',
    '[',
    ' ',
  ]) {
    const text = piece.repeat((1 << 18) / piece.length)
    const begin = performance.now()
    readSettingsCode(text, none)
    readSettingsJson(text, none)
    readDatasource(text)
    assert.ok(performance.now() - begin < 30_000, piece)
  }
})
