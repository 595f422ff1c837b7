import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { parseSchedule, troubleKey, type Finding } from '#model'
import { autumnNight, dayMs, hourMs, makeScene, token, type Said, type Scene } from './scene.ts'

const minuteMs = 60_000
const s3 = { location: { kind: 's3', endpoint: 'https://s3.example.org', bucket: 'b', prefix: '' } } as const
const warning: Finding = { subject: 'shop.sqlite', severity: 'warning', text: 'changed while it was read' }
const ofCopy: Finding = { vault: 'box', subject: 'copy to box', severity: 'warning', text: 'no answer' }
const open = { deletes: 'allowed', overwrites: 'allowed', truncates: 'impossible', left: 0 } as const

interface Situation {
  readonly title: string
  /** Of the project, its vault `local`, and `box` that gets copies. */
  readonly verdicts: readonly [project: string, local: string, box: string]
  /** The incidents that are open after a look. */
  readonly incidents: readonly string[]
  readonly stage: (scene: Scene) => Promise<void>
}

function situation(
  title: string,
  verdicts: string,
  incidents: string,
  stage: (scene: Scene) => Promise<void>,
): Situation {
  const [shop = '', local = '', box = ''] = verdicts.split(' ')
  return { title, verdicts: [shop, local, box], incidents: incidents === '' ? [] : incidents.split(' '), stage }
}

