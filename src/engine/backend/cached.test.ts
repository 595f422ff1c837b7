import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { pause, runProgram } from '#base'
import { backendSuite, FaultyBackend, MemoryBackend } from '#engine/testing'
import { sha256Hex } from '../crypto/hash.ts'
import { cached, type CachedBackend } from './cached.ts'
import { createLocal } from './local/local.ts'
import { loadAll } from './load-all.ts'
import type { FileRef, FileType } from './backend.ts'

const scratch = await mkdtemp(join(tmpdir(), 'bewaar-cached-'))
after(() => rm(scratch, { recursive: true, force: true }))

let made = 0
function folder(): string {
  return join(scratch, String(made++))
}

const config = { type: 'config', name: '' } as const

function bytesOf(seed: number, size = 5000): Buffer {
  return Buffer.alloc(size, `file ${seed} `)
}

function refOf(type: FileType, bytes: Uint8Array): FileRef {
  return { type, name: sha256Hex(bytes) }
}

/** A place with a config and one file of each type, and a cache of it that keeps all packs. */
async function cachedPlace(options: { folder: string; maxBytes?: number }, id = 'config') {
  const inner = new MemoryBackend()
  await inner.save(config, Buffer.from(id))
  const refs = new Map<FileType, FileRef>()
  for (const [seed, type] of (['key', 'lock', 'snapshot', 'index', 'pack'] as const).entries()) {
    const ref = refOf(type, bytesOf(seed))
    await inner.save(ref, bytesOf(seed))
    refs.set(type, ref)
  }
  const watched = new FaultyBackend(inner)
  const backend = cached(watched, options)
  backend.keepPacks(() => true)
  return { inner, backend, ref: (type: FileType) => refs.get(type)!, asked: () => askedOf(watched) }
}

/** How often files were loaded from the place, without its config. */
function askedOf(watched: FaultyBackend): number {
  return watched.operations.filter(({ operation, type }) => operation === 'load' && type !== 'config').length
}

async function filesIn(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile() && entry.name !== 'CACHEDIR.TAG').map((entry) => entry.name)
}

async function fileOf(root: string, { type, name }: FileRef): Promise<string> {
  const [repository] = (await readdir(root)).filter((entry) => entry.length === 64)
  return join(root, repository!, type, name)
}

async function assertLoads(backend: CachedBackend, ref: FileRef, expected: Uint8Array): Promise<void> {
  assert.equal(Buffer.compare(await loadAll(backend, ref), expected), 0)
}

backendSuite('cached over memory', () => cached(new MemoryBackend(), { folder: folder() }))
backendSuite('cached over local, packs too', async () => {
  const backend = cached(await createLocal(folder()), { folder: folder() })
  backend.keepPacks(() => true)
  return backend
})

test('index files, snapshots and packs of trees are loaded once, also by the next process; nothing else is kept', async () => {
  const root = folder()
  const { inner, backend, ref, asked } = await cachedPlace({ folder: root })
  for (const type of ['index', 'snapshot', 'pack'] as const) {
    const expected = await loadAll(inner, ref(type))
    for (let round = 0; round < 3; round++) await assertLoads(backend, ref(type), expected)
    const part = await loadAll(backend, ref(type), { start: 100, end: 4000 })
    assert.equal(Buffer.compare(part, expected.subarray(100, 4000)), 0)
  }
  assert.equal(asked(), 3)
  for (const type of ['key', 'lock'] as const) for (const _ of [1, 2]) await loadAll(backend, ref(type))
  assert.equal(asked(), 7)
  assert.deepEqual(
    (await filesIn(root)).sort(),
    ['index', 'snapshot', 'pack'].map((type) => ref(type as FileType).name).sort(),
  )

  const later = new FaultyBackend(inner)
  const next = cached(later, { folder: root })
  await loadAll(next, ref('index'))
  await loadAll(next, ref('snapshot'))
  assert.equal(askedOf(later), 0)
  await loadAll(next, ref('pack'))
  assert.equal(askedOf(later), 1, 'a pack of data is not looked for')
})

