import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { findDueCopies, verifyProject } from '#usecases'
import { getVault } from '#model'
import { needs } from '../needs.ts'
import { CleanupScene } from './scene.ts'

const never = new AbortController().signal

suite('a clean-up', { skip: needs('restic'), concurrency: 1 }, () => {
  test('removes just what the plan says, frees the space, and leaves a repository that restic checks clean', async () => {
    await using scene = await CleanupScene.make('keep: { local: { last: 3 } }')
    const ids: string[] = []
    for (let day = 1; day <= 6; day++) ids.push(await scene.at(`2026-11-0${day}T03:00`).run())

    const plan = await scene.clean({ dryRun: true })
    assert.equal(plan.status, 'planned')
    assert.deepEqual(goes(plan), ids.slice(0, 3).toReversed())
    assert.deepEqual(plan.snapshots[0]!.reasons, ['last 1 of 3', 'newest'])
    assert.ok(plan.freedBytes! > 3000, `${plan.freedBytes}`)
    assert.equal(scene.lying('local').length, 6)
    assert.deepEqual(await scene.services.catalog.cleanups.list(), [])

    const done = await scene.clean({ mode: 'asked' })
    assert.deepEqual([done.status, done.removed.toSorted()], ['complete', ids.slice(0, 3).toSorted()])
    assert.ok(done.freedBytes! > 3000)
    assert.deepEqual(scene.lying('local'), ids.slice(3).toSorted())
    assert.match(await scene.restic('local', 'check', '--read-data'), /no errors were found/)
    const { catalog } = scene.services
    assert.equal((await catalog.snapshots.list({ project: 'shop' })).length, 3)
    const [record] = await catalog.cleanups.list()
    assert.deepEqual([record!.status, record!.isPruned, record!.mode], ['complete', true, 'asked'])
    const removals = await catalog.cleanups.removals('shop', 'local')
    assert.deepEqual(removals.map(({ snapshot }) => snapshot).toSorted(), ids.slice(0, 3).toSorted())
    const log = (await catalog.log.latest({ limit: 9 })).filter(({ kind }) => kind === 'cleanup')
    assert.match(log[0]!.text, /^Clean-up of local by .+@.+ \(asked\): 3 backups go, [0-9a-f]{8}, /)
    assert.match(log[1]!.text, /^Clean-up of local complete, 3 removed, .* freed$/)

    assert.equal(await scene.stops({ mode: 'asked' }), 'complete, 0 went')
    assert.equal((await scene.services.catalog.cleanups.list()).length, 2)
    assert.equal(await scene.run().then((id) => scene.lying('local').includes(id)), true)
  })

  test('ends what a killed one has begun', async () => {
    await using scene = await CleanupScene.make('keep: { local: { last: 1 } }')
    const ids = await scene.at('2026-11-01T03:00').runDaily(3)
    const { catalog, clock } = scene.services
    // what is left when a process is killed behind its first removal
    await catalog.cleanups.begin(
      { id: 'killed', project: 'shop', vault: 'local', mode: 'asked', startedAt: clock.now(), who: 'anna@host' },
      ids.slice(0, 2).map((snapshot) => ({ snapshot, time: 0 })),
    )
    await scene.restic('local', 'forget', ids[0]!)

    const { status, removed } = await scene.clean({ mode: 'asked' })
    assert.deepEqual([status, removed], ['complete', [ids[1]]])
    assert.match(await scene.restic('local', 'check', '--read-data'), /no errors were found/)

    // the same behind its last removal: nothing goes, and what it has left is freed
    await catalog.cleanups.begin(
      { id: 'again', project: 'shop', vault: 'local', mode: 'asked', startedAt: clock.now(), who: 'anna@host' },
      [],
    )
    await scene.later({ days: 1 }).run()
    await scene.restic('local', 'forget', ids[2]!)
    const again = await scene.clean()
    assert.deepEqual([again.status, again.removed], ['complete', []])
    assert.ok(again.freedBytes! > 1000, `${again.freedBytes}`)
  })

  test('in a vault of copies is not undone by the next copy', async () => {
    await using scene = await CleanupScene.make('copies: [{ to: disk }]', 'keep: { disk: { last: 2 } }')
    await scene.at('2026-11-01T03:00').runDaily(4)
    await scene.copy('disk')
    assert.equal(await scene.stops({ vaults: ['disk'], mode: 'asked' }), 'complete, 2 went')
    assert.deepEqual(await findDueCopies(scene.services, scene.project), [])
    await scene.later({ days: 1 }).run()
    assert.deepEqual([scene.lying('local').length, scene.lying('disk').length], [5, 3])
  })

  test('removes nothing of ours for the forged snapshots of somebody with the password', async () => {
    await using scene = await CleanupScene.make('keep: { local: { last: 4 } }')
    const ids = await scene.at('2026-11-01T03:00').runDaily(5)
    assert.equal(await scene.stops({ mode: 'asked' }), 'complete, 1 went')
    {
      await using repository = await scene.openRepository()
      const { snapshot } = await repository.findSnapshot(ids[4]!)
      for (let day = 0; day < 10; day++) {
        // with the names of our own runs, and times from long ago to far ahead
        const time = new Date(scene.now + (day - 3) * 86_400_000).toISOString()
        await repository.saveSnapshot({ ...snapshot, time, original: ids[day % 5]! })
      }
    }
    // the one that claims to be older than the four of ours goes
    assert.equal(await scene.stops(), 'complete, 1 went')
    assert.deepEqual(
      ids.slice(1).filter((id) => !scene.lying('local').includes(id)),
      [],
    )
    await scene.later({ days: 1 }).run()
    await scene.later({ days: 3 }).run()
    const { snapshots } = await scene.clean({ dryRun: true })
    const ours = snapshots.filter(({ id, reasons }) => ids.includes(id) && reasons.length > 0)
    assert.deepEqual(ours.map(({ id }) => id).toSorted(), ids.slice(3).toSorted())
  })
})

