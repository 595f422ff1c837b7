import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'

import type { TreeNode } from '../format/tree-node.ts'
import { bufferOf, contentIdAt, readRecords, RecordWriter } from './node-record.ts'

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const time = fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n })
const id = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((array) => Buffer.from(array))

const attribute = fc.record({ name: fc.string({ unit: 'grapheme' }), value: bytes }, { noNullPrototype: true })

const node: fc.Arbitrary<TreeNode> = fc.record({
  name: bytes,
  type: fc.constant('file' as const),
  mode: fc.integer({ min: 0, max: 0o7777 }),
  mtimeNs: time,
  atimeNs: time,
  ctimeNs: fc.constant(0n),
  uid: uint32,
  gid: uint32,
  user: fc.constant(''),
  group: fc.constant(''),
  inode: uint64,
  deviceId: uint64,
  size: fc.maxSafeNat(),
  links: uint32,
  linkTarget: bytes,
  extendedAttributes: fc.array(attribute),
  device: uint64,
  content: fc.array(id),
  subtree: id,
})

test('nodes come out of their records as they went in', () => {
  fc.assert(
    fc.property(fc.array(node), (nodes) => {
      const writer = new RecordWriter()
      for (const each of nodes) writer.add(each)
      const records = bufferOf(writer.take())
      const read = Array.from(readRecords(records), ([, record]) => record)
      assert.equal(read.length, nodes.length)
      let at = 0
      for (const [number, { user, group, ctimeNs, content = [], subtree, ...expected }] of nodes.entries()) {
        const { content: ids, subtree: tree, ...record } = read[number]!
        assert.deepEqual(record, expected)
        assert.equal(Buffer.from(ids).toString('hex'), content.join(''))
        assert.equal(Buffer.from(tree).toString('hex'), subtree)
        assert.deepEqual(
          content.map((_, index) => contentIdAt(records, at, index)),
          content,
        )
        at += records.readUInt32LE(at)
        assert.deepEqual([user, group, ctimeNs], ['', '', 0n], 'which no restore needs')
      }
    }),
    { numRuns: 50 },
  )
})
