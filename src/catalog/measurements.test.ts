import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { openCatalog, type Catalog } from './catalog.ts'

const root = await mkdtemp(join(tmpdir(), 'measurements-'))
after(() => rm(root, { recursive: true }))
let count = 0
const open = (): Promise<Catalog> => openCatalog(join(root, `${count++}.sqlite`), { purpose: 'write' })

test('measurements read back the same, oldest first, those of one vault since a moment', async () => {
  await using catalog = await open()
  const repositories = ['blog', 'shop'].map((project) => ({
    project,
    files: 3,
    bytes: 7_000_000_000_000,
    olderBytes: 2,
  }))
  const one = { vault: 'v', at: 10, repositories, space: { sizeBytes: 100, freeBytes: 0 } }
  const other = { vault: 'v', at: 20, repositories: [] }
  await catalog.measurements.add(other)
  await catalog.measurements.add(one)
  await catalog.measurements.add({ ...one, vault: 'w' })
  assert.deepEqual(await catalog.measurements.list('v', 0), [one, other])
  assert.deepEqual(await catalog.measurements.list('v', 11), [other])
  await catalog.measurements.add({ ...other, repositories })
  assert.deepEqual(await catalog.measurements.list('v', 20), [{ ...other, repositories }])
  assert.deepEqual(await catalog.measurements.list('x', 0), [])
})

test('of the probes of a vault the latest is found', async () => {
  await using catalog = await open()
  const found = { deletes: 'refused', overwrites: 'refused', truncates: 'impossible', left: 5 } as const
  const locked = { ...found, lock: { mode: 'compliance', until: 9 } } as const
  assert.equal(await catalog.probes.latest('v'), undefined)
  await catalog.probes.add({ vault: 'v', at: 2, found: locked })
  await catalog.probes.add({ vault: 'v', at: 1, found })
  await catalog.probes.add({ vault: 'w', at: 3, found })
  assert.deepEqual(await catalog.probes.latest('v'), { vault: 'v', at: 2, found: locked })
})