test('a pack that many want at once is fetched once, and each has bytes of its own', async () => {
  const { backend, ref, asked } = await cachedPlace({ folder: folder() })
  const ranges = Array.from({ length: 20 }, (_, at) => ({ start: at * 100, end: at * 100 + 200 }))
  const parts = await Promise.all(ranges.map((range) => loadAll(backend, ref('pack'), range)))
  assert.equal(asked(), 1)
  for (const part of parts) part.fill(0)
  await assertLoads(backend, ref('pack'), bytesOf(4))
})

test('a kept file that is damaged, cut, foreign or no file is dropped and loaded anew', async () => {
  const root = folder()
  const { inner, ref } = await cachedPlace({ folder: root })
  const spoil: ((path: string) => Promise<unknown>)[] = [
    (path) => writeFile(path, bytesOf(77)),
    (path) => writeFile(path, ''),
    async (path) => writeFile(path, (await readFile(path)).subarray(0, 4999)),
    (path) => rm(path).then(() => mkdir(path)),
    (path) => rm(path).then(() => symlink('/dev/zero', path)),
    (path) => rm(path).then(() => runProgram('mkfifo', [path])),
  ]
  for (const change of spoil) {
    for (const range of [undefined, { start: 10, end: 20 }]) {
      const watched = new FaultyBackend(inner)
      const backend = cached(watched, { folder: root })
      backend.keepPacks(() => true)
      await loadAll(backend, ref('pack'), range)
      const before = askedOf(watched)
      await change(await fileOf(root, ref('pack')))
      const loaded = await loadAll(backend, ref('pack'), range)
      assert.equal(Buffer.compare(loaded, bytesOf(4).subarray(range?.start, range?.end)), 0)
      assert.equal(askedOf(watched) - before, 1)
      await loadAll(backend, ref('pack'), range)
      assert.equal(askedOf(watched) - before, 1, 'and kept again')
    }
  }
})

test('what is damaged in the place is not kept, and comes as it is', async () => {
  const root = folder()
  const { inner, backend, ref } = await cachedPlace({ folder: root })
  inner.overwrite(ref('index'), bytesOf(99))
  for (const _ of [1, 2]) await assertLoads(backend, ref('index'), bytesOf(99))
  assert.deepEqual(await filesIn(root), [])
})

test('uncached reads past what is kept, so that a check sees the place itself', async () => {
  const { inner, backend, ref } = await cachedPlace({ folder: folder() })
  await loadAll(backend, ref('index'))
  inner.overwrite(ref('index'), bytesOf(99))
  await assertLoads(backend, ref('index'), bytesOf(3))
  assert.equal(Buffer.compare(await loadAll(backend.uncached, ref('index')), bytesOf(99)), 0)
})

test('what was saved is kept, what was removed is not, and a list drops what it does not name', async () => {
  const root = folder()
  const { inner, backend, ref, asked } = await cachedPlace({ folder: root })
  await loadAll(backend, ref('index'))
  const saved = refOf('snapshot', bytesOf(50))
  await backend.save(saved, bytesOf(50))
  await assertLoads(backend, saved, bytesOf(50))
  assert.equal(asked(), 1)

  await backend.remove(saved)
  await assert.rejects(loadAll(backend, saved), { code: 'backend.missing' })
  await inner.remove(ref('index'))
  await assertLoads(backend, ref('index'), bytesOf(3))
  assert.deepEqual(await Array.fromAsync(backend.list('index')), [])
  await assert.rejects(loadAll(backend, ref('index')), { code: 'backend.missing' })
  assert.deepEqual(await filesIn(root), [])
})

test('two repositories in one folder do not mix, and without a config nothing is kept', async () => {
  const root = folder()
  const one = await cachedPlace({ folder: root }, 'one')
  const other = await cachedPlace({ folder: root }, 'other')
  await loadAll(one.backend, one.ref('index'))
  await loadAll(other.backend, other.ref('index'))
  assert.deepEqual([one.asked(), other.asked()], [1, 1])
  assert.equal((await filesIn(root)).length, 2)
  await one.inner.remove(config)
  const without = cached(one.inner, { folder: folder() })
  await assertLoads(without, one.ref('index'), bytesOf(3))
})

