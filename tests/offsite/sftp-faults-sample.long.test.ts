import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, suite, test } from 'node:test'

import { loadAll } from '#engine/testing'
import { needs } from '../needs.ts'
import { endProcess, run, startSshd, type TestSshd } from '../remote/sshd.ts'
import { assertWhole, bytesOf, faultCases, openLane, packsIn, refOf, sufferAll } from './sftp-faults.ts'
import { ownSshProcesses } from './sftp-place.ts'

suite('SFTP over a network that fails', { skip: needs('sshd', 'ssh') }, () => {
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

  test('every operation succeeds after the fault, and nothing has its final name that is not whole', async () => {
    const cases = faultCases(42, 1)
    const struck = await sufferAll(sshd, cases, 4)
    assert.ok(struck.length > 0.9 * cases.length, `${struck.length} faults struck`)
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

  test('a server that is restarted is found again', async () => {
    await using lane = await openLane(sshd)
    const bodies = Array.from({ length: 12 }, (_, nth) => bytesOf(nth + 100))
    const saving = Promise.all(bodies.map((body) => lane.backend.save(refOf(body), body)))
    for (const pid of sshd.sessions()) endProcess(pid)
    await saving
    assertWhole(lane.path)
    assert.equal(packsIn(lane.path).length, 12)
  })

  test('a login that is revoked, and a host key that has changed, are not tried again', async () => {
    const other = join(sshd.folder, 'other')
    run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other])
    const authorized = join(sshd.home, '.ssh', 'authorized_keys')
    const allowed = readFileSync(authorized)
    for (const [code, break_] of [
      ['remote.denied', () => writeFileSync(authorized, '')],
      [
        'remote.host-key',
        (knownHosts: string, port: number) =>
          writeFileSync(knownHosts, `[127.0.0.1]:${port} ${readFileSync(`${other}.pub`, 'utf8')}`),
      ],
    ] as const) {
      await using lane = await openLane(sshd)
      const body = bytesOf(3)
      break_(lane.place.target.knownHosts!, lane.proxy.port)
      lane.proxy.arm({ action: 'reset', direction: 'up', at: 100_000 })
      await assert.rejects(lane.backend.save(refOf(body), body), { code })
      assert.equal(lane.proxy.connections, 2)
      assert.deepEqual(packsIn(lane.path), [])
      writeFileSync(authorized, allowed)
    }
    rmSync(other)
  })
})
