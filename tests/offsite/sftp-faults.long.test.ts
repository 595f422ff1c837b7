import assert from 'node:assert/strict'
import { after, afterEach, before, suite, test } from 'node:test'

import { loadAll } from '#engine/testing'
import { needs } from '../needs.ts'
import { startSshd, type TestSshd } from '../remote/sshd.ts'
import { assertWhole, bytesOf, openLane, packsIn, refOf } from './sftp-faults.ts'
import { ownSshProcesses } from './sftp-place.ts'

suite('one backend over SFTP, over a network that fails', { skip: needs('sshd', 'ssh') }, () => {
  let sshd: TestSshd
  before(async () => {
    sshd = await startSshd()
  })
  after(async () => {
    await sshd?.[Symbol.asyncDispose]()
  })
  afterEach(() => {
    assert.deepEqual(ownSshProcesses(), [], 'no ssh is left behind')
  })

  test('one byte a time is given up for another connection', async () => {
    await using lane = await openLane(sshd, { stallMs: 800, slowestSave: 1e9 })
    const body = bytesOf(1)
    lane.proxy.arm({ action: 'slow', direction: 'up', at: 100_000 })
    await lane.backend.save(refOf(body), body)
    assertWhole(lane.path)
    assert.ok(lane.proxy.connections >= 2 && lane.proxy.connections <= 4)
  })

  test('a place that stays away is tried a bounded number of times, and comes back when it does', async () => {
    await using lane = await openLane(sshd, { attempts: 4 })
    const body = bytesOf(2)
    lane.proxy.arm({ action: 'refuse', direction: 'up', at: 50_000, refusals: 1000 })
    await assert.rejects(lane.backend.save(refOf(body), body), { kind: 'unavailable' })
    assert.equal(lane.proxy.connections, 4)
    await assert.rejects(loadAll(lane.backend, refOf(body)), { kind: 'unavailable' })
    assert.equal(lane.proxy.connections, 8)
    assert.deepEqual(packsIn(lane.path), [])
    lane.proxy.heal()
    await lane.backend.save(refOf(body), body)
    assertWhole(lane.path)
  })
})
