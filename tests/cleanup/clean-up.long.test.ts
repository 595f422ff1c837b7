import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'

import { addHold, cleanUp, liftHold, type CleanupRequest } from '#usecases'
import type { CleanupMode } from '#model'
import { needs } from '../needs.ts'
import { CleanupScene } from './scene.ts'

const never = new AbortController().signal

suite('a clean-up', { skip: needs('restic'), concurrency: 1 }, () => {
  test('of one vault that cannot be cleaned up keeps no other from being', async () => {
    await using scene = await CleanupScene.make(
      'copies: [{ to: disk }]',
      'keep: { local: { last: 1 }, disk: { last: 1 } }',
    )
    await scene.at('2026-11-01T03:00').runDaily(3)
    await scene.copy('disk')
    await using repository = await scene.openRepository()
    {
      await using _ = await repository.lock('shared')
      const { vaults } = await cleanUp(scene.services, { project: scene.project, mode: 'asked', dryRun: false }, never)
      assert.deepEqual(
        vaults.map(({ vault, status, error }) => [vault, status, error?.code]),
        [
          ['local', 'failed', 'repository.locked'],
          ['disk', 'complete', undefined],
        ],
      )
    }
    assert.deepEqual([scene.lying('local').length, scene.lying('disk').length], [3, 1])
    assert.equal(await scene.stops({ mode: 'asked' }), 'complete, 2 went')
  })

  test('waits for the copies of what would go', async () => {
    await using scene = await CleanupScene.make(
      'copies: [{ to: disk, schedule: weekly sunday 06:00 }]',
      'keep: { local: { last: 1 } }',
    )
    await scene.at('2026-11-01T03:00').runDaily(3)
    const plan = await scene.clean({ dryRun: true })
    assert.deepEqual(plan.snapshots[1]!.reasons, ['not copied to disk yet'])
    assert.equal(await scene.stops({ mode: 'asked' }), 'complete, 0 went')
    assert.equal(await scene.copy('disk'), 3)
    assert.equal(await scene.stops({ mode: 'asked' }), 'complete, 2 went')
  })

  test('counts copies at the time of their runs, all of a week that came at once', async () => {
    await using scene = await CleanupScene.make(
      'copies: [{ to: disk, schedule: weekly sunday 06:00 }]',
      'keep: { disk: { daily: 4 } }',
    )
    const ids = await scene.at('2026-11-02T03:00').runDaily(7)
    await scene.copy('disk')
    assert.equal(await scene.stops({ vaults: ['disk'], mode: 'asked' }), 'complete, 3 went')
    const times = JSON.parse(await scene.restic('disk', 'snapshots', '--json')) as { time: string; original: string }[]
    assert.deepEqual(times.map(({ original }) => original).toSorted(), ids.slice(3).toSorted())
  })

  test('keeps what a hold is about, until it is lifted', async () => {
    await using scene = await CleanupScene.make(
      'copies: [{ to: disk }]',
      'keep: { local: { last: 1 }, disk: { last: 1 } }',
    )
    const ids = await scene.at('2026-11-01T03:00').runDaily(3)
    await scene.copy('disk')
    const about = { project: scene.project, snapshot: ids[0]!.slice(0, 8), reason: 'audit 2026' }
    const hold = await addHold(scene.services, about, never)
    assert.equal(await scene.stops({ mode: 'asked' }), 'complete, 1 went')
    assert.equal(await scene.stops({ mode: 'asked', vaults: ['disk'] }), 'complete, 1 went')
    const { snapshots } = await scene.clean({ dryRun: true, vaults: ['disk'] })
    assert.deepEqual(snapshots[1]!.reasons, ['hold: audit 2026'])

    await liftHold(scene.services, { id: hold.id, reason: 'closed' })
    assert.equal(await scene.stops({ mode: 'asked' }), 'complete, 1 went')
    assert.deepEqual(scene.lying('local'), [ids[2]])
    await assert.rejects(liftHold(scene.services, { id: hold.id, reason: 'again' }), { code: 'hold.lifted' })
    await assert.rejects(liftHold(scene.services, { id: 'h-000000', reason: 'again' }), { code: 'hold.missing' })
    await assert.rejects(addHold(scene.services, { ...about, snapshot: 'ffffffff' }, never), {
      code: 'hold.no-snapshot',
    })
    await assert.rejects(addHold(scene.services, { ...about, snapshot: ids[2]!, until: '2026-11-02' }, never), {
      code: 'hold.over',
    })
    const log = await scene.services.catalog.log.latest({ limit: 99 })
    assert.ok(log.some(({ text }) => text.startsWith(`Hold ${hold.id} lifted by `)))
  })

  test('removes only what was seen to go', async () => {
    await using scene = await CleanupScene.make('keep: { local: { last: 2 } }')
    const ids = await scene.at('2026-11-01T03:00').runDaily(3)
    const plan = await scene.clean({ dryRun: true })
    await scene.later({ days: 1 }).run()
    const seen = { project: 'shop', vaults: [plan] }
    assert.deepEqual((await scene.clean({ mode: 'asked', seen })).removed, [ids[0]])
    assert.equal(scene.lying('local').length, 3)
  })
})

