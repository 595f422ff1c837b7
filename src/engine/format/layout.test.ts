import assert from 'node:assert/strict'
import { test } from 'node:test'

import { dataFolders, folderOf, folders, isFileName, pathOf } from './layout.ts'

const name = `6a62${'0'.repeat(60)}`

test('every type of file has its place', () => {
  const paths = (['config', 'key', 'lock', 'snapshot', 'index', 'pack'] as const).map((type) => pathOf({ type, name }))
  assert.deepEqual(paths, [
    'config',
    `keys/${name}`,
    `locks/${name}`,
    `snapshots/${name}`,
    `index/${name}`,
    `data/6a/${name}`,
  ])
  assert.equal(folderOf('pack'), 'data')
})

test('a repository has five folders and 256 for packs, parents first', () => {
  assert.equal(folders.length, 5 + 256)
  assert.equal(dataFolders[0], 'data/00')
  assert.equal(dataFolders[255], 'data/ff')
  assert.ok(folders.indexOf('data') < folders.indexOf('data/00'))
})

test('only 64 lower-case hex digits are the name of a file', () => {
  assert.ok(isFileName(name))
  for (const other of ['', 'README', `${name}.tmp`, name.slice(1), name.toUpperCase(), `${name}\n`, '../'.repeat(21)]) {
    assert.ok(!isFileName(other), other)
  }
})
