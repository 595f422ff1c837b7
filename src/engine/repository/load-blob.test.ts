import assert from 'node:assert/strict'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'

import { FaultyBackend, MemoryBackend, memoryPassword, memoryRepository } from '../testing.ts'
import type { FileRef } from '../backend/backend.ts'
import { loadAll } from '../backend/load-all.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { Sealer } from '../crypto/seal.ts'
import { encodeIndex, type IndexedBlob } from '../format/index-file.ts'
import type { BlobType } from './blob-index.ts'
import { PackBuffer } from './pack-buffer.ts'
import { openRepository, type Repository } from './repository.ts'

/** Stores `blobs` in a pack of their own; the index is saved when it is not changed by `lie`, and as it says else. */
async function store(
  repository: Repository,
  type: BlobType,
  blobs: readonly Uint8Array[],
  lie: (blob: IndexedBlob) => IndexedBlob = (blob) => blob,
): Promise<string> {
  const sealer = new Sealer(repository.key)
  const pack = new PackBuffer(type)
  for (const [nth, plain] of blobs.entries()) {
    const isRaw = nth % 3 === 2
    pack.seal(sealer, sha256Hex(plain), isRaw ? plain : zstdCompressSync(plain), isRaw ? 0 : plain.length)
  }
  const { id, bytes, blobs: stored } = pack.finish(sealer)
  await repository.backend.save({ type: 'pack', name: id }, bytes)
  await repository.saveUnpacked('index', encodeIndex([{ id, blobs: stored.map(lie) }]))
  return id
}

const textBlobs = (count: number, words = 'blob'): Uint8Array[] =>
  Array.from({ length: count }, (_, nth) => Buffer.from(`${words} ${nth} `.repeat(1 + (nth % 7) * 5)))

test('blobs of both types load as they were stored, compressed or raw', async () => {
  await using repository = await memoryRepository()
  const blobs = [...textBlobs(30), Buffer.alloc(8 * 1024 * 1024, 'large'), Buffer.alloc(600_000)]
  for (const type of ['data', 'tree'] as const) {
    await store(repository, type, blobs)
    await repository.loadIndex()
    for (const plain of blobs) {
      const loaded = await repository.loadBlob(type, sha256Hex(plain))
      assert.equal(Buffer.compare(loaded, plain), 0)
    }
  }
})

test('a blob that no index names is missing, and its type is part of its name', async () => {
  await using repository = await memoryRepository()
  const [plain] = textBlobs(1)
  await store(repository, 'data', [plain!])
  assert.equal((await repository.loadBlob('data', sha256Hex(plain!))).length, plain!.length)
  const missing = { code: 'repository.blob-missing', kind: 'damaged' }
  await assert.rejects(repository.loadBlob('tree', sha256Hex(plain!)), missing)
  await assert.rejects(repository.loadBlob('data', '0'.repeat(64)), missing)
})

class CountingBackend extends MemoryBackend {
  loads = 0

  override load(...request: Parameters<MemoryBackend['load']>): ReturnType<MemoryBackend['load']> {
    this.loads++
    return super.load(...request)
  }
}

test('blobs that lie side by side are read together, and come in the order that is asked for', async () => {
  const backend = new CountingBackend()
  await using repository = await memoryRepository(backend)
  const blobs = textBlobs(300)
  const [first, second] = [blobs.slice(0, 200), blobs.slice(200)]
  await store(repository, 'data', first)
  await store(repository, 'data', second)
  await repository.loadIndex()
  for (const order of [blobs, [...second, ...first], blobs.toReversed(), [...first, ...first.slice(50, 60)]]) {
    backend.loads = 0
    const loaded = await Array.fromAsync(repository.loadBlobs('data', order.map(sha256Hex)))
    assert.equal(loaded.length, order.length)
    for (const [nth, plain] of order.entries()) assert.equal(Buffer.compare(loaded[nth]!, plain), 0)
    if (order.length !== blobs.length || order[0] !== blobs.at(-1))
      assert.ok(backend.loads <= 3, `${backend.loads} reads`)
  }
  assert.deepEqual(await Array.fromAsync(repository.loadBlobs('data', [])), [])
})

test('of blobs that are read together, one that is damaged is taken from another copy, or fails in its turn', async () => {
  const backend = new MemoryBackend()
  await using repository = await memoryRepository(backend)
  const blobs = textBlobs(20)
  const ids = blobs.map(sha256Hex)
  const ref: FileRef = { type: 'pack', name: await store(repository, 'data', blobs) }
  await repository.loadIndex()
  const [place] = repository.index.find('data', ids[7]!)
  const changed = Uint8Array.from(await loadAll(backend, ref))
  changed[place!.offset + 20]! ^= 1
  backend.overwrite(ref, changed)
  const taken: Uint8Array[] = []
  const reading = async (): Promise<void> => {
    for await (const plain of repository.loadBlobs('data', ids)) taken.push(plain)
  }
  await assert.rejects(reading(), { code: 'repository.blob-damaged' })
  assert.equal(taken.length, 7)
  await store(repository, 'data', [blobs[7]!])
  await repository.loadIndex()
  taken.length = 0
  await reading()
  assert.deepEqual(taken.map(sha256Hex), ids)
  await assert.rejects(Array.fromAsync(repository.loadBlobs('data', [ids[0]!, '0'.repeat(64)])), {
    code: 'repository.blob-missing',
  })
})

