import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { AppError, collect, randomBytes, Secret } from '#base'
import type { Backend, FileType } from '../backend/backend.ts'
import { createLocal, openLocal } from '../backend/local/local.ts'
import { FaultyBackend } from '../backend/faulty.ts'
import { openRepository } from '../repository/repository.ts'
import { check, type CheckOptions, type CheckResult } from './check.ts'
import {
  craftedPassword,
  CraftedRepository,
  craftRepository,
  fileNode,
  folderNode,
  type CraftedBlob,
} from './crafted-repository.ts'

async function checked(backend: Backend, options: CheckOptions = { readShare: 1 }): Promise<CheckResult> {
  const password = new Secret(craftedPassword)
  await using repository = await openRepository(backend, { password, lockTimings: { settleMs: 0 } })
  return await check(repository, options)
}

function linesOf({ findings }: CheckResult): string[] {
  return findings.map(({ severity, subject, text }) => `${severity} ${subject} ${text}`)
}

async function sound(): Promise<CraftedRepository> {
  const crafted = await craftRepository()
  const time = new Date().toISOString()
  crafted.saveJson('lock', { time, exclusive: false, hostname: 'elsewhere', username: 'u', pid: 1 })
  return crafted
}

const types: readonly FileType[] = ['config', 'key', 'snapshot', 'index', 'lock', 'pack']

/** Each file of a repository, with each of its bytes changed in turn as `changes` say. */
async function* changed(
  crafted: CraftedRepository,
  changes: (bytes: Uint8Array) => Iterable<Uint8Array>,
): AsyncGenerator<{ backend: Backend; what: string }, void, void> {
  for (const type of types) {
    for (const file of await Array.fromAsync(crafted.backend.list(type))) {
      const bytes = await collect(crafted.backend.load(file))
      let nth = 0
      for (const other of changes(bytes)) {
        const backend = crafted.backend.clone()
        backend.overwrite(file, other)
        yield { backend, what: `${type}, change ${nth++}` }
      }
    }
  }
}

/** What is said of a changed repository: findings that are more than a notice, or an error of ours. */
async function isSeen(backend: Backend, options: CheckOptions): Promise<boolean> {
  try {
    const { findings } = await checked(backend, options)
    return findings.some(({ severity }) => severity !== 'notice')
  } catch (thrown) {
    assert.ok(thrown instanceof AppError, String(thrown))
    return true
  }
}

test('a bit that turned over is seen in every file, wherever it is', async () => {
  const flips = function* (bytes: Uint8Array): Generator<Uint8Array, void, void> {
    const step = Math.max(1, Math.floor(bytes.length / 24))
    for (let at = 0; at < bytes.length; at += step) yield bytes.with(at, bytes[at]! ^ (1 << (at % 8)))
    for (let fromEnd = 1; fromEnd <= 5; fromEnd++) yield bytes.with(-fromEnd, bytes.at(-fromEnd)! ^ 0x80)
  }
  for await (const { backend, what } of changed(await sound(), flips)) {
    assert.ok(await isSeen(backend, { readShare: 1 }), what)
  }
})

test('a file that was cut short or grew is seen without reading data', async () => {
  const cuts = function* (bytes: Uint8Array): Generator<Uint8Array, void, void> {
    for (const size of [1, 31, 32, 36, bytes.length >> 1, bytes.length - 1]) yield bytes.subarray(0, size)
    yield Buffer.concat([bytes, Uint8Array.of(0)])
  }
  for await (const { backend, what } of changed(await sound(), cuts)) assert.ok(await isSeen(backend, {}), what)
})

test('a file that became empty is seen, and only as a lock it is harmless', async () => {
  const empty = (): Uint8Array[] => [new Uint8Array()]
  for await (const { backend, what } of changed(await sound(), empty)) {
    assert.equal(await isSeen(backend, {}), !what.startsWith('lock'), what)
  }
})

test('what a sound repository holds is counted', async () => {
  const { backend } = await sound()
  const { findings, damagedSnapshots, ...counts } = await checked(backend)
  assert.deepEqual([findings, damagedSnapshots], [[], []])
  const files = await Array.fromAsync(backend.list('pack'))
  const bytesRead = files.reduce((sum, { size }) => sum + size, 0)
  assert.deepEqual(counts, { snapshots: 1, trees: 1, blobs: 3, packs: 2, packsRead: 2, bytesRead })
})

