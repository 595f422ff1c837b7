import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { openCatalog } from '#catalog'
import { troubleKey } from '#model'
import { acknowledgeIncident, resolveIncident } from '#usecases'
import { hourMs, makeScene, type Scene } from './scene.ts'

const minuteMs = 60_000

async function lateScene(): Promise<Scene> {
  const scene = await makeScene()
  await scene.ran({ ago: 26 * hourMs })
  await scene.copied({ ago: 26 * hourMs })
  return scene
}

suite('watching', () => {
  test('opens an incident when a trouble begins, and resolves it when it is over', async () => {
    await using scene = await lateScene()
    const first = await scene.watch()
    assert.deepEqual(first.opened.map(troubleKey), ['late/shop/local'])
    const { id, lastBackup } = first.opened[0]!
    assert.deepEqual(lastBackup, { at: scene.now - 26 * hourMs, vault: 'local' })
    scene.now += minuteMs
    const second = await scene.watch()
    assert.deepEqual([second.opened, second.changed, second.resolved], [[], [], []])
    assert.equal((await scene.catalog.incidents.get(id)).seenAt, scene.now)
    await scene.ran({ ago: 0, took: 0 })
    await scene.copied({ ago: 0 })
    const third = await scene.watch()
    assert.deepEqual(
      third.resolved.map((one) => one.id),
      [id],
    )
    assert.deepEqual(third.troubles, [])
  })

  test('takes a trouble that comes back within minutes for the same, and later for another', async () => {
    await using scene = await makeScene()
    await scene.isWell()
    const verified = (ago: number, status: 'sound' | 'damaged') => scene.verified({ ago, status })
    await verified(10, 'damaged')
    const [first] = (await scene.watch()).opened
    await verified(9, 'sound')
    assert.equal((await scene.watch()).resolved.length, 1)
    scene.now += 10 * minuteMs
    await verified(8, 'damaged')
    const [again] = (await scene.watch()).opened
    assert.equal(again?.id, first?.id)
    assert.deepEqual(
      again?.timeline.map(({ what }) => what),
      ['opened', 'resolved', 'reopened'],
    )
    await verified(7, 'sound')
    await scene.watch()
    scene.now += 16 * minuteMs
    await verified(6, 'damaged')
    assert.notEqual((await scene.watch()).opened[0]?.id, first?.id)
  })

  test('awaits the first backup of what was just added for an hour', async () => {
    await using scene = await makeScene()
    assert.deepEqual((await scene.watch()).troubles, [])
    scene.now += hourMs
    assert.deepEqual((await scene.watch()).troubles, [])
    scene.now += 1
    assert.deepEqual((await scene.watch()).opened.map(troubleKey), ['late/shop/local'])
    scene.add('blog')
    assert.deepEqual((await scene.watch()).opened, [])
  })

  test('resolves what a project left behind that is gone from the configuration', async () => {
    await using scene = await lateScene()
    await scene.watch()
    scene.projects = []
    assert.equal((await scene.watch()).resolved.length, 1)
  })

  test('ends nothing by a clock that was put back', async () => {
    await using scene = await lateScene()
    await scene.logged(scene.now)
    await scene.watch()
    scene.now -= 5 * hourMs
    const { opened, resolved } = await scene.watch()
    assert.deepEqual([opened.map(troubleKey), resolved], [['clock//'], []])
    scene.now += 5 * hourMs
    assert.deepEqual((await scene.watch()).resolved.map(troubleKey), ['clock//'])
  })

  test('sees a run whose process was killed', async () => {
    await using scene = await makeScene()
    await scene.isWell()
    const gone = spawn(process.execPath, ['--version'])
    await once(gone, 'close')
    await scene.ran({ ago: hourMs, status: 'running' })
    const { DatabaseSync } = await import('node:sqlite')
    {
      using database = new DatabaseSync(scene.catalog.file)
      const row = database.prepare("select process from run where status = 'running'").get() as { process: string }
      const [host, boot] = JSON.parse(row.process) as string[]
      const mark = JSON.stringify([host, boot, gone.pid, '1'])
      database.prepare("update run set process = ? where status = 'running'").run(mark)
    }
    const { opened } = await scene.watch()
    assert.deepEqual(
      opened.map((one) => [troubleKey(one), one.text]),
      [['failed/shop/', 'the last run made no backup: The process of this run was killed, or the machine stopped']],
    )
  })
})