test('the room is bounded: what was not used for longest goes first, and what killed writers left goes too', async () => {
  const root = folder()
  const maxBytes = 100_000
  const { inner, ref } = await cachedPlace({ folder: root })
  const backend = cached(inner, { folder: root, maxBytes })
  await loadAll(backend, ref('index'))
  const path = await fileOf(root, ref('index'))
  const old = new Date(Date.now() - 48 * 3600 * 1000)
  for (const left of [`${path}-tmp-0123456789abcdef`, `${path}-other`]) {
    await writeFile(left, 'x')
    await utimes(left, old, old)
  }
  for (let seed = 100; seed < 160; seed++) {
    const snapshot = refOf('snapshot', bytesOf(seed))
    await backend.save(snapshot, bytesOf(seed))
    const kept = await fileOf(root, snapshot)
    const time = new Date(Date.now() - (200 - seed) * 3600 * 1000)
    if (await stat(kept).catch(() => undefined)) await utimes(kept, time, time)
    await utimes(path, old, old)
    await loadAll(backend, ref('index'))
  }
  const left = await filesIn(root)
  assert.ok(left.length * 5000 <= maxBytes * (1 + 1 / 16) && left.length > 10, `${left.length} files`)
  assert.ok(left.includes(ref('index').name), 'because it was used all the time')
  assert.ok(left.includes(refOf('snapshot', bytesOf(159)).name))
  assert.ok(!left.includes(refOf('snapshot', bytesOf(100)).name))
  assert.ok(
    left.every((name) => /^[0-9a-f]{64}$/.test(name)),
    left.join(),
  )
})

test('a folder that is removed, cannot be written, or is no folder changes nothing but the speed', async () => {
  const root = folder()
  const { inner, backend, ref, asked } = await cachedPlace({ folder: root })
  for (let round = 1; round <= 3; round++) {
    await assertLoads(backend, ref('index'), bytesOf(3))
    assert.equal(asked(), round)
    await rm(root, { recursive: true })
  }
  const blocked = folder()
  await writeFile(blocked, 'a file')
  const other = cached(inner, { folder: blocked })
  for (const _ of [1, 2]) await assertLoads(other, ref('index'), bytesOf(3))
})

test('backups leave the folder out, and nobody else may look into it', async () => {
  const root = folder()
  const { backend, ref } = await cachedPlace({ folder: root })
  await loadAll(backend, ref('index'))
  assert.match(await readFile(join(root, 'CACHEDIR.TAG'), 'utf8'), /^Signature: 8a477f597d28d172789f06886806bc55\n/)
  const path = await fileOf(root, ref('index'))
  assert.equal((await stat(path)).mode & 0o777, 0o600)
  for (const above of ['..', '../..']) assert.equal((await stat(join(path, above))).mode & 0o777, 0o700)
})

test('several processes share one folder while files are evicted from it and it is removed', async () => {
  const [root, place, script] = [folder(), folder(), join(scratch, 'load.ts')]
  {
    await using local = await createLocal(place)
    await local.save(config, Buffer.from('config'))
    for (let seed = 0; seed < 40; seed++) await local.save(refOf('index', bytesOf(seed)), bytesOf(seed))
  }
  const urlOf = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href)
  await writeFile(
    script,
    `import { cached } from ${urlOf('./cached.ts')}
    import { loadAll } from ${urlOf('./load-all.ts')}
    import { openLocal } from ${urlOf('./local/local.ts')}
    import { sha256Hex } from ${urlOf('../crypto/hash.ts')}
    const backend = cached(await openLocal(process.argv[2]!), { folder: process.argv[3]!, maxBytes: 60_000 })
    const files = await Array.fromAsync(backend.list('index'))
    for (let round = 0; round < 8; round++) {
      for (const file of files) {
        if (sha256Hex(await loadAll(backend, file)) !== file.name) throw new Error('other bytes')
      }
    }
    await backend[Symbol.asyncDispose]()`,
  )
  const args = ['--disable-warning=ExperimentalWarning', script, place, root]
  const running = Promise.all(Array.from({ length: 3 }, () => runProgram(process.execPath, args)))
  const isOver = running.then(() => true)
  const later = async (): Promise<boolean> => pause(50).then(() => false)
  while (!(await Promise.race([isOver, later()]))) await rm(root, { recursive: true, force: true }).catch(() => {})
})