const situations: readonly Situation[] = [
  situation('all is well', 'healthy healthy healthy', '', (scene) => scene.isWell()),
  situation('it never ran', 'late late late', 'late/shop/local', async () => {}),
  situation('a minute before it is late', 'healthy healthy healthy', '', async (scene) => {
    await scene.ran({ ago: 25 * hourMs - minuteMs })
    await scene.copied({ ago: 25 * hourMs - minuteMs })
  }),
  situation('a minute after it is late', 'late late late', 'late/shop/local', async (scene) => {
    await scene.ran({ ago: 25 * hourMs + minuteMs })
    await scene.copied({ ago: 25 * hourMs + minuteMs })
  }),
  situation('a copy that did not come', 'late healthy late', 'late/shop/box', async (scene) => {
    await scene.ran({ ago: 2 * hourMs })
    await scene.copied({ ago: 26 * hourMs })
  }),
  situation('a weekly copy, a minute before it is late', 'healthy healthy healthy', '', async (scene) => {
    scene.change({ copies: [{ to: 'box', schedule: parseSchedule('weekly sunday 05:00') }] })
    await scene.ran()
    await scene.copied({ ago: dayMs, age: 193 * hourMs - minuteMs })
  }),
  situation('a weekly copy, a minute after it is late', 'late healthy late', 'late/shop/box', async (scene) => {
    scene.change({ copies: [{ to: 'box', schedule: parseSchedule('weekly sunday 05:00') }] })
    await scene.ran()
    await scene.copied({ ago: dayMs, age: 193 * hourMs + minuteMs })
  }),
  situation('the night in which the clock is put back', 'healthy healthy healthy', '', async (scene) => {
    scene.now = autumnNight
    await scene.ran({ ago: 25.5 * hourMs })
    await scene.copied({ ago: 25.5 * hourMs })
  }),
  situation('two runs in a row that did not come', 'late late healthy', 'late/shop/local', async (scene) => {
    scene.change({ schedule: parseSchedule('cron "0 3 * * 1-5"') })
    await scene.ran({ ago: 57.5 * hourMs })
    await scene.copied({ ago: 57.5 * hourMs })
  }),
  situation('a run that failed, and fresh backups', 'failed healthy healthy', 'failed/shop/', async (scene) => {
    await scene.isWell()
    await scene.ran({ ago: hourMs, status: 'failed', findings: [warning] })
  }),
  situation('a run that was cancelled', 'healthy healthy healthy', '', async (scene) => {
    await scene.isWell()
    await scene.ran({ ago: hourMs, status: 'cancelled' })
  }),
  situation('a run that could not take all', 'incomplete healthy healthy', 'incomplete/shop/', async (scene) => {
    await scene.ran({ status: 'incomplete', findings: [warning] })
    await scene.copied()
  }),
  situation('a copy that failed', 'copy-failed healthy copy-failed', 'copy-failed/shop/box', async (scene) => {
    await scene.isWell()
    await scene.ran({ ago: hourMs, status: 'incomplete', findings: [ofCopy] })
    await scene.copied({ ago: hourMs, status: 'failed' })
  }),
  situation('a copy that failed and was made up for', 'healthy healthy healthy', '', async (scene) => {
    await scene.ran({ status: 'incomplete', findings: [ofCopy] })
    await scene.copied({ ago: 2 * hourMs, status: 'failed' })
    await scene.copied({ ago: hourMs, age: 2 * hourMs })
  }),
  situation('damage where runs write to', 'damaged damaged healthy', 'damaged/shop/local', async (scene) => {
    await scene.isWell()
    await scene.verified({ status: 'damaged' })
  }),
  situation('damage in a copy', 'damaged healthy damaged', 'damaged/shop/box', async (scene) => {
    await scene.isWell()
    await scene.verified({ vault: 'box', status: 'damaged' })
  }),
  situation('damage that is mended', 'healthy healthy healthy', '', async (scene) => {
    await scene.isWell()
    await scene.verified({ ago: 5 * hourMs, status: 'damaged' })
    await scene.verified()
  }),
  situation('a full vault', 'full full healthy', 'full//local', async (scene) => {
    await scene.isWell()
    await scene.measured('local', 0.2, 0.09)
  }),
  situation('a full vault with a little more room', 'full full healthy', 'full//local', async (scene) => {
    await scene.isWell()
    await scene.measured('local', 0.2, 0.09, 0.11)
  }),
  situation('a vault that was full', 'healthy healthy healthy', '', async (scene) => {
    await scene.isWell()
    await scene.measured('local', 0.2, 0.09, 0.13, 0.11)
  }),
  situation('a lock that does not hold', 'weak healthy weak', 'weak//box', async (scene) => {
    scene.changeVault('box', { ...s3, objectLock: 'compliance' })
    await scene.isWell()
    await scene.catalog.probes.add({ vault: 'box', at: scene.now - hourMs, found: open })
  }),
  situation('a pause', 'healthy healthy healthy', '', async (scene) => {
    scene.change({ paused: true })
    await scene.ran({ ago: 300 * dayMs })
    await scene.copied({ ago: 300 * dayMs })
  }),
  situation('a clock that was put back', 'clock healthy healthy', 'clock//', async (scene) => {
    await scene.isWell()
    await scene.logged(scene.now + hourMs)
  }),
  situation('a backup of the future', 'clock clock healthy', 'clock/shop/local', async (scene) => {
    await scene.isWell()
    await scene.lies({ ago: -10 * dayMs })
  }),
  situation('a late one beside it', 'late late healthy', 'late/shop/local clock/shop/local', async (scene) => {
    await scene.ran({ ago: 26 * hourMs })
    await scene.copied({ ago: 26 * hourMs, age: 24 * hourMs })
    await scene.lies({ ago: -10 * dayMs })
  }),
  situation('a restore test that failed', 'test-failed healthy healthy', 'test-failed/shop/', async (scene) => {
    await scene.isWell()
    await scene.tested({ ago: 2 * hourMs })
    await scene.tested({ status: 'failed' })
  }),
  situation('restores that nobody tests', 'untested healthy healthy', 'untested/shop/', async (scene) => {
    await scene.ran({ ago: 40 * dayMs })
    await scene.isWell()
    for (let slice = 1; slice <= 28; slice++) {
      await scene.verified({ ago: slice * dayMs, share: 1 / 28, slices: [slice] })
    }
  }),
  situation('what was not read back', 'unverified healthy unverified', 'unverified/shop/box', async (scene) => {
    await scene.ran({ ago: 40 * dayMs })
    await scene.copied({ ago: 40 * dayMs })
    await scene.isWell()
    await scene.tested()
    await scene.verified({ share: 1 })
    await scene.verified({ vault: 'box', share: 0.5 })
  }),
  situation('what was read back slice by slice', 'healthy healthy healthy', '', async (scene) => {
    await scene.ran({ ago: 40 * dayMs })
    await scene.isWell()
    await scene.tested()
    for (let slice = 1; slice <= 28; slice++) {
      await scene.verified({ ago: slice * dayMs, share: 1 / 28, slices: [slice] })
    }
  }),
  situation('a run that is stuck', 'stuck healthy healthy', 'stuck/shop/', async (scene) => {
    for (const days of [3, 2, 1]) await scene.ran({ ago: days * dayMs })
    await scene.copied({ ago: 21 * hourMs })
    await scene.ran({ ago: 2 * hourMs + minuteMs, status: 'running' })
  }),
  situation('a run that brings what is late by now', 'healthy healthy healthy', '', async (scene) => {
    for (const days of [3, 2, 1]) await scene.ran({ ago: days * dayMs + 1.5 * hourMs, took: 2 * hourMs })
    await scene.copied({ ago: dayMs + 1.5 * hourMs })
    await scene.ran({ ago: 1.5 * hourMs, status: 'running' })
  }),
  situation(
    'a clean-up that failed',
    'cleanup-failed cleanup-failed healthy',
    'cleanup-failed/shop/local',
    async (scene) => {
      await scene.isWell()
      await scene.cleanedUp('failed')
    },
  ),
  situation(
    'a clean-up that could not begin',
    'cleanup-failed healthy healthy',
    'cleanup-failed/shop/',
    async (scene) => {
      await scene.isWell()
      await scene.couldNotCleanUp()
    },
  ),
  situation('a clean-up that could not begin, and was made by hand', 'healthy healthy healthy', '', async (scene) => {
    await scene.isWell()
    await scene.couldNotCleanUp()
    scene.now += 2 * hourMs
    await scene.cleanedUp('complete')
  }),
  situation(
    'several at once',
    'damaged damaged late',
    'damaged/shop/local late/shop/box failed/shop/ full//local copy-failed/shop/box',
    async (scene) => {
      await scene.ran({ ago: 3 * hourMs })
      await scene.copied({ ago: 50 * hourMs })
      await scene.copied({ ago: 3 * hourMs, status: 'failed' })
      await scene.ran({ ago: hourMs, status: 'failed' })
      await scene.verified({ status: 'damaged' })
      await scene.measured('local', 0.05)
    },
  ),
  situation('another project that is late', 'healthy healthy healthy', 'late/blog/local', async (scene) => {
    await scene.isWell()
    scene.add('blog')
    await scene.ran({ project: 'blog', ago: 26 * hourMs })
    await scene.copied({ project: 'blog', ago: 26 * hourMs })
  }),
]

