import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Secret } from '#base'
import { databaseOfUrl, isServerUrl, planServerDatabases, type FoundDatabase } from './server-databases.ts'
import type { ServerDatabase } from './strategy.ts'

function planned(found: readonly FoundDatabase[], configured: readonly ServerDatabase[] = []): unknown[] {
  return planServerDatabases('/srv/shop', found, configured).map(({ kind, options }) => {
    if (kind !== 'postgresql' && kind !== 'mysql') return kind
    const { connection, ...rest } = options
    const { password, ...address } = connection
    return { kind, ...rest, connection: { ...address, ...(password && { password: password.reveal() }) } }
  })
}

const shop: FoundDatabase = {
  driver: 'postgresql',
  address: { host: 'db', user: 'shop', password: new Secret('s3cret') },
  name: 'shop',
  from: 'test',
}
const base = { driver: 'postgresql', format: 'plain', leaveOutSchemas: [] } as const

test('an entry without a name is about the first database of its driver', () => {
  const [source, ...more] = planned(
    [shop],
    [{ ...base, format: 'custom', user: 'backup', password: new Secret('other') }],
  )
  assert.deepEqual(more, [])
  assert.deepEqual(source, {
    kind: 'postgresql',
    connection: { host: 'db', user: 'backup', password: 'other' },
    databases: [{ name: 'shop', at: 'database/shop.dump' }],
    format: 'custom',
    globals: 'database/globals.sql',
  })
})

test('an entry with another name is a further database on the same server', () => {
  assert.deepEqual(planned([shop], [{ ...base, name: 'statistics' }]), [
    {
      kind: 'postgresql',
      connection: { host: 'db', user: 'shop', password: 's3cret' },
      databases: [
        { name: 'shop', at: 'database/shop.sql' },
        { name: 'statistics', at: 'database/statistics.sql' },
      ],
      format: 'plain',
      globals: 'database/globals.sql',
    },
  ])
})

test('a host, socket or URL of the configuration replaces the found place', () => {
  const found = { ...shop, address: { ...shop.address, port: 5433, socket: '/run/postgresql' } }
  const connection = (entry: Partial<Extract<ServerDatabase, { driver: 'postgresql' }>>): unknown =>
    (planned([found], [{ ...base, ...entry }])[0] as { connection: unknown }).connection
  const account = { user: 'shop', password: 's3cret' }
  assert.deepEqual(connection({ host: 'replica' }), { host: 'replica', ...account })
  assert.deepEqual(connection({ host: 'db' }), { host: 'db', port: 5433, ...account })
  assert.deepEqual(connection({ socket: '/tmp' }), { socket: '/tmp', ...account })
  assert.deepEqual(connection({ url: new Secret('postgres://ann@other:1234/shop') }), {
    host: 'other',
    port: 1234,
    user: 'ann',
  })
})

test('databases of one name have files of their own, and each server its globals', () => {
  const on = (driver: FoundDatabase['driver'], host: string, name = 'shop'): FoundDatabase => ({
    driver,
    address: { host },
    name,
    from: 'test',
  })
  const all = [
    on('postgresql', 'a'),
    on('mysql', 'a'),
    on('postgresql', 'b'),
    on('postgresql', 'b', 'SHOP'),
    on('mysql', 'a'),
  ]
  const sources = planServerDatabases('/srv/shop', all, [])
  const files = sources.flatMap(({ kind, options }) => {
    if (kind === 'postgresql') return [...options.databases.map(({ at }) => at), options.globals]
    return kind === 'mysql' ? [...options.databases.map(({ at }) => at), options.grants] : []
  })
  assert.deepEqual(files, [
    'database/shop.sql',
    'database/globals.sql',
    'database/shop-mysql.sql',
    'database/globals-mysql.sql',
    'database/shop-postgresql.sql',
    'database/SHOP-b.sql',
    'database/globals-postgresql.sql',
  ])
})

test('two accounts of one server give its globals once', () => {
  const other = { ...shop, name: 'other', address: { ...shop.address, user: 'other' } }
  const globals = planServerDatabases('/srv/shop', [shop, other], []).map(({ kind, options }) =>
    kind === 'postgresql' ? options.globals : kind,
  )
  assert.deepEqual(globals, ['database/globals.sql', undefined])
})

test('MySQL and MariaDB are of one family, and the configuration says which', () => {
  const found: FoundDatabase = { driver: 'mysql', address: {}, name: 'shop', from: 'test' }
  assert.deepEqual(planned([found], [{ driver: 'mariadb' }]), [
    {
      kind: 'mysql',
      connection: {},
      databases: [{ name: 'shop', at: 'database/shop.sql' }],
      driver: 'mariadb',
      grants: 'database/globals.sql',
    },
  ])
})

test('a database without a name is an error that says which key to set', () => {
  assert.throws(() => planned([], [base]), {
    code: 'strategy.database-unnamed',
    message: 'Nothing says what the postgresql database of /srv/shop is called (asked: the configuration)',
    hint: 'Add `name` to this entry of `databases` in the configuration.',
  })
})

test('the URL of a server is known by its scheme', () => {
  for (const url of ['postgres://a/b', 'POSTGRESQL://a', 'mysql2://a', 'mysql+pymysql://a', 'mariadb://a']) {
    assert.ok(isServerUrl(url), url)
  }
  for (const text of ['https://a', 'sqlite:///a', 'file:./dev.db', 'postgres', 'mongodb://a']) {
    assert.ok(!isServerUrl(text), text)
  }
  const { driver, name } = databaseOfUrl('mariadb://u:p@h/shop', 'test')
  assert.deepEqual([driver, name], ['mariadb', 'shop'])
})
