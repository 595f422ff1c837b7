import assert from 'node:assert/strict'
import { test } from 'node:test'

import { formatLocation, locationIn, parseLocation, resticName } from './location.ts'

/** Each: a vault as it is written, where the project `shop` lies in it, and what restic calls that. */
const vaults: readonly (readonly [vault: string, inside: string, restic: string | undefined])[] = [
  ['/var/backups', '/var/backups/shop', '/var/backups/shop'],
  ['sftp://host/srv/backups', 'sftp://host/srv/backups/shop', 'sftp://host//srv/backups/shop'],
  ['sftp://u1@host:23/./bewaar', 'sftp://u1@host:23/./bewaar/shop', 'sftp://u1@host:23/bewaar/shop'],
  ['sftp://u1@host/./a%20b%25', 'sftp://u1@host/./a%20b%25/shop', 'sftp://u1@host/a%20b%25/shop'],
  ['sftp://[::1]:2222/x', 'sftp://[::1]:2222/x/shop', 'sftp://[::1]:2222//x/shop'],
  ['s3://s3.example.org/bucket', 's3://s3.example.org/bucket/shop', 's3:https://s3.example.org/bucket/shop'],
  [
    's3+http://127.0.0.1:9000/bucket/a/b',
    's3+http://127.0.0.1:9000/bucket/a/b/shop',
    's3:http://127.0.0.1:9000/bucket/a/b/shop',
  ],
  [
    'rest:https://web1@host:8000/backups/',
    'rest:https://web1@host:8000/backups/shop/',
    'rest:https://web1@host:8000/backups/shop/',
  ],
  ['rest:http://localhost:8000/', 'rest:http://localhost:8000/shop/', 'rest:http://localhost:8000/shop/'],
  ['rest+ssh://u1@host:23/', 'rest+ssh://u1@host:23/shop', undefined],
  ['rest+ssh://host/a/b', 'rest+ssh://host/a/b/shop', undefined],
]

test('every kind of location reads back from the form in which it is written', () => {
  for (const [vault] of vaults) assert.equal(formatLocation(parseLocation(vault)), vault)
})

test('a project has a folder of its own in each kind of vault', () => {
  for (const [vault, inside] of vaults) assert.equal(formatLocation(locationIn(parseLocation(vault), 'shop')), inside)
})

test('a place is called as restic calls it, where restic has a name for it', () => {
  for (const [vault, , restic] of vaults) assert.equal(resticName(locationIn(parseLocation(vault), 'shop')), restic)
})

test('what cannot be a REST server over SSH is refused', () => {
  for (const text of [
    'rest+ssh://',
    'rest+ssh://u1:hunter2@host/',
    'rest+ssh://host/a b',
    'rest+ssh://host/a/%2e%2e/b%00',
    'rest+ssh://host/x?y=1',
    'rest+ssh://host/%zz',
  ]) {
    assert.throws(
      () => parseLocation(text),
      (thrown: Error & { code?: string }) => thrown.code === 'location.invalid' && !thrown.message.includes('hunter2'),
      text,
    )
  }
})
