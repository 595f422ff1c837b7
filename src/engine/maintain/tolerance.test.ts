/**
 * The 57 deviations that stock restic was asked about (tests/fixtures/vectors/tolerance.json), and what our check says of each.
 * Every deviation that is a real one is a finding or a typed error.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'

import { AppError, Secret } from '#base'
import { encodeIndex } from '../format/index-file.ts'
import { openRepository } from '../repository/repository.ts'
import { check } from './check.ts'
import {
  craftedConfig,
  craftedPassword,
  craftRepository,
  fileNode,
  folderNode,
  type Craft,
  type CraftedRepository,
} from './crafted-repository.ts'

/** What is said: one line for each finding, hex ids as `*`; or the code of the error that ends it. */
interface Case extends Craft {
  readonly says: readonly string[] | string
}

const sound: readonly string[] = []
const config = JSON.stringify(craftedConfig)
const unknownId = 'ab'.repeat(32)
const hostLess = { hostname: undefined, username: undefined }

function rawTree(text: (node: string) => string): NonNullable<Craft['root']> {
  return (crafted, file) => crafted.blob('tree', text(JSON.stringify(file)))
}

function node(name: string, fields: object = {}): Craft {
  return { nodes: [fileNode(name, [], 0, fields)] }
}

function indexBody(body: (json: Buffer) => Uint8Array): NonNullable<Craft['index']> {
  return (crafted, packs) => void crafted.saveBody('index', body(Buffer.from(encodeIndex(packs))))
}

function lockOf(ageMinutes: number): Craft {
  const time = new Date(Date.now() - ageMinutes * 60_000).toISOString()
  const lock = { time, exclusive: false, hostname: 'elsewhere', username: 'u', pid: 1 }
  return { more: (crafted) => void crafted.saveJson('lock', lock) }
}

/** The snapshot and the file in it are not whole any more. */
function lost(path: string, text: string): string[] {
  return [`damage snapshot *: ${path} ${text}`, 'damage snapshot * cannot be restored whole']
}

const unread = 'notice pack * is named by no index: a run stores it just now, or was interrupted'
const lostTree = lost('/', 'cannot be restored: its tree * is in no index')
const odd = ['notice snapshot *: / is not written in the canonical form']
const lostData = lost('/0', 'needs data blob *, which cannot be read')

