import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'

import { listNames } from './list-names.ts'
import { loadAll, loadInto } from './load-all.ts'
import type { Backend, FileRef, FileType } from './backend.ts'

const types: readonly FileType[] = ['config', 'key', 'lock', 'snapshot', 'index', 'pack']

/** Bytes that do not repeat, the same for the same arguments. */
function bytesOf(size: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(size)
  let state = seed * 2_654_435_761 + size
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

function refOf(type: FileType, content: Uint8Array | string): FileRef {
  return { type, name: type === 'config' ? '' : createHash('sha256').update(content).digest('hex') }
}

async function namesOf(backend: Backend, type: FileType): Promise<string[]> {
  return (await Array.fromAsync(backend.list(type))).map((file) => file.name).sort()
}

export interface SuiteOptions {
  /** The place takes files and lets none go but locks. */
  readonly appendOnly?: boolean
}

/**
 * The whole contract of a {@link Backend}, as tests. Every implementation runs it.
 *
 * @param open - gives a backend over an empty place of its own; each test opens one and disposes it.
 */
export function backendSuite(
  name: string,
  open: () => Promise<Backend> | Backend,
  { appendOnly = false }: SuiteOptions = {},
): void {
  const removable = (type: FileType): boolean => !appendOnly || type === 'lock'

  describe(`${name}: the contract of a backend`, () => {
    test('an empty place has no file of any type', async () => {
      await using backend = await open()
      for (const type of types) {
        assert.deepEqual(await Array.fromAsync(backend.list(type)), [], type)
        const load = loadAll(backend, refOf(type, 'absent'))
        await assert.rejects(load, { code: 'backend.missing', kind: 'missing' }, type)
      }
      assert.ok(backend.connections >= 1)
      assert.ok(backend.place.length > 0)
    })

    test('a saved file of each type loads byte for byte, is listed once and only with its own type', async () => {
      await using backend = await open()
      for (const [seed, type] of types.entries()) {
        const body = bytesOf(1000 + seed, seed)
        await backend.save(refOf(type, body), body)
      }
      for (const [seed, type] of types.entries()) {
        const body = bytesOf(1000 + seed, seed)
        const ref = refOf(type, body)
        assert.deepEqual(Buffer.from(await loadAll(backend, ref)), Buffer.from(body), type)
        assert.deepEqual(await Array.fromAsync(backend.list(type)), [{ ...ref, size: body.length }], type)
      }
    })

    test('names and bytes are the same by every way there is to them', async () => {
      await using backend = await open()
      for (const type of types.filter((type) => type !== 'config')) {
        const bodies = [bytesOf(70_000, 1), bytesOf(3, 2), bytesOf(1, 3)]
        for (const body of bodies) await backend.save(refOf(type, body), body)
        assert.deepEqual([...(await listNames(backend, type))].sort(), await namesOf(backend, type), type)
        const ref = refOf(type, bodies[0]!)
        const shared = new Uint8Array(new SharedArrayBuffer(60_000))
        await loadInto(backend, ref, { start: 5, end: 60_005 }, shared)
        assert.ok(Buffer.from(shared).equals(bodies[0]!.subarray(5, 60_005)), type)
        const beyond = loadInto(backend, ref, { start: 60_000, end: 120_000 }, shared)
        await assert.rejects(beyond, { code: 'backend.damaged' }, type)
        const absent = loadInto(backend, refOf(type, 'absent'), { start: 0, end: 60_000 }, shared)
        await assert.rejects(absent, { code: 'backend.missing' }, type)
      }
    })

    test('an empty file is stored, listed with size 0 and loads as nothing', async () => {
      await using backend = await open()
      const ref = refOf('lock', '')
      await backend.save(ref, new Uint8Array())
      assert.deepEqual(await Array.fromAsync(backend.list('lock')), [{ ...ref, size: 0 }])
      assert.equal((await loadAll(backend, ref)).length, 0)
      assert.equal((await loadAll(backend, ref, { start: 0, end: 0 })).length, 0)
    })

    test('what is saved is a copy: the buffer may be reused as soon as save has returned', async () => {
      await using backend = await open()
      const body = bytesOf(5000)
      const ref = refOf('index', body)
      await backend.save(ref, body)
      body.fill(0)
      assert.deepEqual(Buffer.from(await loadAll(backend, ref)), Buffer.from(bytesOf(5000)))
      const loaded = await loadAll(backend, ref)
      loaded.fill(0)
      assert.deepEqual(Buffer.from(await loadAll(backend, ref)), Buffer.from(bytesOf(5000)))
    })

    test('a part of a larger buffer, also of shared memory, is stored as just that part', async () => {
      await using backend = await open()
      const shared = new Uint8Array(new SharedArrayBuffer(3000))
      shared.set(bytesOf(3000))
      for (const large of [bytesOf(3000), shared]) {
        const ref = refOf('pack', large.buffer.constructor.name)
        await backend.save(ref, large.subarray(1000, 1500))
        const expected = Buffer.from(bytesOf(3000).subarray(1000, 1500))
        assert.deepEqual(Buffer.from(await loadAll(backend, ref)), expected)
      }
    })

    test('a taken name is a conflict and keeps its bytes', async () => {
      await using backend = await open()
      for (const type of types) {
        const ref = refOf(type, 'taken')
        await backend.save(ref, bytesOf(100, 1))
        const again = backend.save(ref, bytesOf(200, 2))
        await assert.rejects(again, { code: 'backend.conflict', kind: 'conflict' }, type)
        assert.deepEqual(Buffer.from(await loadAll(backend, ref)), Buffer.from(bytesOf(100, 1)), type)
        assert.equal((await namesOf(backend, type)).length, 1)
      }
    })

    test('of many savers of one name exactly one succeeds, and its bytes stay', async () => {
      await using backend = await open()
      for (const type of ['config', 'pack'] as const) {
        const ref = refOf(type, 'wanted by all')
        const savers = Array.from({ length: 12 }, (_, seed) => backend.save(ref, bytesOf(20_000, seed)))
        const settled = await Promise.allSettled(savers)
        const winners = settled.flatMap((result, seed) => (result.status === 'fulfilled' ? [seed] : []))
        assert.equal(winners.length, 1)
        for (const result of settled) {
          if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'backend.conflict')
        }
        assert.deepEqual(Buffer.from(await loadAll(backend, ref)), Buffer.from(bytesOf(20_000, winners[0])))
      }
    })

    test('every range of a file loads as exactly those bytes', async () => {
      await using backend = await open()
      const body = bytesOf(200_001)
      const ref = refOf('pack', body)
      await backend.save(ref, body)
      const edges = [0, 1, 63, 4096, 65_535, 65_536, 65_537, 131_072, 200_000, 200_001]
      for (const start of edges) {
        for (const end of edges.filter((edge) => edge >= start)) {
          const part = await loadAll(backend, ref, { start, end })
          assert.equal(Buffer.compare(part, body.subarray(start, end)), 0, `${start} to ${end}`)
        }
      }
    })

    test('fewer bytes than asked for are an error, never a short answer', async () => {
      await using backend = await open()
      const body = bytesOf(1000)
      const ref = refOf('pack', body)
      await backend.save(ref, body)
      for (const range of [
        { start: 0, end: 1001 },
        { start: 999, end: 1001 },
        { start: 1000, end: 1001 },
        { start: 5000, end: 6000 },
        { start: 0, end: 2 ** 40 },
      ]) {
        await assert.rejects(loadAll(backend, ref, range), { code: 'backend.damaged', kind: 'damaged' })
      }
    })

    test('a range or a name that is none is refused', async () => {
      await using backend = await open()
      const ref = refOf('pack', 'x')
      await backend.save(ref, bytesOf(10))
      for (const range of [
        { start: 5, end: 4 },
        { start: -1, end: 4 },
        { start: 0.5, end: 4 },
        { start: 0, end: Number.NaN },
      ]) {
        await assert.rejects(loadAll(backend, ref, range), { code: 'backend.request-invalid' })
      }
      const names = ['', '../config', 'ABCD'.repeat(16), 'ab', `${'a'.repeat(63)}/`, `${'a'.repeat(64)}\n`]
      for (const name of names) {
        const hostile = { type: 'pack' as const, name }
        await assert.rejects(loadAll(backend, hostile), { code: 'backend.request-invalid' }, name)
        await assert.rejects(backend.save(hostile, bytesOf(1)), { code: 'backend.request-invalid' }, name)
        await assert.rejects(backend.remove(hostile), { code: 'backend.request-invalid' }, name)
      }
    })

    test('a consumer that stops early leaves the backend usable', async () => {
      await using backend = await open()
      const body = bytesOf(3_000_000)
      const ref = refOf('pack', body)
      await backend.save(ref, body)
      for (let round = 0; round < 20; round++) {
        for await (const piece of backend.load(ref)) {
          assert.ok(piece.length > 0)
          break
        }
        for await (const _ of backend.list('pack')) break
      }
      assert.equal(Buffer.compare(await loadAll(backend, ref), body), 0)
    })

    test('removing takes one file away, and a file that is not there is missing', async () => {
      await using backend = await open()
      for (const type of types.filter(removable)) {
        const ref = refOf(type, 'first')
        await backend.save(ref, bytesOf(10))
        const other = refOf(type, 'second')
        if (type !== 'config') await backend.save(other, bytesOf(20))
        await backend.remove(ref)
        await assert.rejects(backend.remove(ref), { code: 'backend.missing', kind: 'missing' }, type)
        await assert.rejects(loadAll(backend, ref), { code: 'backend.missing' }, type)
        assert.deepEqual(await namesOf(backend, type), type === 'config' ? [] : [other.name])
        await backend.save(ref, bytesOf(30))
        assert.equal((await loadAll(backend, ref)).length, 30)
      }
    })

    if (appendOnly) {
      test('removing is denied but for locks, and what was to be removed stays', async () => {
        await using backend = await open()
        for (const type of types.filter((type) => !removable(type))) {
          const ref = refOf(type, 'stays')
          await backend.save(ref, bytesOf(10))
          await assert.rejects(backend.remove(ref), { code: 'backend.denied', kind: 'denied' }, type)
          assert.deepEqual(Buffer.from(await loadAll(backend, ref)), Buffer.from(bytesOf(10)), type)
        }
      })
    }

    test('files larger than a pack load whole and in parts', async () => {
      await using backend = await open()
      const body = bytesOf(17 * 1024 * 1024 + 3)
      const ref = refOf('pack', body)
      await backend.save(ref, body)
      assert.equal(Buffer.compare(await loadAll(backend, ref), body), 0)
      const range = { start: 4_194_303, end: 16_777_217 }
      assert.equal(Buffer.compare(await loadAll(backend, ref, range), body.subarray(range.start, range.end)), 0)
    })

    test('many operations at once do not mix: every file keeps its own bytes', async () => {
      await using backend = await open()
      const seeds = Array.from({ length: 100 }, (_, seed) => seed)
      const refs = seeds.map((seed) => refOf(seed % 3 === 0 ? 'index' : 'pack', `file ${seed}`))
      await Promise.all(seeds.map((seed) => backend.save(refs[seed]!, bytesOf(1000 + seed * 37, seed))))
      const loaded = await Promise.all(refs.map((ref) => loadAll(backend, ref)))
      for (const seed of seeds) assert.equal(Buffer.compare(loaded[seed]!, bytesOf(1000 + seed * 37, seed)), 0)
      const wanted = refs.filter((ref) => ref.type === 'pack').map((ref) => ref.name)
      assert.deepEqual(await namesOf(backend, 'pack'), wanted.sort())
      if (appendOnly) return
      await Promise.all(refs.map((ref) => backend.remove(ref)))
      assert.deepEqual([...(await namesOf(backend, 'pack')), ...(await namesOf(backend, 'index'))], [])
    })

    test('a list that runs while files come and go names each file that stays exactly once', async () => {
      await using backend = await open()
      const staying = Array.from({ length: 40 }, (_, seed) => refOf('pack', `stays ${seed}`))
      for (const ref of staying) await backend.save(ref, bytesOf(10))
      const coming = Array.from({ length: 40 }, (_, seed) => refOf('pack', `comes ${seed}`))
      const churn = Promise.all(
        coming.map(async (ref) => {
          await backend.save(ref, bytesOf(10))
          if (removable(ref.type)) await backend.remove(ref)
        }),
      )
      const names = await namesOf(backend, 'pack')
      await churn
      assert.equal(new Set(names).size, names.length)
      for (const ref of staying) assert.ok(names.includes(ref.name))
    })

    test('an aborted signal stops every operation with its own reason, and saves nothing', async () => {
      await using backend = await open()
      const ref = refOf('pack', 'there')
      await backend.save(ref, bytesOf(100))
      const reason = new Error('the caller has gone')
      const signal = AbortSignal.abort(reason)
      const same = (thrown: unknown): boolean => thrown === reason
      const absent = refOf('pack', 'absent')
      await assert.rejects(backend.save(absent, bytesOf(100), signal), same)
      await assert.rejects(loadAll(backend, ref, undefined, signal), same)
      await assert.rejects(Array.fromAsync(backend.list('pack', signal)), same)
      await assert.rejects(backend.remove(ref, signal), same)
      assert.deepEqual(await namesOf(backend, 'pack'), [ref.name])
    })

    test('a save that is aborted while it runs leaves the whole file or none', async () => {
      await using backend = await open()
      const body = bytesOf(9_000_000)
      for (let round = 0; round < 6; round++) {
        const ref = refOf('pack', `round ${round}`)
        const stop = new AbortController()
        const saving = backend.save(ref, body, stop.signal)
        setTimeout(() => stop.abort(), round * 2)
        const [settled] = await Promise.allSettled([saving])
        const names = await namesOf(backend, 'pack')
        assert.equal(names.includes(ref.name), settled.status === 'fulfilled')
        if (settled.status === 'fulfilled') assert.equal(Buffer.compare(await loadAll(backend, ref), body), 0)
      }
    })
  })
}
