import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot.ts'

const tree = 'ab'.repeat(32)
const time = '2026-05-06T07:08:09.5+02:00'

const full: Snapshot = {
  time,
  parent: '01'.repeat(32),
  tree,
  paths: ['/srv/a & b', '/srv/<é>\u2028'],
  hostname: 'vm',
  username: 'root',
  uid: 1000,
  gid: 1001,
  excludes: ['*.tmp'],
  tags: ['one', 'two'],
  original: '02'.repeat(32),
  programVersion: 'bewaar 0.1.0',
  summary: {
    backupStart: time,
    backupEnd: time,
    filesNew: 1,
    filesChanged: 2,
    filesUnmodified: 3,
    dirsNew: 4,
    dirsChanged: 5,
    dirsUnmodified: 6,
    dataBlobs: 7,
    treeBlobs: 8,
    dataAdded: 9,
    dataAddedPacked: 10,
    totalFilesProcessed: 11,
    totalBytesProcessed: 12,
  },
}

const decode = (document: unknown): Snapshot => decodeSnapshot(Buffer.from(JSON.stringify(document)))

test('a snapshot with all fields comes back, and stands there in the order of restic', () => {
  const bytes = encodeSnapshot(full)
  assert.deepEqual(decodeSnapshot(bytes), full)
  assert.equal(
    Buffer.from(bytes).toString(),
    `{"time":"${time}","parent":"${'01'.repeat(32)}","tree":"${tree}",` +
      String.raw`"paths":["/srv/a \u0026 b","/srv/\u003cé\u003e\u2028"],"hostname":"vm","username":"root",` +
      `"uid":1000,"gid":1001,"excludes":["*.tmp"],"tags":["one","two"],"original":"${'02'.repeat(32)}",` +
      `"program_version":"bewaar 0.1.0","summary":{"backup_start":"${time}","backup_end":"${time}","files_new":1,` +
      `"files_changed":2,"files_unmodified":3,"dirs_new":4,"dirs_changed":5,"dirs_unmodified":6,"data_blobs":7,` +
      `"tree_blobs":8,"data_added":9,"data_added_packed":10,"total_files_processed":11,"total_bytes_processed":12}}`,
  )
})

test('what is empty or zero is left out', () => {
  const empty = { time, tree, paths: [], hostname: '', username: '', uid: 0, gid: 0, excludes: [], tags: [] }
  assert.equal(Buffer.from(encodeSnapshot(empty)).toString(), `{"time":"${time}","tree":"${tree}","paths":[]}`)
})

test('a snapshot is read as restic reads it: no paths, no host, unknown fields, ids in upper case', () => {
  assert.deepEqual(decode({ time, tree: tree.toUpperCase(), paths: null, summary: null, label: 'x', parents: [] }), {
    time,
    tree,
    paths: [],
  })
})

for (const [wrong, document] of Object.entries({
  'no tree': { time },
  'a tree that is no id': { time, tree: 'abc' },
  'no time': { tree },
  'a time without a zone': { time: '2026-01-01T00:00:00', tree },
  'a path that is a number': { time, tree, paths: [1] },
  'paths that are no list': { time, tree, paths: '/srv' },
  'a negative uid': { time, tree, uid: -1 },
  'a gid of more than 32 bits': { time, tree, gid: 2 ** 32 },
  'a host that is a list': { time, tree, hostname: [] },
  'a summary that is a text': { time, tree, summary: 'x' },
  'a summary with a fraction': { time, tree, summary: { backup_start: time, backup_end: time, files_new: 0.5 } },
  'a list in place of it': [],
})) {
  test(`a snapshot with ${wrong} is damaged`, () => {
    assert.throws(() => decode(document), { code: 'format.damaged', message: /valid snapshot/ })
  })
}
