import assert from 'node:assert/strict'
import { test } from 'node:test'

import { arrangeParts } from './parts.ts'

const file = (at: string): { kind: 'file'; at: string; path: string } => ({ kind: 'file', at, path: '/etc/hostname' })
const folder = (at: string): { kind: 'folder'; at: string; path: string } => ({ kind: 'folder', at, path: '/etc' })

test('parts share the folders on the way to them', () => {
  const root = arrangeParts([file('config/.env'), file('config/keys/a.pem'), folder('files')])
  assert.deepEqual([...root.below.keys()], ['config', 'files'])
  assert.deepEqual([...root.below.get('config')!.below.keys()], ['.env', 'keys'])
  assert.equal(root.below.get('config')!.below.get('keys')!.below.get('a.pem')!.path, 'config/keys/a.pem')
})

test('a folder on disk may have other parts in it', () => {
  const root = arrangeParts([folder('files'), folder('files/+mnt/disk2')])
  assert.equal(root.below.get('files')!.part?.kind, 'folder')
  assert.equal(root.below.get('files')!.below.get('+mnt')!.below.get('disk2')!.part?.kind, 'folder')
})

test('one folder may be the whole snapshot', () => {
  assert.equal(arrangeParts([folder('')]).part?.kind, 'folder')
})

for (const [title, parts] of [
  ['the same place twice', [file('a'), file('a')]],
  ['something below a file', [file('a'), file('a/b')]],
  ['a file where there is a folder', [file('a/b'), file('a')]],
] as const) {
  test(`${title} is refused`, () => {
    assert.throws(() => arrangeParts(parts), { code: 'archive.path-taken' })
  })
}
