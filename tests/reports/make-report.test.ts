import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { after, before, suite, test } from 'node:test'

import { spanOf, type ProjectReport, type Report, type ReportPeriod } from '#model'
import { makeReport } from '#usecases'
import { dayMs, makeReportScene, sceneNow, sizeOn, type ReportScene } from './report-scene.ts'

const zone = 'Europe/Amsterdam'
/** Because the last month of the calendar then has what the catalog knows. */
const december = sceneNow + 12 * dayMs

suite('a report of eleven days with troubles', () => {
  let scene: ReportScene
  before(async () => {
    scene = await makeReportScene(true)
  })
  after(() => scene[Symbol.asyncDispose]())

  async function reportOf(period: ReportPeriod, ...names: readonly string[]): Promise<Report> {
    const all = scene.services.configuration.projects
    const projects = names.length === 0 ? all : all.filter(({ name }) => names.includes(name))
    return await makeReport(scene.services, {
      projects,
      period,
      span: spanOf(period, period === 'month' ? december : sceneNow, zone),
    })
  }

  async function projectIn(period: ReportPeriod, name: string): Promise<ProjectReport> {
    return (await reportOf(period, name)).projects[0]!
  }

  test('counts, bytes and seconds are those that SQL sums up', async () => {
    using database = new DatabaseSync(scene.catalog.file, { readOnly: true })
    const numbersOf = (sql: string, ...values: (string | number)[]): Record<string, unknown> => ({
      ...database.prepare(sql).get(...values),
    })
    for (const period of ['day', 'week', 'month'] as const) {
      const { span, projects } = await reportOf(period)
      for (const { project, runs, bytesRead, bytesAdded, seconds, places, verifications } of projects) {
        const where = `project = '${project}' and started_at >= ${span.from} and started_at < ${span.to}`
        assert.deepEqual(
          { ...runs, bytesRead, bytesAdded, seconds },
          numbersOf(`
            select count(*) filter (where status = 'running') as running,
              count(*) filter (where status = 'complete') as complete,
              count(*) filter (where status = 'incomplete') as incomplete,
              count(*) filter (where status = 'failed') as failed,
              count(*) filter (where status = 'cancelled') as cancelled,
              coalesce(sum(bytes_read), 0) as bytesRead, coalesce(sum(bytes_added), 0) as bytesAdded,
              coalesce(sum(ended_at - started_at), 0) / 1000.0 as seconds
            from run where ${where}`),
          `${project} ${period}`,
        )
        assert.deepEqual(
          { ...places[1]!.copies },
          numbersOf(`
            select count(*) filter (where status = 'complete') as complete, count(*) filter (where status = 'failed') as failed,
              coalesce(sum(snapshots), 0) as snapshots, coalesce(sum(bytes_added), 0) as bytesAdded
            from copy where to_vault = 'storage-box' and ${where}`),
        )
        assert.deepEqual(
          { ...verifications },
          numbersOf(`
            select count(*) filter (where status = 'sound') as sound, count(*) filter (where status = 'damaged') as damaged,
              count(*) filter (where status = 'failed') as failed
            from verification where ${where}`),
        )
        for (const { vault, backups, newestAt, oldestAt } of places) {
          assert.deepEqual(
            { backups, newestAt, oldestAt },
            numbersOf(
              'select count(*) as backups, max(time) as newestAt, min(time) as oldestAt from snapshot where project = ? and vault = ?',
              project,
              vault,
            ),
          )
        }
      }
    }
  })

  test('says how each project is, and what its last run came to', async () => {
    const { projects } = await reportOf('day')
    assert.deepEqual(
      projects.map(({ project, verdict, lastRun }) => [project, verdict, lastRun?.status]),
      [
        ['havunadmin', 'late', 'failed'],
        ['herdenkingsportaal', 'late', 'complete'],
        ['havuncore', 'incomplete', 'incomplete'],
        ['havun-mcp', 'healthy', 'complete'],
        ['aimtrack', 'late', 'complete'],
        ['webwinkel', 'healthy', 'complete'],
        ['blog', 'healthy', 'complete'],
        ['intranet', 'damaged', 'complete'],
      ],
    )
    const { lastRun, newest, oldest, testedAt } = projects[0]!
    assert.match(lastRun!.because!, /^pg_dump: error: connection to server/)
    assert.deepEqual(newest, { at: sceneNow - dayMs - 4 * 3_600_000, vault: 'local', bytes: sizeOn(0, 1) })
    assert.deepEqual([oldest!.at, testedAt], [sceneNow - 10 * dayMs - 4 * 3_600_000, undefined])
  })

  test('slots that were missed or failed are no successes, whatever the period', async () => {
    const made = async (period: ReportPeriod): Promise<string[]> =>
      (await reportOf(period)).projects.map(({ scheduled: { due, succeeded } }) => `${succeeded}/${due}`)
    assert.deepEqual(await made('day'), ['0/1', '1/1', '0/1', '1/1', '0/1', '1/1', '1/1', '1/1'])
    assert.deepEqual(await made('week'), ['6/7', '7/7', '6/7', '7/7', '4/7', '7/7', '6/7', '7/7'])
    const { totals } = await reportOf('week')
    assert.deepEqual(totals.scheduled, { due: 56, succeeded: 50 })
  })

  test('growth is that of the newest backup from the beginning of the span to its end', async () => {
    assert.equal((await projectIn('week', 'blog')).growthBytes, sizeOn(6, 0) - sizeOn(6, 7))
    assert.equal((await projectIn('week', 'aimtrack')).growthBytes, sizeOn(4, 3) - sizeOn(4, 7))
    assert.equal((await projectIn('month', 'blog')).growthBytes, undefined)
  })

  test('what was read back is that of the last thirty days, whatever the period', async () => {
    for (const period of ['day', 'month'] as const) {
      const { places } = await projectIn(period, 'aimtrack')
      assert.deepEqual(
        places.map(({ readBack }) => readBack),
        [0.8, 0.8],
      )
    }
    assert.equal((await projectIn('day', 'webwinkel')).places[0]!.readBack, 1)
  })

  test('storage and price are those of the vaults, local and offsite', async () => {
    const { vaults, totals } = await reportOf('day', 'blog')
    const sizes = scene.services.configuration.projects.map((_, place) => sizeOn(place, 0))
    const all = sizes.reduce((sum, one) => sum + one)
    assert.deepEqual([totals.localBytes, totals.offsiteBytes], [12 * all, 40 * all])
    assert.deepEqual(totals.prices, [{ currency: 'EUR', perMonth: 19.04 }])
    assert.deepEqual(
      vaults.map(({ vault, isLocal, freeBytes }) => [vault, isLocal, freeBytes]),
      [
        ['local', true, 1.2e12],
        ['storage-box', false, 5e12 - 40 * all],
      ],
    )
  })

  test('incidents are those of the span and those that are open, and not of other projects', async () => {
    const shown = async (period: ReportPeriod, ...names: readonly string[]): Promise<string[]> =>
      (await reportOf(period, ...names)).incidents.map(({ kind, project = '' }) => `${kind} ${project}`.trim())
    assert.deepEqual(await shown('day'), ['clock', 'failed havunadmin'])
    assert.deepEqual(await shown('week'), ['clock', 'failed havunadmin', 'failed blog'])
    assert.deepEqual(await shown('week', 'blog'), ['clock', 'failed blog'])
  })
})

test('a project that has never run, one that is paused and a configuration without projects', async () => {
  await using scene = await makeReportScene(false)
  const { configuration } = scene.services
  const project = { ...configuration.projects[0]!, name: 'fresh', title: 'Fresh' }
  const paused = { ...configuration.projects[1]!, paused: true }
  const services = { ...scene.services, configuration: { ...configuration, projects: [project, paused] } }
  const span = spanOf('day', sceneNow, zone)
  const { projects, totals } = await makeReport(services, { projects: [project, paused], period: 'day', span })
  const [fresh, resting] = projects
  assert.deepEqual([fresh?.newest, fresh?.lastRun, fresh?.growthBytes], [undefined, undefined, undefined])
  assert.equal(fresh?.verdict, 'late')
  assert.deepEqual([resting?.isPaused, resting?.verdict], [true, 'healthy'])
  assert.deepEqual(totals.scheduled, { due: 0, succeeded: 0 })
  const empty = await makeReport(services, { projects: [], period: 'day', span })
  assert.deepEqual([empty.projects, empty.vaults.length], [[], 2])
})
