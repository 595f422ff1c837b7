import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { planIncidents, type SeenTrouble } from '#model'
import { openCatalog, type Catalog } from './catalog.ts'
import type { SettledIncident } from './incidents.ts'

const folder = await mkdtemp(join(tmpdir(), 'catalog-incidents-'))
after(() => rm(folder, { recursive: true }))
let count = 0

function open(): Promise<Catalog> {
  return openCatalog(join(folder, String(++count), 'catalog.sqlite'), { purpose: 'write' })
}

const late: SeenTrouble = {
  kind: 'late',
  project: 'shop',
  vault: 'local',
  criticality: 'critical',
  text: 'its newest backup is 26 hours old',
  advice: 'Run `bewaar run --project=shop`.',
  lastBackup: { at: 7, vault: 'local' },
}
const full: SeenTrouble = { kind: 'full', vault: 'local', criticality: 'low', text: 'full', advice: 'Make room' }

function look(catalog: Catalog, troubles: readonly SeenTrouble[], now: number): Promise<SettledIncident[]> {
  return catalog.incidents.settle(0, (known) => planIncidents(known, troubles, ['late', 'full'], now), now)
}

test('an incident is stored with its timeline from its opening to its end', async () => {
  await using catalog = await open()
  const [opened] = await look(catalog, [late], 1000)
  const { id } = opened!.incident
  assert.match(id, /^i-[0-9a-f]{6}$/)
  assert.equal(await catalog.incidents.acknowledge(id, { at: 1001, who: 'anna@host', text: 'I look' }), true)
  assert.deepEqual(await look(catalog, [{ ...late, text: 'its newest backup is 27 hours old' }], 1002), [])
  assert.equal((await catalog.incidents.get(id)).acknowledgedBy, 'anna@host')
  const [changed] = await look(catalog, [{ ...late, text: 'it holds no backup' }], 1003)
  assert.deepEqual([changed?.step, changed?.incident.acknowledgedAt], ['change', undefined])
  await catalog.incidents.addEvent(id, { at: 1004, what: 'told', text: 'Told anna' })
  const [resolved] = await look(catalog, [], 1005)
  assert.deepEqual(resolved, {
    step: 'resolve',
    incident: {
      id,
      ...late,
      text: 'it holds no backup',
      openedAt: 1000,
      seenAt: 1003,
      resolvedAt: 1005,
      timeline: [
        { at: 1000, what: 'opened', text: 'its newest backup is 26 hours old' },
        { at: 1001, what: 'acknowledged', text: 'I look', who: 'anna@host' },
        { at: 1003, what: 'changed', text: 'it holds no backup' },
        { at: 1004, what: 'told', text: 'Told anna' },
        { at: 1005, what: 'resolved', text: 'It is over' },
      ],
    },
  })
  const [again] = await look(catalog, [late], 1006)
  assert.deepEqual([again?.step, again?.incident.id, again?.incident.resolvedAt], ['reopen', id, undefined])
  assert.equal(await catalog.incidents.resolve(id, { at: 1007, who: 'anna@host', text: 'Done' }), true)
  assert.equal(await catalog.incidents.resolve(id, { at: 1008, who: 'anna@host', text: 'Done' }), false)
  assert.equal(await catalog.incidents.acknowledge(id, { at: 1008, who: 'anna@host', text: 'I look' }), false)
  assert.equal((await catalog.incidents.find(id))?.timeline.at(-1)?.who, 'anna@host')
})

test('incidents are listed newest first, by what is asked', async () => {
  await using catalog = await open()
  await look(catalog, [late], 1000)
  await look(catalog, [late, full], 2000)
  await look(catalog, [full], 3000)
  const kinds = async (query: Parameters<Catalog['incidents']['list']>[0]): Promise<string> =>
    (await catalog.incidents.list(query)).map(({ kind }) => kind).join(' ')
  assert.equal(await kinds({}), 'full late')
  assert.equal(await kinds({ open: true }), 'full')
  assert.equal(await kinds({ open: false }), 'late')
  assert.equal(await kinds({ project: 'shop' }), 'late')
  assert.equal(await kinds({ since: 3000 }), 'full late')
  assert.equal(await kinds({ since: 3001 }), 'full')
  assert.equal(await kinds({ limit: 1 }), 'full')
})

test('an incident that is not there is said to be missing', async () => {
  await using catalog = await open()
  const event = { at: 1, who: 'anna@host', text: '' }
  assert.equal(await catalog.incidents.find('i-000000'), undefined)
  await assert.rejects(catalog.incidents.get('i-000000'), { code: 'incident.missing' })
  await assert.rejects(catalog.incidents.acknowledge('i-000000', event), { code: 'incident.missing' })
  await assert.rejects(catalog.incidents.resolve('i-000000', event), { code: 'incident.missing' })
  await assert.rejects(catalog.incidents.addEvent('i-000000', { ...event, what: 'told' }), { code: 'incident.missing' })
})

test('a plan that cannot be done to its end leaves nothing', async () => {
  await using catalog = await open()
  const steps = [
    { step: 'open', trouble: late },
    { step: 'open', trouble: late },
  ] as const
  await assert.rejects(catalog.incidents.settle(0, () => steps, 1))
  assert.deepEqual(await catalog.incidents.list(), [])
})

test('processes that look at once, and are killed, open no trouble twice and lose nothing they told', async () => {
  const file = join(folder, 'shared', 'catalog.sqlite')
  const settler = fileURLToPath(new URL('./fixtures/settler.ts', import.meta.url))
  const told: string[] = []
  for (let round = 0; round < 2; round++) {
    const looks = await Promise.all([1, 2].map((number) => watchAndKill(settler, file, 20 * number + round * 7)))
    told.push(...looks.flat())
  }
  await using catalog = await openCatalog(file, { purpose: 'write' })
  const incidents = await catalog.incidents.list()
  assert.ok(incidents.filter(({ resolvedAt }) => resolvedAt === undefined).length <= 1)
  const known = new Set(incidents.map(({ id }) => id))
  for (const line of told) if (line !== '-') assert.ok(known.has(line.split(' ')[1]!), line)
  for (const { timeline, resolvedAt } of incidents) {
    const states = timeline.map(({ what }) => what).filter((what) => what !== 'changed')
    // because the clocks of the two differ, one may see a trouble come back that the other saw end a moment ago
    assert.match(states.join(' '), /^opened( resolved reopened)*( resolved)?$/)
    assert.equal(states.at(-1) === 'resolved', resolvedAt !== undefined)
  }
  using database = new DatabaseSync(file)
  assert.equal(database.prepare('pragma integrity_check').get()?.['integrity_check'], 'ok')
})

async function watchAndKill(settler: string, file: string, looks: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', settler, file])
  const output = { out: '', err: '' }
  child.stdout.on('data', (bytes: Buffer) => (output.out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (output.err += bytes.toString()))
  const closed = once(child, 'close')
  while (output.out.split('\n').length <= looks && child.exitCode === null) await pause(2)
  child.kill('SIGKILL')
  await closed
  assert.equal(output.err, '')
  return output.out.split('\n').slice(0, -1)
}
