import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { linesOf, localTime, stage } from './scene.ts'

describe('a daemon and its slots', () => {
  test('each slot is run once when the clock is put forward, also one that the clock leaves out', async () => {
    await using scene = await stage('2026-03-28T00:00:00Z', { shop: 'schedule: daily 02:30' })
    const duties = await scene.quickRuns()
    await scene.serveUntil('2026-03-30T12:00:00Z', await scene.daemon([], { duties }))
    // the first one is of the slot before, because there was no backup at all
    assert.deepEqual(await scene.starts('shop'), [
      '2026-03-28 01:00',
      '2026-03-28 02:30',
      '2026-03-29 03:30',
      '2026-03-30 02:30',
    ])
  })

  test('each slot is run once when the clock is put back, also one that comes twice', async () => {
    await using scene = await stage('2026-10-24T00:00:00Z', { shop: 'schedule: daily 02:30' })
    const duties = await scene.quickRuns()
    await scene.serveUntil('2026-10-26T12:00:00Z', await scene.daemon([], { duties }))
    assert.deepEqual(await scene.starts('shop'), [
      '2026-10-24 02:00',
      '2026-10-24 02:30',
      '2026-10-25 02:30',
      '2026-10-26 02:30',
    ])
    assert.equal(new Date((await scene.runs('shop'))[2]!.startedAt).toISOString(), '2026-10-25T00:30:00.000Z')
  })

  test('a year of all kinds of schedules has each slot once', async () => {
    const schedules = {
      daily: ['daily 02:30', 365],
      weekly: ['weekly sunday 05:00', 52],
      monthly: ['monthly last 04:00', 12],
      hours: ['every 168 hours', 52],
      cron: ['cron "15 2 * * 1-5"', 261],
    } as const
    const projects = Object.entries(schedules).map(([name, [schedule]]) => [name, `schedule: '${schedule}'`])
    await using scene = await stage('2026-01-01T11:30:00Z', Object.fromEntries(projects) as Record<string, string>)
    const duties = await scene.quickRuns()
    await scene.serveUntil('2027-01-01T11:30:00Z', await scene.daemon([], { duties }))
    for (const [name, [, slots]] of Object.entries(schedules)) {
      const runs = await scene.runs(name)
      assert.equal(runs.length, slots + 1, name) // and the first, because there was no backup at all
      assert.equal(new Set(runs.map(({ slot }) => slot)).size, runs.length, name)
      assert.ok(
        runs.slice(1).every(({ slot, startedAt }) => startedAt === slot),
        name,
      )
    }
  })

  test('what was missed is caught up once, and not for all projects at the same moment', async () => {
    const projects = { shop: 'schedule: daily 02:30', blog: 'schedule: every 4 hours', wiki: 'schedule: daily 05:00' }
    await using scene = await stage('2026-11-02T12:00:00Z', projects)
    const duties = await scene.quickRuns()
    await scene.serveUntil('2026-11-02T12:30:00Z', await scene.daemon([], { duties }))
    scene.time.set('2026-11-09T09:10:00Z')
    await scene.serveUntil('2026-11-09T10:30:00Z', await scene.daemon([], { duties }))
    assert.deepEqual(await scene.starts('shop'), ['2026-11-02 13:00', '2026-11-09 10:10'])
    assert.deepEqual(await scene.starts('blog'), ['2026-11-02 13:01', '2026-11-09 10:11'])
    assert.deepEqual(await scene.starts('wiki'), ['2026-11-02 13:02', '2026-11-09 10:12'])
  })

  test('no slot is run twice when the clock is set back, and all goes on when it was far ahead', async () => {
    await using scene = await stage('2026-11-02T00:00:00Z', { shop: 'schedule: daily 02:30' })
    const { time } = scene
    const stop = new AbortController()
    time.at('2026-11-03T02:00:00Z', () => {
      time.set('2026-11-03T01:00:00Z')
      time.at('2026-11-04T05:00:00Z', () => {
        time.set('2027-11-04T05:00:00Z')
        time.at('2027-11-05T05:00:00Z', () => {
          time.set('2026-11-05T05:00:00Z')
          time.at('2026-11-07T12:00:00Z', () => stop.abort())
        })
      })
    })
    await (await scene.daemon([], { duties: await scene.quickRuns() })).serve(stop.signal)
    assert.deepEqual(
      (await scene.runs('shop')).map(({ slot }) => localTime(slot!)),
      [
        '2026-11-01 02:30',
        '2026-11-02 02:30',
        '2026-11-03 02:30',
        '2026-11-04 02:30',
        '2026-11-05 02:30',
        '2026-11-06 02:30',
        '2026-11-07 02:30',
        '2027-11-04 02:30',
        '2027-11-05 02:30',
      ],
    )
  })

  test('what failed is tried again 5, 15 and 60 minutes later, then every 6 hours, until the next slot', async () => {
    await using scene = await stage('2026-11-03T01:00:00Z', { shop: 'schedule: daily 02:30' })
    const again = Date.parse('2026-11-04T01:40:00Z')
    const first = Date.parse('2026-11-03T01:05:00Z')
    const duties = await scene.quickRuns((_project, now) => now < first || now > again)
    await scene.serveUntil('2026-11-04T12:00:00Z', await scene.daemon([], { duties }))
    const runs = await scene.runs('shop')
    assert.deepEqual(
      runs.map(({ startedAt, status }) => `${localTime(startedAt)} ${status}`),
      [
        '2026-11-03 02:00 complete',
        '2026-11-03 02:30 failed',
        '2026-11-03 02:35 failed',
        '2026-11-03 02:50 failed',
        '2026-11-03 03:50 failed',
        '2026-11-03 09:50 failed',
        '2026-11-03 15:50 failed',
        '2026-11-03 21:50 failed',
        '2026-11-04 02:30 failed',
        '2026-11-04 02:35 failed',
        '2026-11-04 02:50 complete',
      ],
    )
    assert.ok(scene.lines.some(({ level, text }) => level === 'error' && text === 'run of shop failed'))
  })

  test('a project that is paused is never run', async () => {
    await using scene = await stage('2026-11-02T00:00:00Z', { shop: 'schedule: daily 02:30, paused: true' })
    await scene.serveUntil('2026-11-04T12:00:00Z', await scene.daemon(['run', 'copy', 'verify']))
    assert.deepEqual(await scene.starts('shop'), [])
  })

  test('a changed schedule is taken, and a broken configuration is refused and said', async () => {
    await using scene = await stage('2026-11-02T00:00:00Z', { shop: 'schedule: daily 02:30' })
    scene.time.at('2026-11-02T12:00:00Z', async () => {
      await scene.write('bewaar.yaml', 'projects: [')
      scene.tellChange()
    })
    scene.time.at('2026-11-03T12:00:00Z', async () => {
      await scene.configure(linesOf({ shop: 'schedule: daily 05:00', blog: 'schedule: weekly sunday 05:00' }))
      scene.tellChange()
    })
    const duties = await scene.quickRuns()
    await scene.serveUntil('2026-11-04T12:00:00Z', await scene.daemon([], { duties }))
    assert.deepEqual(await scene.starts('shop'), [
      '2026-11-02 01:00',
      '2026-11-02 02:30',
      '2026-11-03 02:30',
      '2026-11-03 13:00', // because the slot of that day has come and was not met
      '2026-11-04 05:00',
    ])
    assert.deepEqual(await scene.starts('blog'), ['2026-11-03 13:00'])
    const isRefusal = (text: string): boolean => /is refused; the one before goes on/.test(text)
    assert.ok(scene.lines.some(({ level, text }) => level === 'error' && isRefusal(text)))
    await using opened = await scene.open()
    const log = await opened.services.catalog.log.latest({ limit: 100 })
    assert.ok(log.some(({ kind, text }) => kind === 'serve' && isRefusal(text)))
    const incidents = await opened.services.catalog.incidents.list()
    assert.deepEqual(
      incidents.map(({ kind, openedAt, resolvedAt }) => [kind, localTime(openedAt), localTime(resolvedAt!)]),
      [['configuration', '2026-11-02 13:00', '2026-11-03 13:00']],
    )
  })

  test('no more projects are worked on at once than may be, and there is room for runs', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    await using scene = await stage(
      '2026-11-02T00:00:00Z',
      Object.fromEntries(names.map((name) => [name, 'schedule: daily 05:00'])),
      'serve: { at-once: 3 }',
    )
    const [most, atWork] = [
      { run: 0, verify: 0, all: 0 },
      { run: 0, verify: 0 },
    ]
    const done: string[] = []
    const busy = new Set<string>()
    const duties = (await scene.duties('run', 'verify')).map((duty) => ({
      ...duty,
      judge: (_services: unknown, subject: object) =>
        Promise.resolve(
          done.includes(duty.kind + JSON.stringify(subject))
            ? ({ isDue: false, at: Infinity } as const)
            : ({ isDue: true, slot: scene.time.clock.now(), attempt: 1 } as const),
        ),
      perform: async (_services: unknown, subject: { readonly project?: string }) => {
        const kind = duty.kind === 'run' ? 'run' : 'verify'
        assert.ok(!busy.has(subject.project!), 'a project has one duty at a time')
        busy.add(subject.project!)
        atWork[kind]++
        most[kind] = Math.max(most[kind], atWork[kind])
        most.all = Math.max(most.all, atWork.run + atWork.verify)
        await new Promise((resolve) => setTimeout(resolve, 10))
        atWork[kind]--
        busy.delete(subject.project!)
        done.push(duty.kind + JSON.stringify(subject))
        return { outcome: 'done', text: '' } as const
      },
    }))
    await scene.serveUntil('2026-11-02T06:00:00Z', await scene.daemon([], { duties }))
    assert.deepEqual(most, { run: 3, verify: 2, all: 3 })
    // and Bewaar itself, which is verified in the vault too
    assert.equal(done.length, 2 * names.length + 1)
  })

  test('a duty that throws what nobody foresaw stops neither the daemon nor the others', async () => {
    const schedule = 'schedule: daily 02:30'
    await using scene = await stage('2026-11-02T00:00:00Z', { shop: schedule, blog: schedule })
    const duties = (await scene.quickRuns()).map((duty) => ({
      ...duty,
      perform: (...args: Parameters<typeof duty.perform>) => {
        if (args[1].project === 'shop') throw new TypeError('nobody foresaw this')
        return duty.perform(...args)
      },
    }))
    await scene.serveUntil('2026-11-02T02:00:00Z', await scene.daemon([], { duties }))
    assert.equal((await scene.runs('blog')).length, 2)
    const failures = scene.lines.filter(({ text }) => text === 'run of shop failed').length
    assert.ok(failures > 1 && failures <= 120, String(failures))
  })
})