suite('what stops a clean-up', { concurrency: 1 }, () => {
  test('damage that nobody has seen mended, in any of its vaults', async () => {
    await using scene = await CleanupScene.make('copies: [{ to: disk }]', 'keep: { local: { last: 1 } }')
    await scene.at('2026-11-01T03:00').runDaily(2)
    await scene.copy('disk')
    const { catalog } = scene.services
    const verified = async (status: 'sound' | 'damaged', more: object): Promise<void> => {
      const at = { startedAt: scene.now, endedAt: scene.now, bytesRead: 1, findings: [], who: 'anna@host' }
      const about = { id: `${scene.now}`, project: 'shop', vault: 'disk', share: 1, status }
      await catalog.verifications.add({ ...about, ...at, ...more })
      scene.later({ seconds: 1 })
    }
    await verified('damaged', { share: 3 / 28, slices: [3, 4, 5] })
    assert.equal(await scene.stops({ mode: 'asked' }), 'damaged')
    await verified('sound', { share: 1 / 28, slices: [4] })
    await verified('sound', { share: 0.5 })
    assert.equal(await scene.stops({ mode: 'asked' }), 'damaged')
    await verified('sound', { share: 2 / 28, slices: [3, 5] })
    assert.equal(await scene.stops({ mode: 'asked' }), 'complete, 1 went')
    await verified('damaged', {})
    await scene.later({ hours: 1 }).run()
    assert.equal(await scene.stops({ mode: 'asked' }), 'damaged')
    const vault = getVault(scene.services.configuration, 'disk')
    assert.equal(
      (await verifyProject(scene.services, { project: scene.project, vault, read: { share: 1 } }, never)).status,
      'sound',
    )
    assert.equal(await scene.stops({ mode: 'asked' }), 'complete, 1 went')
  })

  test('more than the calendar has brought, unless a person says yes', async () => {
    await using scene = await CleanupScene.make('keep: { local: { within: 20 days } }')
    await scene.at('2026-11-01T03:00').runDaily(8)
    assert.equal(await scene.stops(), 'complete, 0 went')
    await using stricter = await scene.reconfigured('keep: { local: { last: 4 } }')
    assert.equal(await stricter.stops(), 'much')
    assert.equal(await stricter.stops({ mode: 'asked' }), 'complete, 4 went')
    // from then on as much goes as comes
    await stricter.later({ hours: 2 }).runDaily(6)
    assert.equal(await stricter.stops(), 'complete, 6 went')
  })

  test('a clock that went back, and one that went on without a sign of life', async () => {
    await using scene = await CleanupScene.make('keep: { local: { last: 1 } }')
    await scene.at('2026-11-10T03:00').runDaily(2)
    assert.equal(await scene.stops(), 'complete, 1 went')
    await scene.later({ days: 1 }).run()
    const noon = scene.now + 9 * 3_600_000
    scene.now -= 2 * 3_600_000
    assert.equal(await scene.stops(), 'complete, 0 went') // because the newest is after now
    await scene.run()
    // put right, what happened meanwhile is not forgotten
    scene.now = noon
    assert.equal(await scene.stops(), 'clock')
    assert.equal(await scene.stops({ mode: 'asked' }), 'clock')
    assert.equal(await scene.stops({ mode: 'asked', isClockRight: true }), 'complete, 1 went')

    await scene.later({ days: 30 }).run()
    assert.equal(await scene.stops(), 'clock')
    const { stops } = await scene.clean({ dryRun: true })
    assert.match(stops[0]!.text, /went from 2026-11-12 .* to 2026-12-12 .* without a sign of life/)
    assert.match(await scene.stops({ isClockRight: true }), /^complete, 2 went/)
    await scene.runDaily(4)
    assert.equal(await scene.stops(), 'complete, 4 went')
  })
})

function goes({ snapshots }: { snapshots: readonly { id: string; reasons: readonly string[] }[] }): string[] {
  return snapshots.flatMap(({ id, reasons }) => (reasons.length === 0 ? [id] : []))
}
