import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { AppError, Secret } from '#base'
import {
  archive,
  type Backend,
  check,
  copySnapshots,
  openRepository,
  performRestore,
  planRestore,
  type Repository,
} from '#engine'
import { cheapKey, type Fault, FaultyBackend, MemoryBackend, memoryPassword, memoryRepository } from '#engine/testing'
import { chanceOf, isLong, seedOf } from './chance.ts'
import { assertSame, type Contents, contentsOf } from './record.ts'

const scratch = mkdtempSync(join(tmpdir(), 'bewaar-stopped-'))
after(() => rmSync(scratch, { recursive: true }))

const seed = seedOf(20_260_102)
const source = join(scratch, 'source')
const opening = { password: memoryPassword, lockTimings: { settleMs: 0 } }

/** Some small files and two large ones: two of 9 MB fill more than one pack. */
function makeSource(round: number, largeBytes = 600_000): Contents {
  const chance = chanceOf(seed + round)
  for (let nth = 0; nth < 12; nth++) {
    mkdirSync(join(source, `d${nth % 3}`), { recursive: true })
    writeFileSync(join(source, `d${nth % 3}`, `f${nth}`), chance.bytes(chance.below(4000)))
  }
  for (const name of ['large', 'larger']) writeFileSync(join(source, name), chance.bytes(largeBytes))
  return contentsOf(source)
}

async function backUp(repository: Repository): Promise<string> {
  const { snapshot } = await archive(repository, {
    parts: [{ kind: 'folder', at: '', path: source }],
    timeNs: 1_700_000_000_000_000_000n,
    paths: [source],
    hostname: 'here',
  })
  return snapshot
}

async function assertWhole(backend: Backend, records: ReadonlyMap<string, Contents>, what: string): Promise<void> {
  await using repository = await openRepository(backend, opening)
  const { findings, snapshots } = await check(repository, { readShare: 1 })
  assert.deepEqual(
    findings.filter(({ severity }) => severity !== 'notice'),
    [],
    what,
  )
  assert.ok(snapshots >= records.size, what)
  for (const [id, record] of records) {
    const target = mkdtempSync(join(scratch, 'target-'))
    const { snapshot } = await repository.findSnapshot(id)
    const result = await performRestore(repository, await planRestore(repository, { tree: snapshot.tree, target }))
    assert.deepEqual(result.findings, [], what)
    assertSame(contentsOf(target), record, what)
    rmSync(target, { recursive: true })
  }
}

/** All numbers up to `count`, or a sample of them with the first and the last ones. */
function moments(count: number, sample: number): number[] {
  const all = Array.from({ length: count }, (_, nth) => nth + 1)
  if (isLong || count <= sample) return all
  const chance = chanceOf(seed)
  const ends = new Set([1, 2, count - 1, count])
  while (ends.size < sample) ends.add(1 + chance.below(count))
  return all.filter((moment) => ends.has(moment))
}

function assertTypedFailure(thrown: unknown): void {
  assert.ok(thrown instanceof AppError, `no typed error: ${String((thrown as Error).stack)}`)
}

/** Runs `work` on a backend with a fault, and takes its result only when it did not throw. */
async function strike<T>(
  backend: Backend,
  fault: Fault,
  work: (repository: Repository) => Promise<T>,
): Promise<{ readonly acknowledged?: T; readonly operations: number; readonly thrown?: AppError }> {
  const faulty = new FaultyBackend(backend, { faults: [fault] })
  try {
    await using repository = await openRepository(faulty, opening)
    return { acknowledged: await work(repository), operations: faulty.operations.length }
  } catch (thrown) {
    assertTypedFailure(thrown)
    return { operations: faulty.operations.length, thrown: thrown as AppError }
  }
}

const never: Fault = { at: Number.MAX_SAFE_INTEGER, action: 'stop' }

test('a backup that stops for good at any operation loses nothing, and the next one works', async (context) => {
  const template = new MemoryBackend()
  const first = makeSource(0)
  await using created = await memoryRepository(template)
  const before = new Map([[await backUp(created), first]])
  const second = makeSource(1, 9_000_000)
  const { operations } = await strike(template.clone(), never, backUp)
  const chosen = moments(operations, 5)
  context.diagnostic(`${chosen.length} of ${operations} operations`)
  for (const at of chosen) {
    const backend = template.clone()
    const records = new Map(before)
    const { acknowledged } = await strike(backend, { at, action: 'stop' }, backUp)
    if (acknowledged !== undefined) records.set(acknowledged, second)
    await assertWhole(backend, records, `stopped at operation ${at}`)
    await using repository = await openRepository(backend, opening)
    records.set(await backUp(repository), second)
    await assertWhole(backend, records, `after stopping at operation ${at}`)
  }
})

