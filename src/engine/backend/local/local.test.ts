import assert from 'node:assert/strict'
import { chmod, lstat, mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { backendSuite } from '../../testing.ts'
import { loadAll } from '../load-all.ts'
import { createLocal, openLocal } from './local.ts'

const scratch = await mkdtemp(join(tmpdir(), 'bewaar-local-'))
after(() => rm(scratch, { recursive: true, force: true }))

let made = 0
function place(): string {
  return join(scratch, String(made++), 'repository')
}

const id = (digit: string): string => digit.repeat(64)
const text = (words: string): Uint8Array => Buffer.from(words)

backendSuite('local', () => createLocal(place()))

test('create makes all folders for the owner alone, and may be repeated', async () => {
  const folder = place()
  for (let round = 0; round < 2; round++) {
    await using backend = await createLocal(folder)
    assert.equal(backend.place, folder)
  }
  assert.deepEqual((await readdir(folder)).sort(), ['data', 'index', 'keys', 'locks', 'snapshots'])
  assert.equal((await readdir(join(folder, 'data'))).length, 256)
  for (const name of ['', 'data', 'data/00', 'data/ff', 'keys', 'locks']) {
    assert.equal((await lstat(join(folder, name))).mode & 0o7777, 0o700, name)
  }
})

test('files lie where restic looks for them, read-only for the owner, with nothing beside them', async () => {
  const folder = place()
  await using backend = await createLocal(folder)
  await backend.save({ type: 'config', name: '' }, text('c'))
  await backend.save({ type: 'pack', name: id('a') }, text('p'))
  await backend.save({ type: 'snapshot', name: id('b') }, text('s'))
  for (const path of ['config', `data/aa/${id('a')}`, `snapshots/${id('b')}`]) {
    const found = await lstat(join(folder, path))
    assert.equal(found.mode & 0o7777, 0o400, path)
    assert.equal(found.nlink, 1, path)
  }
  assert.deepEqual(await readdir(join(folder, 'data/aa')), [id('a')])
})

test('a config that the group may read opens all that is written afterwards to the group', async () => {
  const folder = place()
  {
    await using backend = await createLocal(folder)
    await backend.save({ type: 'config', name: '' }, text('c'))
  }
  await chmod(join(folder, 'config'), 0o440)
  await rm(join(folder, 'data/aa'), { recursive: true })
  await using backend = await openLocal(folder)
  await backend.save({ type: 'pack', name: id('a') }, text('p'))
  assert.equal((await lstat(join(folder, 'data/aa', id('a')))).mode & 0o7777, 0o440)
  assert.equal((await lstat(join(folder, 'data/aa'))).mode & 0o050, 0o050)
})

test('a writer makes the folders that are missing, but never the place itself', async () => {
  const folder = place()
  await using backend = await openLocal(folder)
  const pack = { type: 'pack', name: id('a') } as const
  await assert.rejects(backend.save(pack, text('p')), { code: 'backend.place-missing', kind: 'missing' })
  await assert.rejects(backend.save({ type: 'config', name: '' }, text('p')), { code: 'backend.place-missing' })
  await assert.rejects(lstat(folder))
  await mkdir(folder, { recursive: true })
  await backend.save(pack, text('p'))
  await backend.save({ type: 'key', name: id('b') }, text('k'))
  assert.equal((await Array.fromAsync(backend.list('pack'))).length, 1)
  assert.equal((await Array.fromAsync(backend.list('key'))).length, 1)
})

test('names that are not 64 hex digits, folders, and files in the folder of others are not listed', async () => {
  const folder = place()
  await using backend = await createLocal(folder)
  await backend.save({ type: 'pack', name: id('a') }, text('p'))
  await backend.save({ type: 'key', name: id('b') }, text('k'))
  for (const foreign of [`${id('b')}-tmp-123`, '.DS_Store', 'README', id('B'), 'b'.repeat(63), 'b'.repeat(65)]) {
    await writeFile(join(folder, 'keys', foreign), 'x')
    await writeFile(join(folder, 'data/bb', foreign), 'x')
  }
  await mkdir(join(folder, 'keys', id('c')))
  await symlink('/nowhere', join(folder, 'keys', id('d')))
  await writeFile(join(folder, 'data', id('e')), 'x')
  await writeFile(join(folder, 'data/aa', id('f')), 'x')
  await writeFile(join(folder, 'data/zz'), 'x')
  await rm(join(folder, 'data/11'), { recursive: true })
  await writeFile(join(folder, 'data/11'), 'not a folder')
  assert.deepEqual(await Array.fromAsync(backend.list('pack')), [{ type: 'pack', name: id('a'), size: 1 }])
  assert.deepEqual(await Array.fromAsync(backend.list('key')), [{ type: 'key', name: id('b'), size: 1 }])
})

test('what stands under the name of a file and is none is damage', async () => {
  const folder = place()
  await using backend = await createLocal(folder)
  await mkdir(join(folder, 'data/aa', id('a')))
  await assert.rejects(loadAll(backend, { type: 'pack', name: id('a') }), { code: 'backend.damaged' })
})

test('a place that is a file is not a place', async () => {
  const folder = place()
  await mkdir(join(folder, '..'), { recursive: true })
  await writeFile(folder, 'x')
  await assert.rejects(openLocal(folder), { code: 'backend.place-missing' })
  await assert.rejects(createLocal(join(folder, 'below')), { code: 'backend.place-missing' })
})

test('leftovers of killed writers are swept when they are older than a day, and nothing else is', async () => {
  const folder = place()
  await using backend = await createLocal(folder)
  const old = new Date(Date.now() - 25 * 3600 * 1000)
  const recent = new Date(Date.now() - 23 * 3600 * 1000)
  const names = {
    'ours-tmp-0123456789abcdef': old,
    'ours-tmp-claim': old,
    'fresh-tmp-0123456789abcdef': recent,
    'of-restic-tmp-1234567890': old,
    [id('c')]: old,
    'README-tmp': old,
  }
  for (const [name, time] of Object.entries(names)) {
    await writeFile(join(folder, 'data/aa', name), 'x')
    await utimes(join(folder, 'data/aa', name), time, time)
  }
  await backend.save({ type: 'pack', name: id('a') }, text('p'))
  await backend[Symbol.asyncDispose]()
  const left = (await readdir(join(folder, 'data/aa'))).sort()
  assert.deepEqual(left, ['README-tmp', id('a'), id('c'), 'fresh-tmp-0123456789abcdef', 'of-restic-tmp-1234567890'])
})

test('a save whose temporary file is taken away begins anew', async () => {
  const folder = place()
  await using backend = await createLocal(folder)
  const body = new Uint8Array(30_000_000).fill(7)
  const saving = backend.save({ type: 'pack', name: id('a') }, body)
  let taken = 0
  for (let round = 0; round < 2000 && taken === 0; round++) {
    for (const name of await readdir(join(folder, 'data/aa'))) {
      if (!name.includes('-tmp-')) continue
      await rm(join(folder, 'data/aa', name))
      taken++
    }
  }
  await saving
  assert.equal(taken, 1)
  assert.equal((await loadAll(backend, { type: 'pack', name: id('a') })).length, body.length)
})