test('without a share only trees are read, and a share is drawn the same way for the same seed', async () => {
  const crafted = await craftRepository()
  const packs = Array.from({ length: 20 }, () => crafted.pack([crafted.blob('data', randomBytes(20))]))
  crafted.saveIndex(...packs)
  const readOf = async (options: CheckOptions): Promise<number> => (await checked(crafted.backend, options)).packsRead
  assert.equal(await readOf({}), 1)
  assert.equal(await readOf({ readShare: 0.25 }), 1 + 6)
  let parts = 0
  for (let part = 1; part <= 4; part++) parts += (await readOf({ packs: { part, of: 4 } })) - 1
  assert.equal(parts, 21)
  const bytesOf = async (seed: string): Promise<number> =>
    (await checked(crafted.backend, { readShare: 0.25, packs: { seed } })).bytesRead
  assert.equal(await bytesOf('a'), await bytesOf('a'))
})

test('a damaged data blob is told with the file and the snapshots that need it', async () => {
  const crafted = new CraftedRepository()
  await crafted.saveKey()
  crafted.saveConfig(JSON.stringify({ version: 2, id: '5'.repeat(64), chunker_polynomial: '3855f384f04c43' }))
  const [good, bad] = [crafted.blob('data', 'good'), crafted.blob('data', 'bad')]
  const inner = crafted.tree(fileNode('b \\"x\\"', [bad.id], 3), fileNode('g', [good.id], 4))
  const broken = crafted.tree(folderNode('var', inner.id))
  const whole = crafted.tree(fileNode('g', [good.id], 4))
  const change = (bytes: Uint8Array): Uint8Array => bytes.with(20, bytes[20]! ^ 1)
  crafted.saveIndex(crafted.pack([good]), crafted.pack([bad], { change }), crafted.pack([inner, broken, whole]))
  const damaged = crafted.saveSnapshot(broken.id)
  crafted.saveSnapshot(whole.id, { time: '2026-02-01T00:00:00Z' })
  const { findings, damagedSnapshots } = await checked(crafted.backend)
  assert.deepEqual(damagedSnapshots, [damaged])
  const file = findings.find(({ subject }) => subject.includes('/var'))
  assert.equal(file?.subject, `snapshot ${damaged.slice(0, 10)}: /var/b \\"x\\"`)
  assert.equal(file?.severity, 'damage')
})

test('a blob with another good copy is a warning, and no snapshot is damaged', async () => {
  const crafted = await craftRepository({
    index: (to, packs) => {
      const change = (bytes: Uint8Array): Uint8Array => bytes.with(20, bytes[20]! ^ 1)
      to.saveIndex(...packs, to.pack([to.blob('data', 'hello')], { change }))
    },
  })
  const { findings, damagedSnapshots } = await checked(crafted.backend)
  assert.deepEqual(damagedSnapshots, [])
  assert.match(findings.at(-1)!.text, /another copy of it is right/)
  assert.equal(findings.at(-1)!.severity, 'warning')
})

test('a pack that came wrong once and right the second time is a warning about the machine', async () => {
  const { backend } = await craftRepository()
  const flipping = new FaultyBackend(backend, { faults: [{ at: 1, action: 'flip', on: ['load'], type: 'pack' }] })
  const result = await checked(flipping)
  assert.deepEqual(result.damagedSnapshots, [])
  assert.match(linesOf(result).join('\n'), /^warning pack \w+ came wrong when it was read first/)
})

test('a place that fails now and then is a finding, and one that fails always ends the check', async () => {
  const { backend } = await craftRepository()
  const sometimes = new FaultyBackend(backend, { faults: [{ at: 1, action: 'fail', on: ['load'], type: 'index' }] })
  assert.match(linesOf(await checked(sometimes)).join('\n'), /damage index \w+ memory could not load index/)
  const never = new FaultyBackend(backend, { faults: [{ at: 3, action: 'stop' }] })
  await assert.rejects(checked(never), { code: 'backend.unavailable' })
})

test('trees of any depth are checked, and damage at the bottom is found', async () => {
  const crafted = await craftRepository()
  const blobs: CraftedBlob[] = [crafted.tree(fileNode('x', ['ab'.repeat(32)], 1))]
  for (let depth = 0; depth < 12_000; depth++) blobs.push(crafted.tree(folderNode('d', blobs.at(-1)!.id)))
  crafted.saveIndex(crafted.pack(blobs))
  const id = crafted.saveSnapshot(blobs.at(-1)!.id)
  const { trees, findings, damagedSnapshots } = await checked(crafted.backend, {})
  assert.equal(trees, 12_002)
  assert.deepEqual(damagedSnapshots, [id])
  assert.match(findings[0]!.subject, /: \/…(\/d)+\/x$/)
})

