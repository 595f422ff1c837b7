import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, test } from 'node:test'

import { sliceCount } from '#model'
import { linesOf, stage } from './scene.ts'

describe('what a daemon does', { concurrency: 2 }, () => {
  test('copies are made on their own schedule, and one that failed is made up', async () => {
    const fields = 'schedule: daily 02:30, vault: local, copies: [{ to: archive, schedule: daily 04:00 }]'
    await using scene = await stage('2026-11-02T02:55:00Z', { shop: fields })
    await scene.init()
    scene.time.at('2026-11-02T02:58:00Z', async () => {
      await rm(join(scene.folder, 'archive'), { recursive: true })
      await writeFile(join(scene.folder, 'archive'), 'a file where the vault should be')
    })
    scene.time.at('2026-11-02T03:07:00Z', async () => {
      await rm(join(scene.folder, 'archive'))
      await scene.init()
    })
    await scene.serveUntil('2026-11-02T12:00:00Z', await scene.daemon(['run', 'copy']))
    await using opened = await scene.open()
    const copies = (await opened.services.catalog.copies.list({ project: 'shop' })).toReversed()
    assert.deepEqual(
      copies.map(({ startedAt, status }) => [new Date(startedAt).toISOString().slice(0, 16), status]),
      [
        ['2026-11-02T02:55', 'complete'],
        ['2026-11-02T03:00', 'failed'],
        ['2026-11-02T03:05', 'failed'],
        ['2026-11-02T03:20', 'complete'],
      ],
    )
  })

  test('a copy that is made up waits for the run that is made up with it', async () => {
    const copied = 'schedule: daily 02:30, vault: local, copies: [{ to: archive, schedule: weekly sunday 06:00 }]'
    await using scene = await stage('2026-11-06T12:00:00Z', { blog: 'schedule: daily 02:30', shop: copied })
    await scene.init()
    await scene.serveUntil('2026-11-06T13:00:00Z', await scene.daemon(['run', 'copy']))
    scene.time.set('2026-11-09T09:10:00Z')
    await scene.serveUntil('2026-11-09T09:30:00Z', await scene.daemon(['run', 'copy']))
    await using opened = await scene.open()
    const there = await opened.services.catalog.snapshots.list({ project: 'shop', vault: 'archive' })
    const [newest] = await scene.runs('shop').then((runs) => runs.toReversed())
    assert.equal(new Date(newest!.startedAt).toISOString().slice(0, 10), '2026-11-09')
    assert.ok(
      there.some(({ run }) => run === newest!.id),
      'the copy has the newest backup',
    )
  })

  test('a configuration that changes in the middle of a run loses none', async () => {
    await using scene = await stage('2026-11-02T00:00:00Z', { shop: 'schedule: daily 02:30' })
    await scene.init()
    const seen: string[] = []
    const duties = (await scene.duties('run')).map((duty) => ({
      ...duty,
      perform: async (...args: Parameters<typeof duty.perform>) => {
        const [services, { project }] = args
        if (seen.length === 0) {
          await scene.write('blog/file.txt', 'a project that is new')
          await scene.configure(
            linesOf({ shop: 'schedule: daily 02:45', blog: 'schedule: daily 04:00, vault: archive' }),
          )
          await scene.init()
          scene.tellChange()
          while (!scene.lines.some(({ text }) => text === 'The configuration was changed and is taken')) {
            await setTimeout(20)
          }
        }
        seen.push(`${project} of ${services.configuration.projects.length}`)
        return await duty.perform(...args)
      },
    }))
    await scene.serveUntil('2026-11-02T02:30:00Z', await scene.daemon([], { duties }))
    assert.deepEqual(seen, ['shop of 1', 'blog of 2', 'shop of 2'])
    assert.deepEqual(await scene.starts('shop'), ['2026-11-02 01:00', '2026-11-02 02:45'])
    assert.deepEqual(await scene.starts('blog'), ['2026-11-02 01:01'])
    assert.ok((await scene.runs('shop')).every(({ status }) => status === 'complete'))
  })

  test('each day another slice of a vault is read, and when all were, its backups are verified', async () => {
    await using scene = await stage('2026-11-01T06:00:00Z', { shop: 'schedule: monthly 1 05:30' })
    await scene.init()
    await scene.serveUntil('2026-11-01T12:00:00Z', await scene.daemon(['run', 'verify']))
    await using opened = await scene.open()
    const { catalog } = opened.services
    for (let slice = 2; slice < sliceCount; slice++) {
      const startedAt = Date.parse('2026-11-01T05:00:00Z') + slice * 24 * 60 * 60 * 1000
      const reading = { status: 'sound', share: 1 / sliceCount, bytesRead: 0, findings: [], who: 'a test' } as const
      const about = { id: `of-${slice}`, project: 'shop', vault: 'local', startedAt, endedAt: startedAt }
      await catalog.verifications.add({ ...reading, ...about, slices: [slice] })
    }
    scene.time.set('2026-11-29T00:00:00Z')
    await scene.serveUntil('2026-11-30T03:00:00Z', await scene.daemon(['run', 'verify']))
    const read = (await catalog.verifications.list({ project: 'shop' })).toReversed()
    assert.deepEqual(
      read.map(({ slices }) => slices),
      [...Array.from({ length: sliceCount }, (_, index) => [index + 1]), [1]],
    )
    const [snapshot] = await catalog.snapshots.list({ project: 'shop', vault: 'local' })
    assert.ok(snapshot!.verifiedAt! >= snapshot!.time)
  })
})
