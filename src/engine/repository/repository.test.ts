import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Secret, type AppError } from '#base'
import { cheapKey, FaultyBackend, MemoryBackend, memoryPassword, memoryRepository } from '../testing.ts'
import type { FileRef, FileType } from '../backend/backend.ts'
import { loadAll } from '../backend/load-all.ts'
import { Sealer } from '../crypto/seal.ts'
import { encodeConfig } from '../format/config.ts'
import { encodeIndex } from '../format/index-file.ts'
import { createRepository, openRepository } from './repository.ts'

const options = { password: memoryPassword, cost: cheapKey, lockTimings: { settleMs: 0 } }
const config: FileRef = { type: 'config', name: '' }
const otherPassword = new Secret('pässwörd 🔑 2')

async function namesOf(backend: MemoryBackend, type: FileType): Promise<string[]> {
  return (await Array.fromAsync(backend.list(type))).map((file) => file.name).sort()
}

test('a repository that was made opens with its password and says the same of itself', async () => {
  const backend = new MemoryBackend()
  await using made = await memoryRepository(backend)
  assert.equal(made.config.version, 2)
  assert.match(made.config.id, /^[0-9a-f]{64}$/)
  await using opened = await openRepository(backend, options)
  assert.deepEqual(opened.config, made.config)
  assert.deepEqual(opened.key, made.key)
  assert.equal(opened.keyId, (await namesOf(backend, 'key'))[0])
  assert.deepEqual(await namesOf(backend, 'lock'), [])
})

test('two repositories share nothing, unless they are told to cut alike', async () => {
  await using one = await memoryRepository()
  await using two = await memoryRepository(undefined, { polynomial: one.config.chunkerPolynomial })
  await using three = await memoryRepository()
  assert.equal(two.config.chunkerPolynomial, one.config.chunkerPolynomial)
  assert.notEqual(three.config.chunkerPolynomial, one.config.chunkerPolynomial)
  assert.notEqual(two.config.id, one.config.id)
  assert.notDeepEqual(two.key, one.key)
})

test('nothing to open, a wrong password and a place without keys are three different errors', async () => {
  const backend = new MemoryBackend('somewhere')
  await assert.rejects(openRepository(backend, options), { code: 'repository.missing', kind: 'missing' })
  await memoryRepository(backend)
  const wrong = openRepository(backend, { ...options, password: new Secret('password of a Test') })
  await assert.rejects(wrong, { code: 'repository.password', kind: 'denied' })
  const [key] = await namesOf(backend, 'key')
  backend.overwrite({ type: 'key', name: key! }, Buffer.from('{}'))
  await assert.rejects(openRepository(backend, options), { code: 'repository.keys-missing', kind: 'damaged' })
  await backend.remove({ type: 'key', name: key! })
  await assert.rejects(openRepository(backend, options), { code: 'repository.keys-missing', kind: 'damaged' })
})

test('create refuses a place that holds a config, a key or a snapshot, and changes nothing there', async () => {
  const full = new MemoryBackend()
  const repository = await memoryRepository(full)
  await repository.saveSnapshot({ time: '2026-01-02T03:04:05Z', tree: 'a'.repeat(64), paths: ['/x'] })
  for (const keep of ['config', 'key', 'snapshot'] as const) {
    const backend = full.clone()
    for (const type of ['config', 'key', 'snapshot'] as const) {
      if (type === keep) continue
      for (const name of await namesOf(backend, type)) await backend.remove({ type, name })
    }
    const before = await namesOf(backend, keep)
    const again = createRepository(backend, { ...options, password: otherPassword })
    await assert.rejects(again, { code: 'repository.exists', kind: 'conflict' }, keep)
    assert.deepEqual(await namesOf(backend, keep), before)
    assert.deepEqual(await namesOf(backend, 'key'), keep === 'key' ? before : [])
  }
})

test('a making that is stopped at any operation is completed, or begun anew, by the next one', async () => {
  for (const action of ['stop', 'lose-answer', 'fail'] as const) {
    for (let at = 1; ; at++) {
      const inner = new MemoryBackend()
      const faulty = new FaultyBackend(inner, { faults: [{ at, action }] })
      const [first] = await Promise.allSettled([createRepository(faulty, options)])
      const second = await createRepository(inner, options).catch((error: unknown) => error)
      if (second instanceof Error) assert.equal((second as AppError).code, 'repository.exists')
      const opened = await openRepository(inner, options)
      assert.equal((await opened.listKeys()).length, 1)
      if (first.status === 'fulfilled' && faulty.operations.length < at) break
    }
  }
})

