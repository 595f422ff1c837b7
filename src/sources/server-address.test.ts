import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { Secret } from '#base'
import { databaseFile, parseServerUrl, plainAddress, shownAddress } from './server-address.ts'

function parse(url: string) {
  const { address, ...rest } = parseServerUrl(new Secret(url))
  return { ...rest, ...address, ...(address.password && { password: address.password.reveal() }) }
}

test('a URL is taken apart as the frameworks around PostgreSQL and MySQL do', () => {
  const cases: Record<string, object> = {
    'postgres://u:p@db.example.org:5433/shop': {
      driver: 'postgresql',
      host: 'db.example.org',
      port: 5433,
      user: 'u',
      password: 'p',
      database: 'shop',
    },
    'pgsql://db/shop': { driver: 'postgresql', host: 'db', database: 'shop' },
    'postgresql+asyncpg://db/a%2Fb%20%C3%A9': { driver: 'postgresql', host: 'db', database: 'a/b é' },
    'postgresql://[::1]:5432/x': { driver: 'postgresql', host: '::1', port: 5432, database: 'x' },
    'postgres:///shop?host=/run/postgresql&port=5433': {
      driver: 'postgresql',
      socket: '/run/postgresql',
      port: 5433,
      database: 'shop',
    },
    'postgres://%2Frun%2Fpostgresql/shop': { driver: 'postgresql', socket: '/run/postgresql', database: 'shop' },
    'postgres://u:p%40%3A%25%2F@h/x?schema=public': {
      driver: 'postgresql',
      host: 'h',
      user: 'u',
      password: 'p@:%/',
      database: 'x',
    },
    'postgres://u:a@b:100%@h/x': { driver: 'postgresql', host: 'h', user: 'u', password: 'a@b:100%', database: 'x' },
    'mysql://root@localhost/': { driver: 'mysql', host: 'localhost', user: 'root' },
    'mysql2://u:p@h/x?socket=/run/mysqld.sock': {
      driver: 'mysql',
      host: 'h',
      user: 'u',
      password: 'p',
      socket: '/run/mysqld.sock',
      database: 'x',
    },
    'MariaDB://h': { driver: 'mariadb', host: 'h' },
  }
  for (const [url, expected] of Object.entries(cases)) assert.deepEqual(parse(url), expected, url)
})

test('the words for TLS of each client mean the same', () => {
  const cases: Record<string, object | undefined> = {
    '': undefined,
    'sslmode=disable': { mode: 'disable' },
    'sslmode=verify-full&sslrootcert=/ca.pem&sslcert=/c.pem&sslkey=/k.pem': {
      mode: 'verify-full',
      authorities: '/ca.pem',
      certificate: '/c.pem',
      key: '/k.pem',
    },
    'ssl-mode=VERIFY_IDENTITY&ssl-ca=/ca.pem': { mode: 'verify-full', authorities: '/ca.pem' },
    'sslmode=require&sslaccept=strict&sslcert=/ca.pem': { mode: 'verify-full', authorities: '/ca.pem' },
    'sslaccept=accept_invalid_certs': { mode: 'require' },
    'ssl=true': { mode: 'require' },
    'ssl=0': { mode: 'disable' },
  }
  for (const [query, tls] of Object.entries(cases)) {
    assert.deepEqual(parseServerUrl(new Secret(`postgres://h/x?${query}`)).address.tls, tls, query)
  }
})

test('what is no URL of a known server is refused without a word of it', () => {
  const wrong = [
    'canary',
    'http://canary@h/x',
    'postgres://canary:canary@h:99999/x',
    'postgres://canary@a,b/x',
    'postgres://canary@h/x?sslmode=canary',
  ]
  for (const url of wrong) {
    assert.throws(
      () => parseServerUrl(new Secret(url)),
      (thrown: unknown) => {
        assert.equal((thrown as { code: string }).code, 'source.address-invalid')
        assert.ok(!inspect(thrown, { depth: 9 }).includes('canary'))
        return true
      },
    )
  }
})

test('what is given goes before what a URL says, and a given host before a socket of the URL', () => {
  const url = new Secret('postgres://u:p@h:1/x?host=/run/postgresql')
  assert.deepEqual(plainAddress({ url, user: 'other' }).user, 'other')
  assert.equal(plainAddress({ url }).socket, '/run/postgresql')
  assert.equal(plainAddress({ url, host: 'db' }).socket, undefined)
  assert.equal(shownAddress(plainAddress({ url, host: 'db' })), 'db:1')
  assert.equal(shownAddress({}), 'the local server')
})

test('each name of a database has a file name of its own that is safe in any folder', () => {
  const names: Record<string, string> = {
    shop: 'shop.sql',
    'a/b': 'a%2Fb.sql',
    'a%2Fb': 'a%252Fb.sql',
    '..': '%2E..sql',
    'line\nfeed\u0085': 'line%0Afeed%C2%85.sql',
    'emoji 🐘 " \'': 'emoji 🐘 " \'.sql',
  }
  for (const [name, file] of Object.entries(names)) assert.equal(databaseFile(name, 'sql'), file)
})