/** What a monitoring system reads: the series whose value is 1. */
function readMetrics(text: string): Said[] {
  const holding = [...text.matchAll(/^bewaar_(project|vault)_health\{(.*)\} 1$/gm)].map(([, of, labels]) => ({
    of,
    ...(Object.fromEntries([...labels!.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value])) as {
      project: string
      vault: string
      verdict: string
    }),
  }))
  return holding
    .filter(({ of }) => of === 'project')
    .map(({ project, verdict }) => ({
      project,
      verdict,
      vaults: holding
        .filter((one) => one.of === 'vault' && one.project === project)
        .map(({ vault, verdict: word }) => ({ vault, verdict: word })),
    }))
}

function inShort(said: readonly Said[]): Said[] {
  return said.map(({ project, verdict, vaults }) => ({
    project,
    verdict,
    vaults: vaults.map((one) => ({ vault: one.vault, verdict: one.verdict })),
  }))
}

suite('the command, /health and /metrics say the same', () => {
  assert.ok(situations.length >= 30)
  for (const { title, verdicts, incidents, stage } of situations) {
    test(title, async () => {
      await using scene = await makeScene()
      await stage(scene)
      await scene.wasWatched()
      await using server = await scene.serve()
      const headers = { Authorization: `Bearer ${token}` }
      const command = await scene.askCommand()
      const health = await fetch(`${server.url}/health`, { headers })
      const outside = await fetch(`${server.url}/health`)
      const metrics = await fetch(`${server.url}/metrics`, { headers })

      const [shop] = command.said
      assert.deepEqual([shop?.verdict, ...shop!.vaults.map(({ verdict }) => verdict)], verdicts)
      const body = (await health.json()) as { status: string; projects: Said[] }
      assert.deepEqual(body.projects, command.said)
      assert.deepEqual(readMetrics(await metrics.text()), inShort(command.said))
      const isHealthy = command.said.every(({ verdict }) => verdict === 'healthy')
      const status = isHealthy ? 'healthy' : 'unhealthy'
      assert.deepEqual([command.code, health.status, body.status], isHealthy ? [0, 200, status] : [1, 503, status])
      assert.deepEqual([outside.status, await outside.json()], [health.status, { status }])

      await scene.watch()
      const opened = (await scene.catalog.incidents.list({ open: true })).map(troubleKey)
      assert.deepEqual(opened.toSorted(), [...incidents].toSorted())
    })
  }
})