test('a copy that stops for good at any operation loses nothing, and the next one completes it', async (context) => {
  const from = new MemoryBackend('source')
  await using source = await memoryRepository(from)
  const contents = new Map<string, Contents>()
  for (const round of [0, 1]) {
    const content = makeSource(round)
    contents.set(await backUp(source), content)
  }
  const copy = async (target: Repository): Promise<readonly { readonly source: string; readonly target: string }[]> => {
    await using repository = await openRepository(from, opening)
    const { copied, present } = await copySnapshots(repository, target, { snapshots: 'all', verify: 1 })
    return [...present, ...copied]
  }
  const template = new MemoryBackend('target')
  await using _ = await memoryRepository(template, { polynomial: source.config.chunkerPolynomial })
  const { operations } = await strike(template.clone(), never, copy)
  const chosen = moments(operations, 6)
  context.diagnostic(`${chosen.length} of ${operations} operations`)
  for (const at of chosen) {
    const backend = template.clone()
    await strike(backend, { at, action: 'stop' }, copy)
    await assertWhole(backend, new Map(), `stopped at operation ${at}`)
    await using target = await openRepository(backend, opening)
    const copies = await copy(target)
    assert.equal(copies.length, 2)
    const records = new Map(copies.map((one) => [one.target, contents.get(one.source)!]))
    await assertWhole(backend, records, `after stopping at operation ${at}`)
  }
})

test('a new password that stops for good at any operation opens all or nothing, and the old one opens always', async () => {
  const template = new MemoryBackend()
  const record = makeSource(0)
  await using created = await memoryRepository(template)
  const records = new Map([[await backUp(created), record]])
  const second = new Secret('a second password')
  const add = async (repository: Repository): Promise<string> => await repository.addKey(second, cheapKey)
  const { operations } = await strike(template.clone(), never, add)
  for (const at of moments(operations + 1, 100)) {
    const backend = template.clone()
    const { acknowledged } = await strike(backend, { at, action: 'stop' }, add)
    await using old = await openRepository(backend, opening)
    const openAnew = async (): Promise<void> => {
      await using _ = await openRepository(backend, { ...opening, password: second })
    }
    if (acknowledged !== undefined) await openAnew()
    await add(old)
    await openAnew()
    assert.ok((await old.listKeys()).length >= 2)
  }
  await assertWhole(template, records, 'the template')
})

const faultyTypes = ['lock', 'pack', 'index', 'snapshot'] as const

for (const type of faultyTypes) {
  test(`a ${type} that cannot be saved is an error with a code, and nothing is acknowledged`, async () => {
    const template = new MemoryBackend()
    const first = makeSource(0)
    await using created = await memoryRepository(template)
    const before = new Map([[await backUp(created), first]])
    const second = makeSource(1)
    for (const action of ['fail', 'lose-answer', 'truncate'] as const) {
      const backend = template.clone()
      const fault: Fault = { at: 1, action, on: ['save'], type, times: 1000 }
      const { acknowledged, thrown } = await strike(backend, fault, backUp)
      assert.equal(acknowledged, undefined, action)
      assert.equal(thrown?.code, 'backend.unavailable', action)
      assert.ok(thrown.hint.length > 0)
      // because a place that stores half a file under its name is itself broken, and only check can tell
      if (action === 'truncate') continue
      await assertWhole(backend, before, `${action} of a ${type}`)
      await using repository = await openRepository(backend, opening)
      await assertWhole(
        backend,
        new Map([...before, [await backUp(repository), second]]),
        `after ${action} of a ${type}`,
      )
    }
  })
}

test('what was stored by half is told by check, and the snapshots before it are whole', async () => {
  const template = new MemoryBackend()
  const first = makeSource(0)
  await using created = await memoryRepository(template)
  const id = await backUp(created)
  makeSource(1)
  for (const type of ['pack', 'index', 'snapshot'] as const) {
    const backend = template.clone()
    await strike(backend, { at: 1, action: 'truncate', on: ['save'], type }, backUp)
    await using repository = await openRepository(backend, opening)
    const { findings, damagedSnapshots } = await check(repository, { readShare: 1 })
    // because a pack that no index names is in nobody's way
    assert.ok(
      findings.some(({ severity }) => type === 'pack' || severity !== 'notice'),
      type,
    )
    assert.ok(!damagedSnapshots.includes(id), type)
    if (type === 'index') continue
    const { snapshot } = await repository.findSnapshot(id)
    const target = join(scratch, 'half')
    await performRestore(repository, await planRestore(repository, { tree: snapshot.tree, target }))
    assertSame(contentsOf(target), first, type)
    rmSync(target, { recursive: true })
  }
})

test('saves that take their time change nothing', async () => {
  const backend = new MemoryBackend()
  await using _ = await memoryRepository(backend)
  const record = makeSource(0)
  const slow: Fault = { at: 1, action: 'delay', on: ['save'], times: 1000, delayMs: 60 }
  const { acknowledged } = await strike(backend, slow, backUp)
  await assertWhole(backend, new Map([[acknowledged!, record]]), 'delayed')
})

test('a pack that is taken away is seen by what these tests assert', async () => {
  const backend = new MemoryBackend()
  await using created = await memoryRepository(backend)
  const record = makeSource(0)
  const records = new Map([[await backUp(created), record]])
  const [pack] = await Array.fromAsync(backend.list('pack'))
  await backend.remove(pack!)
  await assert.rejects(assertWhole(backend, records, 'without a pack'))
})
