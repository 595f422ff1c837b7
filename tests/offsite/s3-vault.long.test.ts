import assert from 'node:assert/strict'
import { rm } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'

import { runProject } from '#usecases'
import { startListeningProxy } from './s3-proxy.ts'
import { makeScene, skip, type Scene } from './s3-scene.ts'
import { assertKept, assertRestores, isLock, lockedVault, packsOfSnapshots, servicesOf, unlike } from './s3-vault.ts'

const yearMs = 366 * 24 * 3600 * 1000

/** The end of the calendar year so many years from now, where the shop is. */
function endOfYear(years: number): number {
  const { year } = Temporal.Now.zonedDateTimeISO('Europe/Amsterdam')
  return Temporal.ZonedDateTime.from(`${year + years + 1}-01-01T00:00[Europe/Amsterdam]`).epochMilliseconds
}

describe('a vault in S3 with Object Lock', { skip }, () => {
  let scene: Scene
  before(async () => {
    scene = await makeScene()
  })
  after(() => scene?.[Symbol.asyncDispose]())

  for (const direct of [false, true]) {
    const how = direct ? 'a run into it' : 'a copy to it'
    test(`after ${how} all that a snapshot needs is locked for its term, also what it shares with older ones`, async () => {
      await using vault = await lockedVault(scene, { mode: 'compliance', direct })
      const present = async () => (await vault.versions()).filter((version) => !isLock(version))
      await vault.done('init')
      await vault.done('run')
      const first = await present()
      assert.ok(first.length > 5)
      for (const { key, mode, untilMs } of first) assert.deepEqual([mode, untilMs], ['COMPLIANCE', endOfYear(1)], key)
      await vault.place.write('shop/gone', unlike(200_000))
      await vault.done('run')
      await rm(vault.place.at('shop/gone'))
      await vault.place.write('shop/new', unlike(100_000))
      const second = await present()

      await using later = await servicesOf(vault.place, yearMs)
      const report = await runProject(
        later.services,
        { project: later.configuration.projects[0]! },
        new AbortController().signal,
      )
      assert.equal(report.status, 'complete', JSON.stringify(report.findings))
      const third = await present()
      assertKept(second, third)
      const [, middle, newest] = await packsOfSnapshots(scene, vault)
      const long = new Set(newest!.packs)
      assert.ok(
        second.some(({ key }) => long.has(key)),
        'the snapshots share packs',
      )
      assert.ok(
        middle!.packs.some((key) => !long.has(key)),
        'not all of them',
      )
      for (const { key, untilMs } of third.filter((version) => /\/(?:data|snapshots|keys|config)/.test(version.key))) {
        const isLong = long.has(key) || /\/(?:config|keys\/.*)$/.test(key) || key.endsWith(newest!.id)
        assert.equal(untilMs, endOfYear(isLong ? 2 : 1), key)
      }
      for (const { key, packs } of newest!.indexes) {
        const isLong = packs.some((pack) => long.has(pack))
        assert.equal(third.find((version) => version.key === key)!.untilMs, endOfYear(isLong ? 2 : 1), key)
      }

      await vault.configure({ keep: '{ for: 7 years }' })
      await vault.done('run')
      for (const { key, untilMs } of await present()) assert.ok(untilMs! >= endOfYear(7), key)
      await assertRestores(vault)
    })
  }

  test('one more run asks for the locks of what is new, and is signed for the region that is configured', async () => {
    await using proxy = await startListeningProxy(scene.server.port)
    const more = '    region: eu-test-7\n'
    await using vault = await lockedVault(scene, { mode: 'compliance', endpoint: proxy.endpoint, more })
    await vault.done('init')
    await vault.done('run')
    const before = await vault.versions()
    const first = proxy.take()
    assert.ok(first.length > 50)
    for (const { authorization, path } of first) assert.match(authorization, /\/eu-test-7\/s3\/aws4_request/, path)
    await vault.place.write('shop/small', 'other')
    const lockRequests = async (): Promise<string[]> => {
      proxy.take()
      await vault.done('run')
      const keyOf = (path: string): string => path.slice(`/${vault.bucket}/`.length).replace(/\?.*/, '')
      return proxy.take().flatMap(({ path }) => (path.includes('retention') ? [keyOf(path)] : []))
    }
    const asked = await lockRequests()
    const known = new Set(before.map(({ key }) => key))
    assert.deepEqual(
      asked.filter((key) => known.has(key)),
      [],
    )
    assert.equal(new Set(asked).size, (await vault.versions()).filter(({ key }) => !known.has(key)).length)

    await rm(vault.place.at('state/cache'), { recursive: true })
    const all = new Set(await lockRequests())
    assert.deepEqual(
      [...known].filter((key) => !all.has(key)),
      [],
      'what is forgotten is asked for again',
    )
  })

  test('what cannot be locked makes a run and its copy incomplete, and keeps nothing else from being locked', async () => {
    await using vault = await lockedVault(scene, { mode: 'governance' })
    await vault.done('init')
    await vault.done('run')
    const before = await vault.versions()
    const [lost, ...others] = before.filter(({ key }) => key.includes('/data/'))
    const target = { Bucket: vault.bucket, Key: lost!.key, VersionId: lost!.id }
    await scene.owner.deleteObject({ ...target, BypassGovernanceRetention: true })
    await vault.configure({ keep: '{ for: 3 years }' })
    const { code, out } = await vault.place.bewaar('run', '--json')
    assert.equal(code, 3)
    const [{ status, copies, findings }] = JSON.parse(out) as [{ status: string; copies: object[]; findings: object[] }]
    assert.equal(status, 'incomplete')
    assert.deepEqual(copies, [{ vault: 's3', status: 'failed' }])
    const name = lost!.key.replace(/.*\//, '').slice(0, 10)
    const text = `is too short or missing: pack ${name} is not in s3:${vault.bucket}/bewaar/shop`
    assert.deepEqual(findings, [
      { vault: 's3', project: 'shop', subject: 'object lock in s3', severity: 'warning', text },
    ])
    const now = await vault.versions()
    for (const { key } of others) assert.equal(now.find((version) => version.key === key)!.untilMs, endOfYear(3), key)
  })

  test('a lock that somebody has weakened is mended within thirty days', async () => {
    await using vault = await lockedVault(scene, { mode: 'governance', direct: true })
    await vault.done('init')
    await vault.done('run')
    const before = (await vault.versions()).filter((version) => !isLock(version))
    const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + 60_000) } as const
    for (const { key: Key, id: VersionId } of before) {
      const target = { Bucket: vault.bucket, Key, VersionId }
      await scene.owner.putObjectRetention({ ...target, Retention, BypassGovernanceRetention: true })
    }
    await using later = await servicesOf(vault.place, 30 * 24 * 3600 * 1000)
    const report = await runProject(
      later.services,
      { project: later.configuration.projects[0]! },
      new AbortController().signal,
    )
    assert.equal(report.status, 'complete', JSON.stringify(report.findings))
    assertKept(before, await vault.versions())
  })
})
