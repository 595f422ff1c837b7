import assert from 'node:assert/strict'
import { test } from 'node:test'

import { rawPathOf } from '../raw-path.ts'
import { matchPatterns, matchWanted } from './pattern.ts'

const cases: readonly [pattern: string, path: string, kind: 'file' | 'dir', matches: boolean][] = [
  ['node_modules/', 'node_modules', 'dir', true],
  ['node_modules/', 'packages/a/node_modules', 'dir', true],
  ['node_modules/', 'node_modules', 'file', false],
  ['/tmp/', 'tmp', 'dir', true],
  ['/tmp/', 'uploads/tmp', 'dir', false],
  ['*.log', 'a/b/server.log', 'file', true],
  ['*.log', 'server.logs', 'file', false],
  ['/*.log', 'server.log', 'file', true],
  ['/*.log', 'uploads/server.log', 'file', false],
  ['.next/cache/', 'apps/web/.next/cache', 'dir', true],
  ['.next/cache/', 'apps/web/x.next/cache', 'dir', false],
  ['/logs/**/*.log', 'logs/a.log', 'file', true],
  ['/logs/**/*.log', 'logs/2025/11/a.log', 'file', true],
  ['/logs/**/*.log', 'other/logs/a.log', 'file', false],
  ['a/**', 'a', 'dir', false],
  ['a/**', 'x/a/b/c', 'file', true],
  ['file?.txt', 'file1.txt', 'file', true],
  ['file?.txt', 'file/.txt', 'file', false],
  ['[ab].txt', 'b.txt', 'file', true],
  ['[!ab].txt', 'b.txt', 'file', false],
  ['[!ab].txt', 'c.txt', 'file', true],
  ['(x)+{1}$^|.txt', '(x)+{1}$^|.txt', 'file', true],
  ['a.txt', 'aXtxt', 'file', false],
  ['café', 'x/café', 'file', true],
  ['caf*/', 'café', 'dir', true],
  ['*', 'line\nbreak', 'file', true],
  ['', 'a', 'file', false],
  ['/', 'a', 'dir', false],
  ['[', '[', 'file', true],
]

test('a pattern means what its rules say', () => {
  for (const [pattern, path, kind, matches] of cases) {
    assert.equal(matchPatterns([pattern])(rawPathOf(path), kind), matches, `${pattern} against ${path}`)
  }
})

test('many patterns are one question', () => {
  const matches = matchPatterns(cases.map(([pattern]) => pattern).filter((pattern) => pattern !== '*'))
  assert.ok(matches('deep/node_modules', 'dir'))
  assert.ok(!matches('deep/readme.md', 'file'))
})

test('wanted paths bring what is below them and open the folders above them', () => {
  const { inside, above } = matchWanted(['storage/app/invoices', './uploads/', 'data/**/*.csv', 'shops/*/logo'])
  for (const path of ['storage/app/invoices', 'storage/app/invoices/2025/1.pdf', 'uploads', 'uploads/a']) {
    assert.ok(inside(path), path)
  }
  for (const path of ['data/a.csv', 'data/x/y/a.csv', 'shops/one/logo', 'shops/one/logo/a.png']) {
    assert.ok(inside(path), path)
  }
  for (const path of [
    'storage',
    'storage/app',
    'storage/app/invoices2',
    'data/a.txt',
    'shops/one/two/logo',
    'upload',
  ]) {
    assert.ok(!inside(path), path)
  }
  for (const path of ['storage', 'storage/app', 'data', 'data/x/y', 'shops', 'shops/one']) assert.ok(above(path), path)
  for (const path of ['stora', 'other', 'shops/one/two']) assert.ok(!above(path), path)
})