suite('an archive', { skip: needs('restic'), concurrency: 1 }, () => {
  const archived = ['copies: [{ to: archive }]', 'keep: { archive: { for: 2 years, prune: never } }']

  test('loses nothing by any mode but that of the archive, and nothing in term by that either', async () => {
    await using scene = await CleanupScene.make(...archived)
    await scene.at('2024-11-01T03:00').runDaily(2)
    await scene.at('2026-11-01T03:00').run()
    const requests: Partial<CleanupRequest>[] = (['automatic', 'asked'] as const).flatMap((mode: CleanupMode) =>
      [true, false].flatMap((dryRun) => [true, false].map((isClockRight) => ({ mode, dryRun, isClockRight }))),
    )
    const vaults = ['archive']
    for (const wall of ['2026-12-31T03:00', '2027-01-01T03:00', '2039-01-01T03:00']) {
      await scene.at(wall).run()
      const before = scene.lying('archive')
      for (const request of requests) {
        const { removed, snapshots } = await scene.clean({ ...request, vaults })
        assert.deepEqual(removed, [])
        assert.ok(snapshots.every(({ reasons }) => reasons.length > 0))
      }
      assert.deepEqual(scene.lying('archive'), before)
    }
  })

  test('is cleaned up of what is past its term when a person asks for it, and the newest stays', async () => {
    await using scene = await CleanupScene.make(...archived)
    await scene.at('2024-11-01T03:00').runDaily(2)
    await scene.at('2026-12-31T03:00').run()
    const asked = { vaults: ['archive'], mode: 'archive', isClockRight: true } as const
    assert.equal(await scene.stops(asked), 'complete, 0 went')
    await scene.at('2027-01-01T03:00').run()
    assert.deepEqual(goes(await scene.clean({ ...asked, dryRun: true })).length, 2)
    assert.equal(await scene.stops(asked), 'complete, 2 went')
    assert.match(await scene.restic('archive', 'check', '--read-data'), /no errors were found/)
    const log = await scene.services.catalog.log.latest({ limit: 9 })
    assert.ok(log.some(({ text }) => / by .+@.+ \(archive\): 2 backups go/.test(text)))
    await assert.rejects(scene.clean({ mode: 'archive', vaults: ['local'] }), { code: 'cleanup.no-archive' })
  })
})

suite('what stops a clean-up', { skip: needs('restic'), concurrency: 1 }, () => {
  test('a newest backup that is too old, here or where runs write to', async () => {
    await using scene = await CleanupScene.make(
      'copies: [{ to: disk }]',
      'keep: { local: { last: 1 }, disk: { last: 1 } }',
    )
    await scene.at('2026-11-01T03:00').runDaily(2)
    await scene.copy('disk')
    for (const vaults of [['local'], ['disk']]) {
      scene.at('2026-11-03T04:30')
      assert.match(await scene.stops({ vaults }), /^late/)
      assert.match(await scene.stops({ vaults, mode: 'asked' }), /^late/)
      scene.at('2026-11-03T03:30')
      assert.equal(await scene.stops({ vaults, mode: 'asked' }), 'complete, 1 went')
    }
  })

  test('foreign backups make no project that is late look well', async () => {
    await using scene = await CleanupScene.make('keep: { local: { within: 1 day } }')
    await scene.at('2026-11-01T03:00').runDaily(2)
    scene.at('2026-11-05T03:00')
    await scene.restic('local', 'backup', join(scene.folder, 'shop'))
    assert.equal(await scene.stops(), 'late')
    await scene.run()
    assert.equal(await scene.stops(), 'complete, 2 went')
  })

  test('is said in the log', async () => {
    await using scene = await CleanupScene.make('keep: { local: { last: 1 } }')
    await scene.at('2026-11-01T03:00').runDaily(2)
    scene.later({ days: 3 })
    assert.equal(await scene.stops(), 'late')
    const [entry] = await scene.services.catalog.log.latest({ limit: 1 })
    assert.deepEqual([entry!.kind, entry!.level], ['cleanup', 'warning'])
    assert.match(entry!.text, /^Clean-up of local stopped: the newest backup in local is 72 hours old/)
  })
})

function goes({ snapshots }: { snapshots: readonly { id: string; reasons: readonly string[] }[] }): string[] {
  return snapshots.flatMap(({ id, reasons }) => (reasons.length === 0 ? [id] : []))
}