test('several makers at once make one repository, and who did not make it is told so', async () => {
  const inner = new MemoryBackend()
  const makers = Array.from({ length: 6 }, (_, seed) => {
    const chance = { share: 0.9, actions: ['delay' as const], seed }
    return createRepository(new FaultyBackend(inner, { chance }), options)
  })
  const settled = await Promise.allSettled(makers)
  const opened = await openRepository(inner, options)
  for (const result of settled) {
    if (result.status === 'rejected') assert.equal((result.reason as AppError).code, 'repository.exists')
    else assert.deepEqual([result.value.config.id, result.value.key], [opened.config.id, opened.key])
  }
  assert.ok(settled.some((result) => result.status === 'fulfilled'))
  assert.equal((await opened.listKeys()).length, 1)
})

test('a key of a repository that never came to be does not stand in the way of the one that did', async () => {
  const backend = new MemoryBackend()
  const made = await memoryRepository(backend)
  for (let nth = 0; nth < 5; nth++) {
    const stray = new MemoryBackend()
    await memoryRepository(stray)
    const [name] = await namesOf(stray, 'key')
    await backend.save({ type: 'key', name: name! }, await loadAll(stray, { type: 'key', name: name! }))
  }
  assert.equal((await openRepository(backend, options)).keyId, made.keyId)
})

test('each password that was added opens the same repository, until its key is removed', async () => {
  const backend = new MemoryBackend()
  const identity = { hostname: 'host', username: 'user', uid: 1, gid: 2, pid: 3 }
  const clock = { now: () => Date.parse('2026-05-06T07:08:09.012Z'), monotonic: () => 0 }
  const made = await memoryRepository(backend, { identity, clock })
  const added = await made.addKey(otherPassword, cheapKey)
  const opened = await openRepository(backend, { ...options, password: otherPassword })
  assert.equal(opened.keyId, added)
  assert.deepEqual(opened.key, made.key)

  const keys = await made.listKeys()
  assert.deepEqual(new Set(keys.map((key) => key.id)), new Set([made.keyId, added]))
  const current = keys.find((key) => key.isCurrent)
  const created = '2026-05-06T07:08:09.012Z'
  assert.deepEqual(current, { id: made.keyId, created, username: 'user', hostname: 'host', isCurrent: true })

  await assert.rejects(made.removeKey(made.keyId), { code: 'repository.key-in-use', kind: 'conflict' })
  await assert.rejects(made.removeKey('0'.repeat(64)), { code: 'repository.key-missing', kind: 'missing' })
  await opened.removeKey(made.keyId)
  await assert.rejects(openRepository(backend, options), { code: 'repository.password' })
  assert.equal((await opened.listKeys()).length, 1)
})

test('a key that does not open the repository after it was added is removed again', async () => {
  const inner = new MemoryBackend()
  await memoryRepository(inner)
  const faults = [{ at: 1, action: 'flip', on: ['save'], type: 'key' } as const]
  const repository = await openRepository(new FaultyBackend(inner, { faults }), options)
  const adding = repository.addKey(otherPassword, cheapKey)
  await assert.rejects(adding, { code: 'repository.key-unusable', kind: 'damaged' })
  assert.deepEqual(await namesOf(inner, 'key'), [repository.keyId])
})

test('keys are tried until one opens; one that is damaged does not stop the others', async () => {
  const backend = new MemoryBackend()
  const made = await memoryRepository(backend)
  for (let nth = 0; nth < 8; nth++) await made.addKey(new Secret(`another ${nth}`), cheapKey)
  for (const password of [memoryPassword, new Secret('another 7')])
    await openRepository(backend, { ...options, password })
  for (const { id, isCurrent } of await made.listKeys()) {
    if (!isCurrent) backend.overwrite({ type: 'key', name: id }, Buffer.from('not json'))
  }
  assert.equal((await openRepository(backend, options)).keyId, made.keyId)
  assert.equal((await made.listKeys()).length, 1)
})

