import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { localHost } from './host/local-host.ts'
import { matchPatterns } from './files/pattern.ts'
import { mayBeSqlite } from './sqlite/inspect.ts'
import { maybeSecret } from './secrets/inspect.ts'
import { survey } from './survey.ts'
import { temporaryFolder } from './testing.ts'

test('a survey finds candidates by name in every folder that it may enter, and follows no link', async () => {
  await using folder = await temporaryFolder()
  const make = (name: string | Buffer): void => {
    writeFileSync(Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from(name)]), '')
  }
  for (const name of ['a', 'a/b', 'node_modules', 'a/node_modules', 'outside']) mkdirSync(join(folder.path, name))
  for (const name of [
    'x.db',
    'a/b/y.sqlite3',
    'a/plain',
    'a/log',
    'a/log-wal',
    'node_modules/z.db',
    'a/node_modules/z.db',
  ]) {
    make(name)
  }
  make(Buffer.from([0x61, 0x2f, 0xff, 0x2e, 0x64, 0x62]))
  symlinkSync(folder.path, join(folder.path, 'loop'))
  symlinkSync('x.db', join(folder.path, 'link.db'))
  const { found, leftOut } = await survey(localHost('/tmp'), folder.path, matchPatterns(['node_modules/']), {
    sqlite: mayBeSqlite,
  })
  assert.deepEqual(found['sqlite'], ['a/b/y.sqlite3', 'a/log', 'a/\xff.db', 'x.db'])
  assert.deepEqual(leftOut, ['a/node_modules', 'node_modules'])
})

test('a folder that is not there is an error, and a stop is heard', async () => {
  await assert.rejects(
    survey(localHost('/tmp'), '/nowhere/at/all', () => false, {}),
    { code: 'source.missing', kind: 'missing' },
  )
  const stopped = AbortSignal.abort(new Error('stopped'))
  await assert.rejects(
    survey(localHost('/tmp'), '/', () => false, {}, stopped),
    { message: 'stopped' },
  )
})

test('settings, keys and certificates are known by their names, and examples are none', () => {
  for (const name of [
    '.env',
    '.env.production',
    'a.pem',
    'server.key',
    'id_ed25519',
    'x.p12',
    'db.local.json',
    '.npmrc',
  ]) {
    assert.deepEqual(maybeSecret([name]), [name])
  }
  for (const name of [
    '.env.example',
    '.env.sample',
    'env',
    'keys',
    'id_ed25519.pub',
    'monkey',
    'local.json',
    'a.pem.txt',
  ]) {
    assert.deepEqual(maybeSecret([name]), [])
  }
})
