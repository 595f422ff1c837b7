import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'

import type { Place } from './place.ts'
import { backedUpShop, shopPlace } from './shop.ts'

type Document = Record<string, unknown>

/** Standard output of a command that is done, as the one document that it must be. */
async function documentOf(place: Place, ...args: readonly string[]): Promise<unknown> {
  const { code, out, err } = await place.bewaar(...args, '--json')
  assert.deepEqual({ code, err }, { code: 0, err: '' }, args.join(' '))
  assert.ok(out.endsWith('\n'))
  return JSON.parse(out)
}

async function listOf(place: Place, ...args: readonly string[]): Promise<readonly Document[]> {
  const document = await documentOf(place, ...args)
  assert.ok(Array.isArray(document))
  return document as Document[]
}

const id = /^[0-9a-f]{64}$/
const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const runId = /^\d{8}t\d{6}z-[0-9a-f]{6}$/

function assertNumbers(document: Document, ...keys: readonly string[]): void {
  for (const key of keys) assert.ok(Number.isFinite(document[key]) && Number(document[key]) >= 0, key)
}

describe('with --json each result is one document of a form that stays', { concurrency: 2 }, () => {
  let place: Place
  before(async () => {
    place = await backedUpShop()
  })
  after(() => place[Symbol.asyncDispose]())

  test('init', async () => {
    await using fresh = await shopPlace()
    for (const state of ['created', 'present']) {
      const repositories = await listOf(fresh, 'init')
      assert.deepEqual(repositories, [
        { project: 'shop', vault: 'hot', place: fresh.at('hot/shop'), state, snapshots: 0 },
        { project: 'shop', vault: 'archive', place: fresh.at('archive/shop'), state, snapshots: 0 },
      ])
    }
  })

  test('run', async () => {
    await using own = await place.copy()
    await writeFile(own.at('bewaar.yaml'), (await configurationOf(own)).replace(', schedule: weekly sunday 06:00', ''))
    const [run] = await listOf(own, 'run')
    assert.deepEqual(Object.keys(run!), [
      'project',
      'run',
      'status',
      'snapshot',
      'started',
      'seconds',
      'bytes',
      'bytesRead',
      'bytesAdded',
      'files',
      'artifacts',
      'copies',
      'findings',
    ])
    assert.deepEqual([run!['project'], run!['status'], run!['findings']], ['shop', 'complete', []])
    assert.match(String(run!['run']), runId)
    assert.match(String(run!['snapshot']), id)
    assert.match(String(run!['started']), instant)
    assertNumbers(run!, 'seconds', 'bytes', 'bytesRead', 'bytesAdded', 'files')
    assert.deepEqual(run!['copies'], [{ vault: 'archive', status: 'complete' }])
    const artifacts = run!['artifacts'] as readonly Document[]
    const database = artifacts.find(({ path }) => path === 'files/data/shop.sqlite')
    assert.deepEqual(Object.keys(database!), ['path', 'kind', 'bytes', 'sha256', 'rows', 'facts'])
    assert.deepEqual([database!['kind'], database!['rows']], ['sqlite', { product: 2 }])
    assert.match(String(database!['sha256']), id)
  })

  test('run --dry-run', async () => {
    const [plan] = await listOf(place, 'run', '--dry-run')
    const keys = ['project', 'type', 'path', 'vault', 'copies', 'takes', 'leavesOut', 'findings']
    assert.deepEqual(Object.keys(plan!), keys)
    assert.deepEqual([plan!['project'], plan!['vault'], plan!['copies']], ['shop', 'hot', ['archive']])
  })

  test('list', async () => {
    const backups = await listOf(place, 'list')
    const sizes = ['time', 'bytes', 'files', 'added', 'run', 'verified', 'tested']
    for (const backup of backups) {
      assert.deepEqual(Object.keys(backup), ['project', 'vault', 'snapshot', 'kind', 'restore', ...sizes])
      assert.deepEqual([backup['kind'], backup['restore']], ['backup', null])
      assert.match(String(backup['snapshot']), id)
      assert.match(String(backup['time']), instant)
      assert.match(String(backup['run']), runId)
      assertNumbers(backup, 'bytes', 'files', 'added')
    }
    assert.deepEqual(
      backups.map(({ project, vault, tested }) => [project, vault, tested]),
      [
        ['shop', 'hot', null],
        ['shop', 'archive', null],
      ],
    )
  })

  test('verify, after which list says when', async () => {
    await using own = await place.copy()
    const verification = (await documentOf(own, 'verify')) as Document
    assert.deepEqual(Object.keys(verification), ['status', 'findings', 'bytesRead'])
    assert.deepEqual([verification['status'], verification['findings']], ['sound', []])
    assertNumbers(verification, 'bytesRead')
    for (const { verified } of await listOf(own, 'list')) assert.match(String(verified), instant)
  })

  test('verify of a damaged vault is a result with exit code 4, and each finding says where', async () => {
    await using own = await place.copy()
    const script =
      'set -e; cd hot/shop/data; for pack in */*; do chmod 600 $pack; printf X | dd of=$pack bs=1 seek=40 conv=notrunc status=none; done'
    assert.equal((await own.run('sh', ['-c', script]).ended).code, 0)
    const { code, out, err } = await own.bewaar('verify', '--json')
    assert.deepEqual([code, err], [4, ''])
    const { status, findings } = JSON.parse(out) as { status: string; findings: readonly Document[] }
    assert.equal(status, 'damaged')
    assert.ok(findings.length > 0)
    for (const finding of findings) {
      assert.deepEqual(Object.keys(finding).toSorted(), ['project', 'severity', 'subject', 'text', 'vault'])
      assert.deepEqual([finding['vault'], finding['project']], ['hot', 'shop'])
    }
  })

  test('copy', async () => {
    const [{ seconds, ...copy } = {}] = await listOf(place, 'copy')
    assert.equal(typeof seconds, 'number')
    const about = { project: 'shop', from: 'hot', vault: 'archive' }
    const nothing = { snapshots: 0, bytesAdded: 0, verified: 1, findings: [] }
    assert.deepEqual(copy, { ...about, status: 'complete', ...nothing })
    const [plan] = await listOf(place, 'copy', '--dry-run')
    assert.deepEqual(plan, { ...about, snapshots: [], present: 1, bytes: 0, findings: [] })
    assert.deepEqual(await listOf(place, 'copy', '--due'), [])
  })

  test('restore, planned and performed', async () => {
    await using own = await place.copy()
    const args = ['restore', '--project=shop', '--to=out']
    const plan = (await documentOf(own, ...args, '--dry-run')) as Document
    const report = (await documentOf(own, ...args)) as Document
    const planned = [
      'vault',
      'because',
      'project',
      'snapshot',
      'inPlace',
      'databases',
      'tables',
      'commands',
      'removals',
      'standing',
      'steps',
      'overwrites',
      'examples',
      'findings',
      'git',
      'time',
      'performed',
    ]
    const performed = ['restore', 'status', 'files', 'bytes', 'rows', 'seconds', 'kept']
    assert.deepEqual(Object.keys(plan).toSorted(), planned.toSorted())
    assert.deepEqual(Object.keys(report).toSorted(), [...planned, ...performed].toSorted())
    assert.deepEqual([plan['performed'], report['performed'], report['status']], [false, true, 'complete'])
    assert.match(String(plan['snapshot']), id)
    assert.match(String(plan['time']), instant)
    const [step] = plan['steps'] as readonly Document[]
    assert.deepEqual(Object.keys(step!), ['what', 'target', 'created', 'overwritten', 'unchanged', 'removed', 'bytes'])
    assert.equal(step!['target'], own.at('out'))
  })

  test('logs and config', async () => {
    const entries = await listOf(place, 'logs')
    for (const entry of entries) {
      assert.match(String(entry['time']), instant)
      assert.ok(['backup', 'copy', 'verify', 'restore', 'init'].includes(String(entry['kind'])))
      assert.ok(['info', 'warning', 'error'].includes(String(entry['level'])))
    }
    assert.ok(entries.some(({ kind, project }) => kind === 'backup' && project === 'shop'))
    const description = JSON.stringify(await documentOf(place, 'config'))
    assert.ok(description.includes('***') && !description.includes('the password'))
  })
})

async function configurationOf(place: Place): Promise<string> {
  return (await place.run('cat', ['bewaar.yaml']).ended).out
}