suite('an incident', () => {
  const deed = { note: 'a new disk comes' }

  test('that is acknowledged stays so until it changes', async () => {
    await using scene = await lateScene()
    const [{ id } = assert.fail()] = (await scene.watch()).opened
    const acknowledged = await acknowledgeIncident(scene.services, { id, ...deed })
    assert.deepEqual(
      [acknowledged.acknowledgedBy, acknowledged.timeline.at(-1)?.text],
      ['anna@web1', 'a new disk comes'],
    )
    scene.now += 50 * hourMs
    await scene.watch()
    assert.equal((await scene.catalog.incidents.get(id)).acknowledgedBy, 'anna@web1', 'it only became older')
    scene.change({ criticality: 'critical' })
    const { changed } = await scene.watch()
    assert.deepEqual(
      changed.map(({ acknowledgedAt, criticality }) => [acknowledgedAt, criticality]),
      [[undefined, 'critical']],
    )
  })

  test('is not ended by a person while its trouble lasts, but by force', async () => {
    await using scene = await lateScene()
    const [{ id } = assert.fail()] = (await scene.watch()).opened
    const request = { id, note: 'done', force: false }
    await assert.rejects(resolveIncident(scene.services, request), { code: 'incident.lasts' })
    const resolved = await resolveIncident(scene.services, { ...request, force: true })
    assert.equal(resolved.resolvedBy, 'anna@web1')
    await assert.rejects(resolveIncident(scene.services, request), { code: 'incident.over' })
    await assert.rejects(acknowledgeIncident(scene.services, { id }), { code: 'incident.over' })
    await assert.rejects(acknowledgeIncident(scene.services, { id: 'i-000000' }), { code: 'incident.missing' })
    const [{ id: next } = assert.fail()] = (await scene.watch()).opened
    assert.notEqual(next, id)
    await scene.ran({ ago: 0 })
    await scene.copied({ ago: 0 })
    assert.equal((await resolveIncident(scene.services, { ...request, id: next })).resolvedBy, 'anna@web1')
  })

  test('is listed, shown, acknowledged and ended by commands', async () => {
    await using scene = await lateScene()
    assert.equal((await scene.askCommand('incident')).out, 'No incident is open.\n')
    const [{ id } = assert.fail()] = (await scene.watch()).opened
    const listed = await scene.askCommand('incident', 'list')
    assert.equal(
      listed.out,
      [
        'ID        TROUBLE  ABOUT          CRITICALITY  SINCE             STATE  TEXT',
        `${id}  late     shop in local  high         2026-11-18 13:00  open   its newest backup is 26 hours old, and may be 25 hours`,
        '',
      ].join('\n'),
    )
    const acknowledged = await scene.askCommand('incident', 'ack', id.slice(2), '--note=I look')
    assert.equal(acknowledged.code, 0)
    const shown = await scene.askCommand('incident', 'show', id)
    assert.equal(
      shown.out,
      [
        `${id}: late: shop in local: its newest backup is 26 hours old, and may be 25 hours`,
        '  criticality  high',
        '  state        acknowledged by anna@web1',
        '  last backup  2026-11-17 11:00:00 in local',
        '  what to do   Run `bewaar run --project=shop`, and see that something runs it on time.',
        '',
        '  2026-11-18 13:00:00  opened        its newest backup is 26 hours old, and may be 25 hours',
        '  2026-11-18 13:00:00  acknowledged  anna@web1: I look',
        '',
      ].join('\n'),
    )
    const json = JSON.parse((await scene.askCommand('incident', 'show', id, '--json')).out) as Record<string, unknown>
    assert.deepEqual(
      [json['trouble'], json['state'], json['opened'], json['lastBackup']],
      ['late', 'acknowledged', '2026-11-18T12:00:00.000Z', { time: '2026-11-17T10:00:00.000Z', vault: 'local' }],
    )
    assert.equal((await scene.askCommand('incident', 'resolve', id)).code, 2)
    assert.equal((await scene.askCommand('incident', 'resolve', id, '--note=x')).code, 1)
    assert.equal((await scene.askCommand('incident', 'show', 'nothing')).code, 2)
    assert.equal((await scene.askCommand('incident', 'show', 'i-000000')).code, 1)
    assert.equal((await scene.askCommand('incident', 'resolve', id, '--note=x', '--force')).code, 0)
    assert.match((await scene.askCommand('incident', 'list', '--all', '--project=shop')).out, / over {3}its newest/)
    assert.deepEqual((await scene.askCommand('incident', 'list', '--all', '--project=blog', '--json')).said, [])
  })
})

test('two that watch at once, and are killed, open no trouble twice and lose none', { timeout: 60_000 }, async () => {
  await using scene = await makeScene()
  const file = `${scene.folder}/shared/catalog.sqlite`
  const looker = fileURLToPath(new URL('./looker.ts', import.meta.url))
  const told: string[] = []
  for (let round = 0; round < 2; round++) {
    const lookers = [1, 2].map((number) => lookAndKill(looker, file, 4 * number + 2 * round))
    told.push(...(await Promise.all(lookers)).flat())
  }
  await using catalog = await openCatalog(file, { purpose: 'write' })
  const incidents = await catalog.incidents.list()
  const known = new Map(incidents.map((incident) => [incident.id, incident]))
  for (const word of told.flatMap((line) => (line === '-' ? [] : line.split(',')))) {
    const [what, id = ''] = word.split(' ')
    const states = known.get(id)?.timeline.map((event) => event.what) ?? []
    assert.ok(what === 'resolved' ? states.includes('resolved') : states.length > 0, word)
  }
  assert.ok(incidents.length >= 3)
  const open = incidents.filter(({ resolvedAt }) => resolvedAt === undefined).map(troubleKey)
  assert.equal(new Set(open).size, open.length)
  for (const { timeline } of incidents) {
    // because each has days of its own, one may see what is over for the other
    const states = timeline.map(({ what }) => what).filter((what) => what !== 'changed')
    assert.match(states.join(' '), /^opened( resolved reopened)*( resolved)?$/)
  }
})

async function lookAndKill(looker: string, file: string, looks: number): Promise<string[]> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', looker, file])
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
