import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import * as fc from 'fast-check'

import { toGoMode } from './file-mode.ts'
import { formatTime, parseTime } from './time.ts'
import { compareNames, decodeTree, encodeTree, encodeTreeNode, type NodeType, type TreeNode } from './tree-node.ts'

const vectors = JSON.parse(
  readFileSync(new URL('../../../tests/fixtures/vectors/tree-names.json', import.meta.url), 'utf8'),
) as { tree_blobs: Record<string, string>; go_mode_examples: Record<string, number> }

const idOf = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex')
const inUtc = (text: string): string => text.replace(/\d{4}-\d\d-\d\dT[^"]*/g, (time) => formatTime(parseTime(time)))
const decodeNode = (fields: object): TreeNode => decodeTree(Buffer.from(JSON.stringify({ nodes: [fields] })))[0]!

const zeroId = '0'.repeat(64)
const file: TreeNode = {
  name: Buffer.from('x'),
  type: 'file',
  mode: 0o644,
  mtimeNs: 0n,
  atimeNs: 0n,
  ctimeNs: 0n,
  uid: 0,
  gid: 0,
  user: '',
  group: '',
  inode: 0n,
  deviceId: 0n,
  size: 0,
  links: 0,
  extendedAttributes: [],
  device: 0n,
  content: [],
}

test('the trees of restic in five time zones are encoded bit for bit, with their times in UTC', () => {
  let unchanged = 0
  for (const [id, text] of Object.entries(vectors.tree_blobs)) {
    assert.equal(idOf(text), id)
    const nodes = decodeTree(Buffer.from(text)).map(
      // Because restic 0.14 does not keep the bytes of a target that is not UTF-8, they are put back here.
      (node) =>
        String(node.name) === 'sym-invalid' ? { ...node, linkTarget: Buffer.from('inv-\xff-target', 'latin1') } : node,
    )
    const encoded = Buffer.from(encodeTree(nodes)).toString()
    assert.match(encoded, /"linktarget_raw":"aW52Lf8tdGFyZ2V0"/)
    const as014 = encoded.replace(/,"linktarget_raw":"[^"]*"/, '')
    assert.equal(as014, inUtc(text))
    if (as014 === text) unchanged++
  }
  assert.equal(Object.keys(vectors.tree_blobs).length, 10)
  assert.equal(unchanged, 2)
})

test('an empty directory has the id that it has in every repository', () => {
  assert.equal(idOf(encodeTree([])), 'ac08ce34ba4f8123618661bef2425f7028ffb9ac740578a3ee88684d2523fee8')
  assert.deepEqual(decodeTree(encodeTree([])), [])
})

test('a directory that could not be encoded leaves nothing in the next one', () => {
  const broken = { ...file, name: undefined } as unknown as TreeNode
  assert.throws(() => encodeTree([file, broken]))
  assert.deepEqual(decodeTree(encodeTree([file])), [file])
})

test('modes are numbered as Go numbers them', () => {
  const modes: Record<string, number> = {
    file_0644: toGoMode('file', 0o644),
    dir_0755: toGoMode('dir', 0o755),
    symlink_0777: toGoMode('symlink', 0o777),
    fifo_0644: toGoMode('fifo', 0o644),
    blockdev_0644: toGoMode('dev', 0o644),
    chardev_0644: toGoMode('chardev', 0o644),
    setuid_4755_file: toGoMode('file', 0o4755),
    dir_2750_setgid: toGoMode('dir', 0o2750),
    dir_1777_sticky: toGoMode('dir', 0o1777),
    dir_7777: toGoMode('dir', 0o7777),
  }
  assert.deepEqual(modes, vectors.go_mode_examples)
})

const anyText = fc.string({ unit: 'grapheme' })
const anyId = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex'))
const anyUint64 = fc.oneof(fc.bigInt({ min: 0n, max: 70_000n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }))
const anyTime = fc.bigInt({ min: -62_167_219_200_000_000_000n, max: 253_402_300_799_999_999_999n })
const anyBytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc.string({ unit: 'binary', minLength: 1 }).map((text) => Buffer.from(text)),
)
const plainRecord = <Fields>(fields: { [Name in keyof Fields]: fc.Arbitrary<Fields[Name]> }): fc.Arbitrary<Fields> =>
  fc.record(fields, { noNullPrototype: true })
const base = {
  name: anyBytes,
  mode: fc.integer({ min: 0, max: 0o7777 }),
  mtimeNs: anyTime,
  atimeNs: anyTime,
  ctimeNs: anyTime,
  uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  gid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  user: anyText,
  group: anyText,
  inode: anyUint64,
  deviceId: anyUint64,
  extendedAttributes: fc.array(plainRecord({ name: anyText, value: fc.uint8Array() }), {
    maxLength: 3,
  }),
}
const links = fc.integer({ min: 0, max: 70_000 })
const none = { size: fc.constant(0), links: fc.constant(0), device: fc.constant(0n) }
const anyNode: fc.Arbitrary<TreeNode> = fc.oneof(
  plainRecord({
    ...base,
    ...none,
    type: fc.constant('file' as const),
    size: fc.maxSafeNat(),
    links,
    content: fc.array(anyId, { maxLength: 3 }),
  }),
  plainRecord({ ...base, ...none, type: fc.constant('dir' as const), subtree: anyId }),
  plainRecord({ ...base, ...none, type: fc.constant('symlink' as const), links, linkTarget: anyBytes }),
  plainRecord({
    ...base,
    ...none,
    type: fc.constantFrom('dev' as const, 'chardev' as const),
    links,
    device: anyUint64,
  }),
  plainRecord({ ...base, ...none, type: fc.constantFrom('fifo' as const, 'socket' as const) }),
)

test('any nodes come back, whole or split at any size, and are encoded to the same bytes again', () => {
  fc.assert(
    fc.property(fc.array(anyNode, { maxLength: 6 }), fc.integer({ min: 0, max: 2000 }), (nodes, wholeBelow) => {
      const bytes = encodeTree(nodes)
      const decoded = decodeTree(bytes)
      assert.deepEqual(decoded, nodes)
      assert.deepEqual(decodeTree(bytes, wholeBelow), nodes)
      assert.deepEqual(encodeTree(decoded), bytes)
      assert.equal(`{"nodes":[${nodes.map(encodeTreeNode).join(',')}]}\n`, Buffer.from(bytes).toString())
      assert.equal(JSON.parse(Buffer.from(bytes).toString()).nodes.length, nodes.length)
    }),
    { numRuns: 300 },
  )
})

test('numbers beyond 2^53 keep their last digit, also in JSON with white space', () => {
  const text = `{ "nodes" : [ {"name":"\\"inode\\":12345678901234567","type":"file","inode" : 18446744073709551361,
    "device_id":\n9007199254740993, "device":18446744073709551615} ] }`
  for (const wholeBelow of [1, 10_000]) {
    const node = decodeTree(Buffer.from(text.replaceAll('\\"', '\\\\\\"')), wholeBelow)[0]!
    assert.equal(node.inode, 18_446_744_073_709_551_361n)
    assert.equal(node.deviceId, 9_007_199_254_740_993n)
    assert.equal(node.device, 18_446_744_073_709_551_615n)
    assert.equal(String(node.name), '"inode":12345678901234567')
  }
})

test('texts are escaped as restic 0.14 escapes them, and half a surrogate pair becomes U+FFFD', () => {
  const user = '<&>"\\\b\f\n\r\t\u0001\u007f\u0085\u2028\u2029é😀\ud800x'
  assert.ok(
    encodeTreeNode({ ...file, user }).includes(
      String.raw`"user":"\u003c\u0026\u003e\"\\\u0008\u000c\n\r\t\u0001` +
        '\u007f\u0085' +
        String.raw`\u2028\u2029é😀\ufffdx"`,
    ),
  )
})

test('a link target that is not UTF-8 is kept in a field of its own', () => {
  const link: TreeNode = { ...file, type: 'symlink', linkTarget: Uint8Array.of(0x61, 0xff, 0xed, 0xa0, 0x80) }
  const { content: _, ...node } = link
  assert.ok(!encodeTreeNode({ ...node, linkTarget: new Uint8Array(0) }).includes('linktarget'))
  assert.match(encodeTreeNode(node), /"linktarget":"a\\ufffd\\ufffd\\ufffd\\ufffd","linktarget_raw":"Yf\/toIA="/)
})

test('a tree is read as restic reads it: any order, doubles, unknown fields, no line feed, white space, fields that are missing', () => {
  const node = {
    name: 'b',
    type: 'file',
    content: [zeroId.replaceAll('0', 'A')],
    generic_attributes: { a: [1] },
    error: 'x',
  }
  const text = JSON.stringify({ version: 3, nodes: [node, { name: 'a', type: 'dir', subtree: zeroId }, node] }, null, 2)
  for (const wholeBelow of [1, 10_000]) {
    const nodes = decodeTree(Buffer.from(text), wholeBelow)
    assert.deepEqual(
      nodes.map(({ name }) => String(name)),
      ['b', 'a', 'b'],
    )
    assert.deepEqual(nodes[0]!.content, ['a'.repeat(64)])
    assert.equal(formatTime(nodes[0]!.mtimeNs), '0001-01-01T00:00:00Z')
    assert.equal(nodes[0]!.mode, 0)
  }
  assert.deepEqual(decodeTree(Buffer.from('{"nodes":null}')), [])
})

test('what only check and restore can judge comes through', () => {
  assert.equal(decodeNode({ name: '', type: 'file' }).name.length, 0)
  assert.equal(String(decodeNode({ name: '../evil', type: 'file' }).name), '../evil')
  assert.equal(decodeNode({ name: 'x', type: 'file', content: null }).content, undefined)
  assert.equal(decodeNode({ name: 'x', type: 'dir' }).subtree, undefined)
  assert.equal(decodeNode({ name: 'x', type: 'symlink', linktarget_raw: null }).linkTarget, undefined)
  assert.equal(decodeNode({ name: 'x', type: 'fifo', content: [] }).content, undefined)
  assert.equal(encodeTreeNode(decodeNode({ name: 'x', type: 'file' })).includes('"content":null'), true)
})

test('fields called like parts of every object do no harm', () => {
  const text =
    '{"__proto__":{"nodes":[]},"nodes":[{"__proto__":{"type":"dir","uid":5},"constructor":1,"name":"x","type":"file"}]}'
  const [node] = decodeTree(Buffer.from(text))
  assert.equal(node!.uid, 0)
  assert.equal(node!.type, 'file')
  assert.equal(({} as Record<string, unknown>)['uid'], undefined)
})

for (const [wrong, fields] of Object.entries({
  'no type': { name: 'x' },
  'an unknown type': { type: 'irregular' },
  'a type that is on every object': { type: 'constructor' },
  'a name that is not quoted': { name: 'a\\z', type: 'file' },
  'a name that is a number': { name: 1, type: 'file' },
  'a mode of more than 32 bits': { type: 'file', mode: 2 ** 32 },
  'a negative inode': { type: 'file', inode: -1 },
  'an inode with a fraction': { type: 'file', inode: 1.5 },
  'an inode beyond 64 bits': { type: 'file', inode: '18446744073709551616' },
  'an inode that is a word': { type: 'file', inode: 'seven' },
  'an inode that is a list': { type: 'file', inode: [] },
  'a size beyond 2^53': { type: 'file', size: 2 ** 60 },
  'a time that is none': { type: 'file', mtime: 'yesterday' },
  'an empty time': { type: 'file', mtime: '' },
  'content that is no list': { type: 'file', content: 'x' },
  'content that is no id': { type: 'file', content: ['x'] },
  'content in a directory': { type: 'dir', content: [zeroId] },
  'a tree below a file': { type: 'file', subtree: zeroId },
  'a tree that is no id': { type: 'dir', subtree: 'x' },
  'a target in a file': { type: 'file', linktarget: 'x' },
  'a raw target that is no base64': { type: 'symlink', linktarget_raw: '*' },
  'an attribute that is no object': { type: 'file', extended_attributes: ['x'] },
  'an attribute that is no base64': { type: 'file', extended_attributes: [{ name: 'user.x', value: 'x' }] },
})) {
  test(`a node with ${wrong} is damaged`, () => {
    assert.throws(() => decodeNode({ name: 'x', ...fields }), { code: 'format.damaged' })
  })
}

for (const [wrong, text] of Object.entries({
  'no nodes': '{}',
  'nodes that are an object': '{"nodes":{}}',
  'a node that is null': '{"nodes":[null]}',
  'a number that no rule finds': '{"nodes":[{"name":"x","type":"file","ino\\u0064e":18446744073709551361}]}',
  'a number beyond 64 bits': '{"nodes":[{"name":"x","type":"file","inode":99999999999999999999}]}',
  'a number as large as a double can be': '{"nodes":[{"name":"x","type":"file","inode":1e300}]}',
  'a text without an end': '{"nodes":[{"name":"x',
  'a text without an end before its nodes': '{"x',
  'a list without an end': '{"nodes":[{"name":"x","type":"file"}',
  'more behind its end': '{"nodes":[{"name":"x","type":"file"}]}]',
  'nothing between two commas': '{"nodes":[{"name":"x","type":"file"},,{"name":"x","type":"file"}]}',
  'no bytes': '',
})) {
  test(`a tree with ${wrong} is damaged, be it read whole or split`, () => {
    for (const wholeBelow of [1, 40, 10_000]) {
      assert.throws(() => decodeTree(Buffer.from(text), wholeBelow), { code: 'format.damaged' })
    }
  })
}

test('a tree that is longer than any text may be is damaged when it must be read whole', () => {
  assert.throws(() => decodeTree(new Uint8Array(2 ** 29), 2 ** 30), { code: 'format.damaged' })
})

test('a tree that is split must have one list of nodes, wherever that word stands besides', () => {
  const node = '{"name":"nodes","type":"file"}'
  const once = `{"a":{"nodes":[1]},"b":["nodes","x\\\\\\"]"],"c":"nodes","nodes" :\t[${node},${node}],"nodes2":[{}]}`
  assert.equal(decodeTree(Buffer.from(once), 1).length, 2)
  const twice = `{"nodes":[${node}],"nodes":[${node}]}`
  assert.throws(() => decodeTree(Buffer.from(twice), 1), { code: 'format.damaged', message: /more than one list/ })
})

test('names are compared as unsigned bytes', () => {
  const sorted = ['', 'a', 'a\u0000', 'a/', 'aa', 'b', '\uE000', '😀'].map((text) => Buffer.from(text))
  const ordered = sorted.toReversed().toSorted(compareNames)
  assert.deepEqual(ordered, sorted)
})

test('every type of node can be encoded without the fields that it does not have', () => {
  const { content: _, ...bare } = file
  for (const type of ['dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket'] satisfies NodeType[]) {
    const node: TreeNode = { ...bare, type, size: 5, links: 2 }
    const hasLinks = type === 'symlink' || type === 'dev' || type === 'chardev'
    assert.deepEqual(decodeTree(encodeTree([node])), [{ ...node, size: 0, links: hasLinks ? 2 : 0 }])
  }
})
