import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { openCatalog, type Catalog } from '#catalog'
import { parseSchedule, type Configuration, type CopyRecord, type Project } from '#model'
import { findDueCopies } from './due-copies.ts'

const configuration: Configuration = {
  file: '/bewaar.yaml',
  files: ['/bewaar.yaml'],
  timezone: 'Europe/Amsterdam',
  language: 'en',
  state: '/state',
  catalog: { kind: 'sqlite' },
  vaults: [],
  projects: [],
  notify: {},
  serve: { atOnce: 2 },
}

const project: Project = {
  name: 'shop',
  title: 'Shop',
  type: 'generic',
  path: '/srv/shop',
  criticality: 'medium',
  schedule: parseSchedule('daily 03:00'),
  leaveOut: [],
  vault: 'near',
  copies: [{ to: 'after' }, { to: 'weekly', schedule: parseSchedule('weekly sunday 05:00') }],
  keep: new Map(),
  restore: {},
  paused: false,
}

/** The days of January 2026, whose 4th, 11th and 18th are Sundays: noon there. */
function day(number: number): number {
  return Date.UTC(2026, 0, number, 11)
}

interface Scene extends AsyncDisposable {
  readonly catalog: Catalog
  dueOn(now: number): Promise<string>
  copied(to: string, startedAt: number, more?: Partial<CopyRecord>): Promise<void>
  snapshot(vault: string, id: string, time: number): Promise<void>
}

async function makeScene(): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'bewaar-due-'))
  const catalog = await openCatalog(join(folder, 'catalog.sqlite'), { purpose: 'write' })
  let made = 0
  return {
    catalog,
    dueOn: async (now) => {
      const clock = { now: () => now, monotonic: () => 0 }
      return (await findDueCopies({ catalog, clock, configuration }, project)).join(' ')
    },
    copied: async (to, startedAt, more) => {
      const copy = { id: String(made++), project: 'shop', from: 'near', to, startedAt, ...more }
      await catalog.copies.begin(copy)
      const outcome = { status: 'complete', endedAt: startedAt, snapshots: 1, bytesAdded: 1, findings: [] } as const
      await catalog.copies.end(copy, { ...outcome, ...more })
    },
    snapshot: async (vault, id, time) => {
      await catalog.snapshots.record({ vault, project: 'shop', id, time, bytes: 1, files: 1, run: `run ${time}` })
    },
    [Symbol.asyncDispose]: async () => {
      await catalog[Symbol.asyncDispose]()
      await rm(folder, { recursive: true })
    },
  }
}

test('a copy with a schedule is due from its slot on until it was completed', async () => {
  await using scene = await makeScene()
  assert.equal(await scene.dueOn(day(5)), 'weekly')
  await scene.copied('weekly', day(5))
  assert.equal(await scene.dueOn(day(10)), '')
  assert.equal(await scene.dueOn(Date.UTC(2026, 0, 11, 3, 59)), '')
  assert.equal(await scene.dueOn(Date.UTC(2026, 0, 11, 4)), 'weekly')
  for (const status of ['failed', 'cancelled'] as const) await scene.copied('weekly', day(12), { status })
  assert.equal(await scene.dueOn(day(13)), 'weekly')
  await scene.copied('weekly', day(13), { from: 'after' })
  assert.equal(await scene.dueOn(day(13)), 'weekly', 'a copy from another vault may lack something')
  await scene.copied('weekly', day(13))
  assert.equal(await scene.dueOn(day(17)), '')
})

test('a copy after each run is due when the last one failed, or the vault lacks a snapshot', async () => {
  await using scene = await makeScene()
  await scene.copied('weekly', day(12))
  assert.equal(await scene.dueOn(day(12)), '')
  await scene.snapshot('near', 'a', day(12))
  assert.equal(await scene.dueOn(day(12)), 'after')
  await scene.copied('after', day(12))
  assert.equal(await scene.dueOn(day(12)), 'after')
  await scene.snapshot('after', 'b', day(12))
  assert.equal(await scene.dueOn(day(12)), '')
  await scene.copied('after', day(13), { status: 'failed' })
  assert.equal(await scene.dueOn(day(13)), 'after')
})

test('what is being copied already, or will be when a run ends, is not due', async () => {
  await using scene = await makeScene()
  await scene.snapshot('near', 'a', day(12))
  assert.equal(await scene.dueOn(day(12)), 'after weekly')
  const copy = { id: 'x', project: 'shop', from: 'near', to: 'weekly', startedAt: day(12) }
  await scene.catalog.copies.begin(copy)
  assert.equal(await scene.dueOn(day(12)), 'after')
  await scene.catalog.runs.begin({ id: 'r', project: 'shop', vault: 'near', startedAt: day(12), who: 'x' })
  assert.equal(await scene.dueOn(day(12)), '')
})
