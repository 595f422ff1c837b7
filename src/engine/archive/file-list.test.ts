import assert from 'node:assert/strict'
import { test } from 'node:test'

import { decodeFileList, encodeFileList } from './file-list.ts'

test('a list of files survives its way to another thread', () => {
  const files = [
    {
      path: Buffer.from('/proc/self/fd/9/\xff\xfe', 'latin1'),
      size: 0,
      mtimeNs: -5n,
      ctimeNs: 2n ** 62n,
      inode: 2n ** 64n - 1n,
    },
    { path: Buffer.alloc(300, 'x'), size: 2 ** 45, mtimeNs: 1_700_000_000_123_456_789n, ctimeNs: 1n, inode: 7n },
  ]
  assert.deepEqual(decodeFileList(encodeFileList(files)), files)
  assert.deepEqual(decodeFileList(encodeFileList([])), [])
})
