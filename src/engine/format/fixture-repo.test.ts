import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'

import * as fc from 'fast-check'

import { AppError } from '#base'
import { isFileName } from '../backend/file-ref.ts'
import { baseNameOf, folderOf } from '../backend/layout.ts'
import { deriveKey } from '../crypto/derive-key.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { Sealer } from '../crypto/seal.ts'
import { decodeConfig, encodeConfig } from './config.ts'
import { decodeIndex, encodeIndex, type IndexedBlob } from './index-file.ts'
import { decodeKeyFile, decodeMasterKey, encodeKeyFile, encodeMasterKey } from './key.ts'
import { decodeLock, encodeLock } from './lock.ts'
import { decodePackHeader, encodePackHeader, headerSize } from './pack-header.ts'
import { decodeSnapshot, encodeSnapshot } from './snapshot.ts'
import { formatTime, parseTime } from './time.ts'
import { decodeTree, encodeTree } from './tree-node.ts'
import { unpackUnpacked } from './unpacked.ts'

interface PackEntry {
  id: string
  type: 'data' | 'tree'
  offset: number
  length: number
  uncompressed_length?: number
}

const { files, expected, passwords } = JSON.parse(
  readFileSync(new URL('../../../tests/fixtures/vectors/fixture-repo.json', import.meta.url), 'utf8'),
) as {
  passwords: string[]
  files: Record<string, string>
  expected: {
    config: { version: 1 | 2; id: string; chunker_polynomial: string }
    masterkey: string
    index: Record<string, string>
    snapshots: Record<string, string>
    trees: Record<string, string>
    data: Record<string, string>
    packs: Record<string, { size: number; header_length_field: number; header_plain_hex: string; entries: PackEntry[] }>
  }
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const fileAt = (path: string): Buffer => Buffer.from(files[path]!, 'base64')
const sealer = new Sealer(decodeMasterKey(Buffer.from(expected.masterkey)))
const unpacked = (path: string): Uint8Array => unpackUnpacked(sealer.unseal(fileAt(path)))
const blobOf = ({ uncompressed_length: uncompressedLength = 0, ...entry }: PackEntry): IndexedBlob => ({
  ...entry,
  uncompressedLength,
})

test('every file of a repository that restic wrote lies where it should and has the name that its bytes give it', () => {
  assert.equal(Object.keys(files).length, 11)
  for (const path of Object.keys(files)) {
    if (path === 'config') continue
    const name = path.split('/').at(-1)!
    const type = ({ keys: 'key', snapshots: 'snapshot', index: 'index', data: 'pack' } as const)[path.split('/')[0]!]!
    assert.ok(isFileName(name))
    assert.equal(`${folderOf({ type, name })}/${baseNameOf({ type, name })}`, path)
    assert.equal(sha256Hex(fileAt(path)), name)
  }
})

test('both key files come back byte for byte, and each password opens its own', async () => {
  const paths = Object.keys(files).filter((name) => name.startsWith('keys/'))
  assert.equal(paths.length, 2)
  await Promise.all(
    paths.map(async (path, position) => {
      const key = decodeKeyFile(fileAt(path))
      assert.equal(text(encodeKeyFile(key)), text(fileAt(path)))
      const master = new Sealer(await deriveKey(passwords[position]!, key)).unseal(key.data)
      assert.equal(text(master), expected.masterkey)
      assert.equal(text(encodeMasterKey(decodeMasterKey(master))), expected.masterkey)
    }),
  )
})

test('the config is read, and written byte for byte', () => {
  const plain = sealer.unseal(fileAt('config'))
  const { version, id, chunker_polynomial: polynomial } = expected.config
  assert.deepEqual(decodeConfig(plain), { version, id, chunkerPolynomial: BigInt(`0x${polynomial}`) })
  assert.equal(text(encodeConfig(decodeConfig(plain))), text(plain))
})

test('the snapshots are read, and written byte for byte', () => {
  for (const [id, json] of Object.entries(expected.snapshots)) {
    const plain = unpacked(`snapshots/${id}`)
    assert.equal(text(plain), json)
    assert.equal(text(encodeSnapshot(decodeSnapshot(plain))), json)
    assert.equal(decodeSnapshot(plain).tree, (JSON.parse(json) as { tree: string }).tree)
  }
})

test('the index files are read, and written byte for byte', () => {
  for (const [id, json] of Object.entries(expected.index)) {
    const plain = unpacked(`index/${id}`)
    assert.equal(text(plain), json)
    assert.equal(text(encodeIndex(decodeIndex(plain))), json)
    for (const pack of decodeIndex(plain)) {
      const inPack = pack.blobs.toSorted((a, b) => a.offset - b.offset)
      assert.deepEqual(inPack, expected.packs[pack.id]!.entries.map(blobOf))
    }
  }
})

test('the packs are read by their headers: every blob has its id and its bytes', () => {
  let blobs = 0
  for (const [id, pack] of Object.entries(expected.packs)) {
    const bytes = fileAt(`data/${id.slice(0, 2)}/${id}`)
    const length = bytes.readUInt32LE(bytes.length - 4)
    assert.equal(bytes.length, pack.size)
    assert.equal(length, pack.header_length_field)
    const header = sealer.unseal(bytes.subarray(bytes.length - 4 - length, -4))
    assert.equal(Buffer.from(header).toString('hex'), pack.header_plain_hex)
    const entries = decodePackHeader(header)
    assert.deepEqual(entries, pack.entries.map(blobOf))
    assert.equal(Buffer.from(encodePackHeader(entries)).toString('hex'), pack.header_plain_hex)
    assert.equal(headerSize(entries), length + 4)
    for (const { id: blobId, type, offset, length: size, uncompressedLength } of entries) {
      const stored = sealer.unseal(bytes.subarray(offset, offset + size))
      const plain = uncompressedLength > 0 ? zstdDecompressSync(stored) : stored
      assert.equal(sha256Hex(plain), blobId)
      const known =
        type === 'tree' ? Buffer.from(expected.trees[blobId]!) : Buffer.from(expected.data[blobId]!, 'base64')
      assert.deepEqual(Buffer.from(plain), known)
      blobs++
    }
  }
  assert.equal(blobs, Object.keys(expected.trees).length + Object.keys(expected.data).length)
})

test('the trees are encoded again bit for bit, with their times in UTC', () => {
  for (const [id, json] of Object.entries(expected.trees)) {
    const inUtc = json.replace(/\d{4}-\d\d-\d\dT[^"]*/g, (time) => formatTime(parseTime(time)))
    const encoded = encodeTree(decodeTree(Buffer.from(json)))
    assert.equal(text(encoded), inUtc)
    if (inUtc === json) assert.equal(sha256Hex(encoded), id)
  }
})

const decoders: Record<string, (bytes: Uint8Array) => unknown> = {
  config: decodeConfig,
  'key file': decodeKeyFile,
  'master key': decodeMasterKey,
  snapshot: decodeSnapshot,
  lock: decodeLock,
  index: decodeIndex,
  tree: (bytes) => decodeTree(bytes),
  'split tree': (bytes) => decodeTree(bytes, 100),
  'pack header': decodePackHeader,
  body: (bytes) => unpackUnpacked(bytes, 2 ** 20),
}
const samples: Uint8Array[] = [
  ...Object.keys(files).map(fileAt),
  ...Object.keys(files)
    .filter((path) => /^(snapshots|index)/.test(path))
    .flatMap((path) => [sealer.unseal(fileAt(path)), unpacked(path)]),
  sealer.unseal(fileAt('config')),
  ...Object.values(expected.trees).map((tree) => Buffer.from(tree)),
  ...Object.values(expected.packs).map((pack) => Buffer.from(pack.header_plain_hex, 'hex')),
  Buffer.from(expected.masterkey),
  encodeLock({
    time: '2026-05-06T07:08:09Z',
    exclusive: true,
    hostname: 'vm',
    username: 'root',
    pid: 1,
    uid: 1,
    gid: 1,
  }),
]

const flipped = fc
  .tuple(
    fc.constantFrom(...samples),
    fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 3 }),
  )
  .map(([sample, flips]) => {
    const bytes = Buffer.from(sample)
    for (const [at, bits] of flips) bytes[at % bytes.length]! ^= bits
    return bytes
  })
const cut = fc
  .tuple(fc.constantFrom(...samples), fc.nat())
  .map(([sample, at]) => sample.subarray(0, at % sample.length))
const otherJson = fc.json({ maxDepth: 4 }).map((json) => Buffer.from(json))
const otherFields = fc
  .tuple(fc.constantFrom(...samples.filter((sample) => sample[0] === 0x7b)), fc.nat(), fc.jsonValue({ maxDepth: 2 }))
  .map(([sample, which, value]) => {
    const values = [...text(sample).matchAll(/(?<=":)("[^"]*"|[\d.]+|null|\[\]|\{)/g)]
    const at = values[which % values.length]!
    return Buffer.from(
      text(sample).slice(0, at.index) + JSON.stringify(value) + text(sample).slice(at.index + at[0].length),
    )
  })

for (const [name, decode] of Object.entries(decoders)) {
  test(`whatever the bytes are, the decoder of a ${name} gives a value or says that they are damaged`, () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), flipped, cut, otherJson, otherFields), (bytes) => {
        try {
          decode(bytes)
        } catch (thrown) {
          assert.ok(thrown instanceof AppError, String(thrown))
          assert.equal(thrown.code, 'format.damaged')
        }
      }),
      { numRuns: 500 },
    )
  })
}
