import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { Secret } from '#base'
import { parseSchedule, type DutyRecord } from '#model'
import { decodeWords, MailServer, partOf } from '#notify/testing'
import { sendReport } from '#usecases'
import { makeReportScene, sceneNow, type ReportScene } from './report-scene.ts'

const hourMs = 60 * 60 * 1000
const dayMs = 24 * hourMs
const never = new AbortController().signal

suite('reports on their schedule', () => {
  let scene: ReportScene
  let server: MailServer
  before(async () => {
    scene = await makeReportScene(false)
    server = await MailServer.start()
  })
  after(async () => {
    await scene?.[Symbol.asyncDispose]()
    await server?.[Symbol.asyncDispose]()
  })

  function servicesAt(now: number): Parameters<typeof sendReport>[0] {
    const mail = { smtp: `smtp://127.0.0.1:${server.port}`, from: 'bewaar@example.org', to: ['jan@example.org'] }
    const schedules = {
      digest: parseSchedule('daily 07:00'),
      weekly: parseSchedule('weekly monday 08:00'),
      monthly: parseSchedule('monthly 1 08:00'),
    }
    return {
      ...scene.services,
      configuration: { ...scene.services.configuration, notify: { mail, ...schedules } },
      clock: { now: () => now, monotonic: () => 0 },
      hostname: 'web1',
      secret: () => Promise.resolve(new Secret('')),
      readText: () => Promise.resolve(''),
    }
  }

  async function mailOf(period: 'day' | 'week' | 'month', now: number): Promise<string[]> {
    server.arrived.length = 0
    const { sendings } = await sendReport(servicesAt(now), period, never)
    const shown = server.arrived.map(({ headers, raw }) => {
      const [, span = ''] = partOf(raw, 'text/plain').split('\r\n')
      return `${decodeWords(headers.get('subject')!)} | ${span}`
    })
    return [...sendings.map(({ status }) => status), ...shown]
  }

  test('a digest is sent though all is well, once for its slot', async () => {
    const subject = '[HavunCore] Daily Backup Report - 2025-11-21'
    const mail = `${subject} | 20 Nov 07:00 – 21 Nov 07:00 (Europe/Amsterdam)`
    assert.deepEqual(await mailOf('day', sceneNow + 5000), ['sent', mail])
    assert.deepEqual(await mailOf('day', sceneNow + 2 * hourMs), ['before'])
  })

  test('a digest that could not be sent is sent by the next attempt, and covers the same time', async () => {
    server.behaviour = 'busy'
    assert.deepEqual(await mailOf('day', sceneNow + dayMs), ['failed'])
    server.behaviour = 'well'
    const [status, mail] = await mailOf('day', sceneNow + dayMs + hourMs)
    assert.equal(status, 'sent')
    assert.match(mail!, /2025-11-22 \| 21 Nov 07:00 – 22 Nov 07:00/)
  })

  test('a digest begins where the last one ended that was sent', async () => {
    const duty: DutyRecord = {
      id: 'd',
      kind: 'report',
      part: 'day',
      slot: sceneNow + dayMs,
      startedAt: 0,
      endedAt: 0,
      outcome: 'done',
    }
    await scene.catalog.duties.add(duty)
    await scene.catalog.duties.add({ ...duty, id: 'e', slot: sceneNow + 3 * dayMs, outcome: 'failed' })
    const [, mail] = await mailOf('day', sceneNow + 4 * dayMs)
    assert.match(mail!, /2025-11-25 \| 22 Nov 07:00 – 25 Nov 07:00/)
  })

  test('a weekly report covers seven days, a monthly one the last month', async () => {
    const [, week] = await mailOf('week', Date.UTC(2025, 10, 24, 7, 0, 3))
    assert.match(week!, /Weekly Backup Report - 2025-11-24 \| 17 Nov 08:00 – 24 Nov 08:00/)
    const [, month] = await mailOf('month', Date.UTC(2025, 11, 1, 7, 0, 3))
    assert.match(month!, /Monthly Backup Report - 2025-11 \| 1 Nov 00:00 – 1 Dec 00:00/)
  })
})
