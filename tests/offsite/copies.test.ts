import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { needs } from '../needs.ts'
import { freePort, startSshd, type TestSshd } from '../remote/sshd.ts'
import {
  boxOf,
  bytesOf,
  checkedByRestic,
  copiesScene,
  knownOn,
  packsIn,
  until,
  type CopyReport,
  type RunReport,
} from './copies-scene.ts'
import { FaultProxy } from './proxy.ts'
import { bytesBelow } from './stored-bytes.ts'

const megabyte = 1_000_000
const limits = { config: 'Match User {user}\nForceCommand internal-sftp' }

suite('copies to places elsewhere', { skip: needs('sshd', 'ssh', 'restic'), concurrency: 1 }, () => {
  let sshd: TestSshd
  before(async () => {
    sshd = await startSshd(limits)
  })
  after(() => sshd?.[Symbol.asyncDispose]())
  const inHome = (...names: string[]): string => join(sshd.home, ...names)

  test('a vault that is down keeps no other from its copy, and gets its own from whatever comes next', async () => {
    // nothing listens there until the proxy does
    const port = await freePort()
    appendFileSync(sshd.target.knownHosts, knownOn(sshd, port))
    const vaults = { disk: ['location: ./disk'], box: boxOf(sshd, 'down', port) }
    await using scene = await copiesScene({ vaults, files: [3 * megabyte, 1000] })

    const init = await scene.ends(1, 'init')
    assert.match(init.out, /^shop +near +created .*\nshop +disk +created .*\nshop +box +failed .*\n/m)
    assert.match(init.out, /^shop in box: .*\n.*\n +\(remote\.unreachable\)$/m)

    const [run] = await scene.json<RunReport[]>(3, 'run')
    const statuses = ({ copies }: RunReport): string =>
      copies.map(({ vault, status }) => `${vault} ${status}`).join(', ')
    assert.deepEqual([run!.status, statuses(run!)], ['incomplete', 'disk complete, box failed'])
    assert.match(run!.findings.find(({ vault }) => vault === 'box')!.text, /127\.0\.0\.1/)
    const logged = await scene.ends(0, 'logs')
    assert.match(logged.out, /copy +shop +disk +complete/)
    assert.match(logged.out, /Copy from near to box failed, 0 new: /)
    assert.equal((await scene.json<CopyReport[]>(1, 'copy', '--due'))[0]!.error!.code, 'remote.unreachable')

    {
      await using _ = await FaultProxy.start(sshd.port, port)
      await scene.ends(0, 'init')
      const due = await scene.json<CopyReport[]>(0, 'copy', '--due')
      assert.deepEqual(
        due.map(({ from, vault, status, snapshots, verified }) => [from, vault, status, snapshots, verified]),
        [['near', 'box', 'complete', 1, 1]],
      )
      assert.deepEqual(await scene.json(0, 'copy', '--due'), [])
    }
    {
      await scene.change(1)
      assert.equal((await scene.json<RunReport[]>(3, 'run'))[0]!.status, 'incomplete')
      await using _ = await FaultProxy.start(sshd.port, port)
      const before = await scene.json<{ vault: string; snapshots: object[] }[]>(0, 'copy', '--dry-run')
      assert.deepEqual(
        before.map(({ vault, snapshots }) => `${vault} lacks ${snapshots.length}`),
        ['disk lacks 0', 'box lacks 1'],
      )
      await scene.ends(0, 'run')
      assert.deepEqual(await scene.json(0, 'copy', '--due'), [])
    }
    for (const repository of [inHome('down', 'shop'), scene.place.at('disk/shop')]) {
      assert.match(await checkedByRestic(scene.place, repository), /3 \/ 3 snapshots/)
    }
  })

  test('a copy that is killed goes on where it was', async () => {
    const slow = [...boxOf(sshd, 'killed'), 'bandwidth: 20 MB/s']
    const size = 60 * megabyte
    await using scene = await copiesScene({
      vaults: { box: slow },
      copies: '[{ to: box, schedule: daily 01:00 }]',
      files: [size],
    })
    await scene.ends(0, 'init')
    await scene.ends(0, 'run')
    const repository = inHome('killed', 'shop')
    const { child, ended } = scene.start('copy')
    await until(() => packsIn(repository).length >= 2, ended)
    child.kill('SIGKILL')
    await ended
    const left = packsIn(repository)
    assert.ok(left.length >= 2 && left.length <= 3, `${left.length} packs`)
    assert.ok(!existsSync(join(repository, 'index')) || bytesBelow(join(repository, 'index')) === 0)

    const leftBytes = bytesOf(repository)
    const [due] = await scene.json<CopyReport[]>(0, 'copy', '--due')
    assert.deepEqual([due!.status, due!.snapshots], ['complete', 1])
    assert.ok(
      due!.bytesAdded < size * 1.01 - leftBytes,
      `${due!.bytesAdded} bytes sent beside ${leftBytes} that were there`,
    )
    const twice = bytesOf(repository) - size
    assert.ok(twice < size * 0.01, `${twice} bytes lie there twice`)
    assert.match((await scene.ends(0, 'logs')).out, /Copy from near to box failed: its process was killed/)
    await checkedByRestic(scene.place, repository)
  })

  test('after a change of one per cent less than three per cent are sent', async () => {
    await using proxy = await FaultProxy.start(sshd.port)
    appendFileSync(sshd.target.knownHosts, knownOn(sshd, proxy.port))
    const files = Array.from({ length: 50 }, () => megabyte)
    const vaults = { box: boxOf(sshd, 'changed', proxy.port) }
    await using scene = await copiesScene({ vaults, copies: '[{ to: box, schedule: daily 01:00 }]', files })
    await scene.ends(0, 'init')
    await scene.ends(0, 'run')
    await scene.ends(0, 'copy', '--verify=10%')
    // because half a file of fifty is one per cent of the data
    const path = scene.place.at('shop/7.bin')
    const bytes = readFileSync(path)
    writeFileSync(path, Buffer.concat([randomFillSync(Buffer.alloc(megabyte / 2)), bytes.subarray(megabyte / 2)]))
    await scene.ends(0, 'run')
    const traffic = proxy.record()
    const [copy] = await scene.json<CopyReport[]>(0, 'copy', '--to=box')
    assert.equal(copy!.status, 'complete')
    assert.ok(traffic.up.bytes < 0.03 * 50 * megabyte, `${traffic.up.bytes} bytes were sent`)
  })

  test('a run that writes to a vault elsewhere is copied to a disk here, and back', async () => {
    const vaults = { box: boxOf(sshd, 'direct') }
    await using scene = await copiesScene({ vaults, vault: 'box', copies: '[{ to: near }]', files: [3 * megabyte] })
    await scene.ends(0, 'init')
    const [run] = await scene.json<RunReport[]>(0, 'run')
    assert.deepEqual([run!.status, run!.copies], ['complete', [{ vault: 'near', status: 'complete' }]])
    await checkedByRestic(scene.place, scene.place.at('near/shop'))

    const { code } = await scene.place.run('rm', ['-r', inHome('direct', 'shop')]).ended
    assert.equal(code, 0)
    await scene.ends(0, 'init')
    const [back] = await scene.json<CopyReport[]>(0, 'copy', '--from=near', '--to=box')
    assert.deepEqual([back!.from, back!.vault, back!.status, back!.snapshots], ['near', 'box', 'complete', 1])
    await checkedByRestic(scene.place, inHome('direct', 'shop'))
    await scene.ends(2, 'copy', '--from=box', '--due')
  })
})