const cases: Readonly<Record<string, Case>> = {
  baseline: { says: sound },
  'scrypt N=1024 r=8 p=1': { key: (to) => to.saveKey({ costs: { N: 1024, r: 8, p: 1 } }), says: sound },
  'scrypt N=32768 r=4 p=2': { key: (to) => to.saveKey({ costs: { N: 32_768, r: 4, p: 2 } }), says: sound },
  'key: salt 32 bytes': {
    key: (to) => to.saveKey({ salt: new Uint8Array(32).fill(7) }),
    says: 'repository.keys-missing',
  },
  'key: extra unknown JSON field': { key: (to) => to.saveKey({ fields: { colour: 'red' } }), says: sound },
  'key: file name not hash of content': {
    key: (to) => to.saveKey({ name: unknownId }),
    says: 'repository.keys-missing',
  },
  'key: empty created/username/hostname omitted': {
    key: (to) => to.saveKey({ fields: { created: undefined, username: undefined, hostname: undefined } }),
    says: sound,
  },
  'config: prefixed with byte 2 and zstd': {
    config: Buffer.concat([Uint8Array.of(2), zstdCompressSync(Buffer.from(config))]),
    says: 'repository.file-damaged',
  },
  'config: unknown extra field': { config: JSON.stringify({ ...craftedConfig, colour: 'red' }), says: sound },
  'config: trailing newline + spaces': { config: `${config} \n  `, says: sound },
  'config: version 3': { config: JSON.stringify({ ...craftedConfig, version: 3 }), says: 'repository.file-damaged' },
  'config: uppercase hex polynomial': {
    config: JSON.stringify({ ...craftedConfig, chunker_polynomial: '3855F384F04C43' }),
    says: sound,
  },
  'unpacked: index as raw JSON "{"': { index: indexBody((json) => json), says: sound },
  'unpacked: index with encoding byte 1': {
    index: indexBody((json) => Buffer.concat([Uint8Array.of(1), zstdCompressSync(json)])),
    says: [
      'damage index * is damaged: This is not a valid file of a restic repository: its first byte 1 is no way to encode JSON',
      unread,
      unread,
      ...lostTree,
    ],
  },
  'unpacked: index as raw JSON but with a leading space': {
    index: indexBody((json) => Buffer.concat([Buffer.from(' '), json])),
    says: [
      'damage index * is damaged: This is not a valid file of a restic repository: its first byte 32 is no way to encode JSON',
      unread,
      unread,
      ...lostTree,
    ],
  },
  'snapshot: raw JSON': {
    snapshot: (to, tree) =>
      void to.saveBody('snapshot', JSON.stringify({ time: '2026-01-01T00:00:00Z', tree, paths: ['/srv'] })),
    says: sound,
  },
  'snapshot: paths null': { snapshot: (to, tree) => void to.saveSnapshot(tree, { paths: null }), says: sound },
  'snapshot: no hostname/username': { snapshot: (to, tree) => void to.saveSnapshot(tree, hostLess), says: sound },
  'snapshot: time without zone': {
    snapshot: (to, tree) => void to.saveSnapshot(tree, { time: '2026-01-01T00:00:00' }),
    says: ['damage snapshot * is damaged: "2026-01-01T00:00:00" is not a time as in RFC 3339'],
  },
  'snapshot: missing tree': {
    snapshot: (to) => void to.saveSnapshot(undefined),
    says: ['damage snapshot * is damaged: an id of 64 hex digits is expected'],
  },
  'snapshot: tree id upper case hex': {
    snapshot: (to, tree) => void to.saveSnapshot(tree.toUpperCase()),
    says: sound,
  },
  'tree: no trailing newline': { root: rawTree((file) => `{"nodes":[${file}]}`), says: odd },
  'tree: pretty printed JSON': {
    root: (to, file) => to.blob('tree', `${JSON.stringify({ nodes: [file] }, null, 2)}\n`),
    says: odd,
  },
  'tree: nodes not sorted': {
    nodes: [fileNode('b', [], 0), fileNode('a', [], 0)],
    says: ['warning snapshot *: / is not sorted by name'],
  },
  'tree: duplicate name': { ...node('0'), says: lost('/0', 'is there more than once, and only one can be restored') },
  'tree: empty name': {
    root: (to, file) => to.tree(fileNode('', [], 0), file),
    says: lost('/', 'is an entry without a name, and cannot be restored'),
  },
  'tree: unknown node field': { ...node('zz', { colour: 'red' }), says: sound },
  'tree: name not Go-quoted (raw backslash)': {
    ...node('z\\z'),
    says: lost('/', 'cannot be read: "z\\\\z" is not quoted as Go does it'),
  },
  'tree: file content null': {
    root: (to, file) => to.tree({ ...file, content: null }),
    says: lost('/0', 'is a file of 10 bytes of which nothing says where they are'),
  },
  'tree: size does not match content': {
    root: (to, file) => to.tree({ ...file, size: 11 }),
    says: lost('/0', 'says that it has 11 bytes, and its content has 10'),
  },
  'tree: unknown node type': {
    ...node('zz', { type: 'door' }),
    says: lost('/', 'cannot be read: a node is of no known type'),
  },
  'tree: references unknown blob': {
    ...node('zz', { content: [unknownId], size: 1 }),
    says: lost('/zz', 'needs data blob *, which no index names'),
  },
  'tree: dir without subtree': {
    nodes: [folderNode('zz', undefined)],
    says: lost('/zz', 'is a folder of which nothing says what is in it'),
  },
  'tree: missing mtime fields': {
    ...node('zz', { mtime: undefined, atime: undefined, ctime: undefined }),
    says: ['notice snapshot *: / has an entry without a time'],
  },
  'tree: name with slash': {
    ...node('z/z'),
    says: lost('/z/z', 'is no name that a file can have, and cannot be restored'),
  },
  'tree: {"nodes":null}': { root: rawTree(() => '{"nodes":null}\n'), says: odd },
  'tree: {"nodes":[]}': { root: rawTree(() => '{"nodes":[]}'), says: odd },
  'pack: tree and data blobs mixed in one pack': {
    index: (to) => {
      const blobs = [to.blob('data', 'hello'), to.blob('data', 'world')]
      const content = blobs.map(({ id }) => id)
      const tree = to.tree(fileNode('0', content, 10))
      to.saveIndex(to.pack([...blobs, tree]))
      to.saveSnapshot(tree.id)
    },
    dataPack: () => ({ id: unknownId, blobs: [] }),
    treePack: () => ({ id: unknownId, blobs: [] }),
    snapshot: () => {},
    says: ['notice pack * holds both trees and data; the next prune sorts them out'],
  },
  'pack: gap between two blobs (index knows offsets)': {
    dataPack: (to, data) => to.pack(data, { gap: { before: 1, bytes: 10 } }),
    says: [
      'warning pack * has gaps between its blobs, as its index says',
      'warning pack * has 220 bytes, and the index asks for 210',
      'warning pack * its header says something else than the index',
    ],
  },
  'pack: junk between last blob and header': {
    dataPack: (to, data) => to.pack(data, { gap: { before: 2, bytes: 10 } }),
    says: ['warning pack * has 220 bytes, and the index asks for 210'],
  },
  'pack: header entries in other order than blobs': {
    dataPack: (to, data) => to.pack(data, { header: data.toReversed() }),
    says: ['warning pack * its header says something else than the index'],
  },
  'pack: blob duplicated in two packs': {
    index: (to, packs) => void to.saveIndex(...packs, to.pack([to.blob('data', 'hello')])),
    says: sound,
  },
  'pack: file name not its hash': {
    dataPack: (to, data) => to.pack(data, { name: unknownId }),
    says: ['damage pack * is damaged: its bytes do not hash to its name'],
  },
  'pack: zero-length data blob, uncompressed': {
    data: (to) => [to.blob('data', '', { raw: true }), to.blob('data', 'helloworld')],
    says: sound,
  },
  'pack: uncompressed_length wrong in header and index': {
    data: (to) => [to.blob('data', 'hello', { claim: 4 }), to.blob('data', 'world')],
    says: [
      ...lostData,
      'damage pack * data blob * at byte 0: its 5 bytes are right, but the index says that it has 4 bytes',
    ],
  },
  'pack: index says uncompressed, header compressed': {
    dataPack: (to, data) => {
      const { id, blobs } = to.pack(data)
      return { id, blobs: blobs.map((blob, nth) => (nth === 0 ? { ...blob, uncompressedLength: 0 } : blob)) }
    },
    says: [
      'warning pack * has 210 bytes, and the index asks for 206',
      'warning pack * its header says something else than the index',
      ...lostData,
      'damage pack * data blob * at byte 0: its 5 bytes are right, but the index says that it is not compressed',
    ],
  },
  'pack: not in index (orphan)': { more: (to) => void to.pack([to.blob('data', 'alone')]), says: [unread] },
  'index: pack listed twice in two index files': {
    index: (to, packs) => {
      to.saveIndex(...packs)
      to.saveIndex(packs[0]!)
    },
    says: ['notice pack * is named by index * and index *; once is enough'],
  },
  'index: blob "offset" wrong': {
    index: (to, [data, tree]) => {
      const blobs = data!.blobs.map((blob, nth) => (nth === 1 ? { ...blob, offset: blob.offset + 1 } : blob))
      to.saveIndex({ id: data!.id, blobs }, tree!)
    },
    says: [
      'warning pack * has gaps between its blobs, as its index says',
      'warning pack * its header says something else than the index',
      ...lostData,
      'damage pack * data blob * at byte 47: its sealed bytes cannot be opened: their tag is wrong',
    ],
  },
  'index: pack missing on disk': {
    dataPack: (to, data) => to.pack(data, { isMissing: true }),
    says: [
      ...lost('/0', 'needs data blob *, which cannot be read, and 1 more that are gone'),
      'damage pack * is not there; the index names 2 blobs in it, and 2 of them have no other copy',
    ],
  },
  'index: without "supersedes", extra fields': {
    index: (to, packs) => {
      const { packs: listed } = JSON.parse(Buffer.from(encodeIndex(packs)).toString()) as { packs: object[] }
      to.saveJson('index', { packs: listed.map((pack) => ({ ...pack, time: 'today' })), packs_to_delete: [] })
    },
    says: sound,
  },
  'index: one file with zero packs': { more: (to) => void to.saveIndex(), says: sound },
  'stray file names in data/, locks/ (.tmp, README)': { says: sound },
  'empty lock file': {
    more: ({ backend }) => backend.overwrite({ type: 'lock', name: unknownId }, new Uint8Array()),
    says: ['notice lock * is empty and locks nothing: its writer was interrupted'],
  },
  'lock: 31 minutes old, other host': {
    ...lockOf(31),
    says: ['notice lock * was left by process 1 on elsewhere 31 min ago and counts no longer'],
  },
  'lock: non-exclusive, fresh, other host': { ...lockOf(1), says: sound },
  'lock: garbage content': {
    more: ({ backend }) => backend.overwrite({ type: 'lock', name: unknownId }, Buffer.from('garbage')),
    says: 'repository.lock-unreadable',
  },
}

async function whatIsSaid(crafted: CraftedRepository): Promise<readonly string[] | string> {
  const password = new Secret(craftedPassword)
  try {
    await using repository = await openRepository(crafted.backend, { password, lockTimings: { settleMs: 0 } })
    const { findings } = await check(repository, { readShare: 1 })
    const lines = findings.map(({ severity, subject, text }) => `${severity} ${subject} ${text}`)
    return lines.map((line) => line.replaceAll(/[0-9a-f]{10}/g, '*').replace(/31 min .. s/, '31 min'))
  } catch (thrown) {
    assert.ok(thrown instanceof AppError, String(thrown))
    return thrown.code
  }
}

test('the cases are those of the vectors', () => {
  const path = new URL('../../../tests/fixtures/vectors/tolerance.json', import.meta.url)
  const { results } = JSON.parse(readFileSync(path, 'utf8')) as { results: object }
  assert.deepEqual(Object.keys(cases).sort(), Object.keys(results).sort())
})

for (const [title, { says, ...craft }] of Object.entries(cases)) {
  test(`check says what it must: ${title}`, async () => {
    assert.deepEqual(await whatIsSaid(await craftRepository(craft)), says)
  })
}