test('a config that is damaged, of another version or with a useless polynomial is refused', async () => {
  const backend = new MemoryBackend()
  const made = await memoryRepository(backend)
  const sealed = await loadAll(backend, config)
  for (const bytes of [Buffer.alloc(0), sealed.subarray(0, 40), Buffer.concat([sealed, sealed]), Buffer.alloc(200)]) {
    backend.overwrite(config, bytes)
    await assert.rejects(openRepository(backend, options), { code: 'repository.file-damaged', kind: 'damaged' })
  }
  const sealer = new Sealer(made.key)
  const seal = (json: string | Uint8Array): void => backend.overwrite(config, sealer.seal(Buffer.from(json)))
  seal(JSON.stringify({ version: 3, id: made.config.id, chunker_polynomial: '3da3358b4dc173' }))
  await assert.rejects(openRepository(backend, options), { code: 'repository.file-damaged' })
  seal(encodeConfig({ ...made.config, chunkerPolynomial: 0x20000000000046n }))
  await assert.rejects(openRepository(backend, options), { code: 'repository.unsupported', kind: 'invalid' })
})

test('unpacked files of a repository of version 1 are bare JSON, and load back', async () => {
  const backend = new MemoryBackend()
  const made = await memoryRepository(backend)
  const sealer = new Sealer(made.key)
  backend.overwrite(config, sealer.seal(encodeConfig({ ...made.config, version: 1 })))
  const opened = await openRepository(backend, options)
  const id = await opened.saveUnpacked('index', Buffer.from('{"packs":[]}\n'))
  const stored = await loadAll(backend, { type: 'index', name: id })
  assert.equal(Buffer.from(sealer.unseal(stored)).toString(), '{"packs":[]}\n')
  assert.equal(Buffer.from(await opened.loadUnpacked('index', id)).toString(), '{"packs":[]}\n')
})

test('an unpacked file that was changed in any way is damaged, and a bit that turned over on the way is read again', async () => {
  const inner = new MemoryBackend()
  const made = await memoryRepository(inner)
  const json = Buffer.from('{"packs":[]}\n')
  const id = await made.saveUnpacked('index', json)
  const ref: FileRef = { type: 'index', name: id }
  const faults = [{ at: 1, action: 'flip', type: 'index' } as const]
  const faulty = await openRepository(new FaultyBackend(inner, { faults }), options)
  assert.deepEqual(Buffer.from(await faulty.loadUnpacked('index', id)), json)

  const stored = await loadAll(inner, ref)
  for (let at = 0; at < stored.length; at++) {
    const changed = Uint8Array.from(stored)
    changed[at]! ^= 0x10
    inner.overwrite(ref, changed)
    await assert.rejects(made.loadUnpacked('index', id), { code: 'repository.file-damaged', kind: 'damaged' })
    inner.overwrite(ref, stored.subarray(0, at))
    await assert.rejects(made.loadIndex(), { code: 'repository.file-damaged' })
  }
  await assert.rejects(made.loadUnpacked('index', 'f'.repeat(64)), { code: 'backend.missing' })
})

test('the index is what all index files say at the time it is loaded', async () => {
  const backend = new MemoryBackend()
  const made = await memoryRepository(backend)
  const id = (digit: string): string => digit.repeat(64)
  const blob = (digit: string, offset: number) =>
    ({ id: id(digit), type: 'data', offset, length: 132, uncompressedLength: 0 }) as const
  const first = await made.saveUnpacked('index', encodeIndex([{ id: id('1'), blobs: [blob('a', 0), blob('b', 132)] }]))
  await made.saveUnpacked('index', encodeIndex([{ id: id('2'), blobs: [blob('a', 0)] }]))
  assert.equal(made.index.has('data', id('a')), false)
  await made.loadIndex()
  assert.deepEqual(new Set(made.index.find('data', id('a')).map((copy) => copy.packId)), new Set([id('1'), id('2')]))
  assert.equal(made.index.has('tree', id('a')), false)
  backend.overwrite({ type: 'index', name: id('9') }, Buffer.from('garbage'))
  await assert.rejects(made.loadIndex(), { code: 'repository.file-damaged' })
  const [damaged, ...others] = await made.loadReadableIndex()
  assert.deepEqual([damaged?.code, others.length], ['repository.file-damaged', 0])
  assert.equal(made.index.find('data', id('a')).length, 2)
  await backend.remove({ type: 'index', name: id('9') })
  await backend.remove({ type: 'index', name: first })
  await made.loadIndex()
  assert.equal(made.index.find('data', id('a')).length, 1)
  assert.equal(made.index.has('data', id('b')), false)
})

test('an aborted signal stops creating and opening with its own reason', async () => {
  const backend = new MemoryBackend()
  const signal = AbortSignal.abort(new Error('no more'))
  await assert.rejects(createRepository(backend, options, signal), /no more/)
  await memoryRepository(backend)
  await assert.rejects(openRepository(backend, options, signal), /no more/)
})