test('a turned bit anywhere in a sealed blob is damage, and another copy takes its place', async () => {
  const backend = new MemoryBackend()
  await using repository = await memoryRepository(backend)
  const [plain] = textBlobs(1)
  const id = sha256Hex(plain!)
  const ref: FileRef = { type: 'pack', name: await store(repository, 'data', [plain!]) }
  await repository.loadIndex()
  const [copy] = repository.index.find('data', id)
  const stored = await loadAll(backend, ref)
  for (let at = copy!.offset; at < copy!.offset + copy!.length; at++) {
    const changed = Uint8Array.from(stored)
    changed[at]! ^= 1 << (at % 8)
    backend.overwrite(ref, changed)
    await assert.rejects(repository.loadBlob('data', id), { code: 'repository.blob-damaged', kind: 'damaged' })
  }
  backend.overwrite(ref, stored.subarray(0, 20))
  await assert.rejects(repository.loadBlob('data', id), { code: 'repository.blob-damaged' })
  await backend.remove(ref)
  await assert.rejects(repository.loadBlob('data', id), { code: 'repository.blob-damaged' })

  await store(repository, 'data', [plain!])
  await repository.loadIndex()
  assert.equal(repository.index.find('data', id).length, 2)
  assert.deepEqual(Buffer.from(await repository.loadBlob('data', id)), plain)
})

test('an index that lies about a blob makes it damaged, whatever the lie', async () => {
  const [plain] = textBlobs(1, 'words that zstd makes a little shorter, words that zstd makes a little shorter')
  const lies: Record<string, (blob: IndexedBlob) => IndexedBlob> = {
    'uncompressed length too small': (blob) => ({ ...blob, uncompressedLength: blob.uncompressedLength - 1 }),
    'uncompressed length too large': (blob) => ({ ...blob, uncompressedLength: blob.uncompressedLength + 1 }),
    'uncompressed length enormous': (blob) => ({ ...blob, uncompressedLength: 0xffff_ffff }),
    'said to be raw': (blob) => ({ ...blob, uncompressedLength: 0 }),
    'length too small': (blob) => ({ ...blob, length: 5 }),
    'length none': (blob) => ({ ...blob, length: 0 }),
    'length enormous': (blob) => ({ ...blob, length: 0xffff_ffff }),
    'offset wrong': (blob) => ({ ...blob, offset: 1 }),
    'offset beyond the end': (blob) => ({ ...blob, offset: 0xffff_ffff }),
    'another id': (blob) => ({ ...blob, id: 'b'.repeat(64) }),
  }
  for (const [name, lie] of Object.entries(lies)) {
    for (const type of ['data', 'tree'] as const) {
      await using repository = await memoryRepository()
      await store(repository, type, [plain!], lie)
      const id = name === 'another id' ? 'b'.repeat(64) : sha256Hex(plain!)
      for (let round = 0; round < 4; round++) {
        await assert.rejects(repository.loadBlob(type, id), { code: 'repository.blob-damaged', kind: 'damaged' }, name)
      }
      const twice = Array.fromAsync(repository.loadBlobs(type, [id, id]))
      await assert.rejects(twice, { code: 'repository.blob-damaged', kind: 'damaged' }, name)
    }
  }
})

test('a bit that turns over on the way is read again; a place that does not answer is not called damaged', async () => {
  const inner = new MemoryBackend()
  const made = await memoryRepository(inner)
  const [plain] = textBlobs(1)
  await store(made, 'data', [plain!])
  const flips = new FaultyBackend(inner, { faults: [{ at: 1, action: 'flip', type: 'pack' }] })
  const flipped = await openRepository(flips, { password: memoryPassword })
  assert.deepEqual(Buffer.from(await flipped.loadBlob('data', sha256Hex(plain!))), plain)
  const fails = new FaultyBackend(inner, { faults: [{ at: 1, action: 'fail', type: 'pack', times: 99 }] })
  const failed = await openRepository(fails, { password: memoryPassword })
  await assert.rejects(failed.loadBlob('data', sha256Hex(plain!)), { code: 'backend.unavailable' })
})

test('thousands of trees of one pack cost few reads, and stay right when packs change places in memory', async () => {
  const inner = new MemoryBackend()
  const made = await memoryRepository(inner)
  const groups = Array.from({ length: 6 }, (_, group) => textBlobs(500, `tree of group ${group}`))
  for (const group of groups) await store(made, 'tree', [...group, Buffer.alloc(12_000_000, group[0])])
  const counting = new FaultyBackend(inner)
  const repository = await openRepository(counting, { password: memoryPassword })
  await repository.loadIndex()
  for (const group of groups) {
    for (const plain of group) {
      assert.equal(Buffer.compare(await repository.loadBlob('tree', sha256Hex(plain)), plain), 0)
    }
  }
  const reads = counting.operations.filter(({ operation, type }) => operation === 'load' && type === 'pack').length
  assert.ok(reads <= groups.length * 3, `${reads} reads`)
  await Promise.all(
    groups.flat().map(async (plain) => {
      assert.equal(Buffer.compare(await repository.loadBlob('tree', sha256Hex(plain)), plain), 0)
    }),
  )
})

test('a caller that is stopped does not stop others who wait for the same pack', async () => {
  const inner = new MemoryBackend()
  const made = await memoryRepository(inner)
  const blobs = textBlobs(10)
  await store(made, 'tree', blobs)
  const slow = new FaultyBackend(inner, {
    faults: [{ at: 1, action: 'delay', type: 'pack', delayMs: 30, times: 99, on: ['load'] }],
  })
  const repository = await openRepository(slow, { password: memoryPassword })
  for (const plain of blobs.slice(0, 2)) await repository.loadBlob('tree', sha256Hex(plain))
  const stop = new AbortController()
  const first = repository.loadBlob('tree', sha256Hex(blobs[2]!), stop.signal)
  const second = repository.loadBlob('tree', sha256Hex(blobs[3]!))
  stop.abort(new Error('stopped'))
  await assert.rejects(first, /stopped/)
  assert.deepEqual(Buffer.from(await second), blobs[3])
})