test('a tree that nests brackets by the hundred thousand is judged and no crash', async () => {
  const nested = async (json: string): Promise<number> => {
    const text = `{"nodes":[{"name":"a","type":"file","content":[],"extra":${json}}]}\n`
    const crafted = await craftRepository({ root: (to) => to.blob('tree', text) })
    return (await checked(crafted.backend)).damagedSnapshots.length
  }
  assert.equal(await nested('['.repeat(300_000)), 1)
  assert.equal(await nested('{"a":'.repeat(300_000)), 1)
  assert.equal(await nested(`${'['.repeat(300_000)}${']'.repeat(300_000)}`), 0)
})

test('a small blob that becomes huge, or says so, takes no memory for it', async () => {
  const crafted = await craftRepository({
    data: (to) => {
      const bomb = to.blob('data', new Uint8Array(2 ** 28 + 1), { claim: 10 })
      return [bomb, { ...to.blob('data', 'small'), uncompressedLength: 2 ** 32 - 1 }]
    },
  })
  const before = process.memoryUsage.rss()
  const result = await checked(crafted.backend)
  assert.equal(result.damagedSnapshots.length, 1)
  assert.match(linesOf(result).join('\n'), /larger than any blob/)
  assert.ok(process.memoryUsage.rss() - before < 2 ** 28)
})

test('files that are none of the repository do not matter', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'bewaar-check-'))
  try {
    await using backend = await createLocal(folder)
    const crafted = await craftRepository()
    for (const type of ['config', 'key', 'snapshot', 'index', 'pack'] as const) {
      for await (const file of crafted.backend.list(type)) {
        await backend.save(file, await collect(crafted.backend.load(file)))
      }
    }
    await writeFile(join(folder, 'data', 'README'), 'x')
    await writeFile(join(folder, 'data', '00', 'abc.tmp'), 'x')
    await writeFile(join(folder, 'locks', 'README'), 'x')
    await mkdir(join(folder, 'snapshots', 'ab'))
    await using again = await openLocal(folder)
    assert.deepEqual(linesOf(await checked(again)), [])
  } finally {
    await rm(folder, { recursive: true })
  }
})

test('a repository that is broken through and through gives a list that ends', async () => {
  const crafted = await craftRepository()
  for (let nth = 0; nth < 10_100; nth++) {
    crafted.backend.overwrite({ type: 'snapshot', name: nth.toString(16).padStart(64, '0') }, Uint8Array.of(1))
  }
  const { findings, damagedSnapshots } = await checked(crafted.backend)
  assert.equal(findings.length, 10_001)
  assert.match(findings.at(-1)!.text, /^has 100 more findings/)
  assert.equal(damagedSnapshots.length, 10_100)
})

test('larger repositories are read by threads, with the same result, and an abort ends it', async () => {
  const crafted = await craftRepository()
  const blobs = Array.from({ length: 12 }, () => crafted.blob('data', randomBytes(1 << 20)))
  const packs = blobs.map((blob) => crafted.pack([blob]))
  const change = (bytes: Uint8Array): Uint8Array => bytes.with(999, bytes[999]! ^ 1)
  const broken = crafted.pack([crafted.blob('data', 'broken'.repeat(9000), { raw: true })], { change })
  crafted.saveIndex(...packs, broken)
  const root = crafted.tree(fileNode('broken', [broken.blobs[0]!.id], 54_000))
  crafted.saveIndex(crafted.pack([root]))
  const id = crafted.saveSnapshot(root.id)
  const result = await checked(crafted.backend)
  assert.deepEqual(result.damagedSnapshots, [id])
  assert.equal(result.packsRead, 16)
  const stop = new AbortController()
  await using repository = await openRepository(crafted.backend, {
    password: new Secret(craftedPassword),
    lockTimings: { settleMs: 0 },
  })
  const aborted = check(repository, { readShare: 1 }, stop.signal)
  stop.abort(new Error('stopped'))
  await assert.rejects(aborted, /stopped/)
  assert.deepEqual(await Array.fromAsync(crafted.backend.list('lock')), [])
})
