import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { needs } from '../needs.ts'
import { endProcess, startSshd, type TestSshd } from '../remote/sshd.ts'
import {
  boxOf,
  bytesOf,
  checkedByRestic,
  copiesScene,
  packsIn,
  password,
  until,
  type CopyReport,
  type RunReport,
} from './copies-scene.ts'
import { restartRclone, startRclone } from './rest-server.ts'
import { makeScene, skip as skipS3 } from './s3-scene.ts'

const megabyte = 1_000_000

suite('copies to a server that changes', { skip: needs('sshd', 'ssh', 'restic'), concurrency: 1 }, () => {
  let sshd: TestSshd
  before(async () => {
    sshd = await startSshd({ config: 'Match User {user}\nForceCommand internal-sftp' })
  })
  after(() => sshd?.[Symbol.asyncDispose]())
  const inHome = (...names: string[]): string => join(sshd.home, ...names)

  test('a server whose key has changed gets nothing, and the others get theirs', async () => {
    const knownHosts = `${sshd.folder}/changed_hosts`
    const [location, identity] = boxOf(sshd, 'changed-key')
    const vaults = { box: [location!, identity!, `known-hosts: ${knownHosts}`], disk: ['location: ./disk'] }
    writeFileSync(knownHosts, readFileSync(sshd.target.knownHosts))
    await using scene = await copiesScene({ vaults, files: [1000] })
    await scene.ends(0, 'init')
    const other = readFileSync(`${sshd.folder}/identity.pub`, 'utf8')
    writeFileSync(knownHosts, `[127.0.0.1]:${sshd.port} ${other}`)
    const [run] = await scene.json<RunReport[]>(3, 'run')
    assert.deepEqual(
      run!.copies.map(({ status }) => status),
      ['failed', 'complete'],
    )
    const [copy] = await scene.json<CopyReport[]>(1, 'copy', '--to=box')
    assert.equal(copy!.error!.code, 'remote.host-key')
    writeFileSync(knownHosts, readFileSync(sshd.target.knownHosts))
    assert.equal((await scene.json<CopyReport[]>(0, 'copy', '--due'))[0]!.status, 'complete')
  })

  test('a key that is revoked in the middle of a copy ends it, and what was sent stays', async () => {
    const slow = [...boxOf(sshd, 'revoked'), 'bandwidth: 20 MB/s']
    await using scene = await copiesScene({ vaults: { box: slow, disk: ['location: ./disk'] }, files: [50 * megabyte] })
    await scene.ends(0, 'init')
    const { ended } = scene.start('run', '--json')
    const repository = inHome('revoked', 'shop')
    await until(() => packsIn(repository).length > 0, ended)
    const authorized = inHome('.ssh', 'authorized_keys')
    const keys = readFileSync(authorized)
    writeFileSync(authorized, '')
    for (const pid of sshd.sessions()) endProcess(pid)
    const { code, out } = await ended
    writeFileSync(authorized, keys)
    const [run] = JSON.parse(out) as RunReport[]
    assert.deepEqual([code, run!.status], [3, 'incomplete'])
    assert.deepEqual(
      run!.copies.map(({ status }) => status),
      ['failed', 'complete'],
    )
    const there = packsIn(repository)
    assert.ok(there.length > 0)
    const [copy] = await scene.json<CopyReport[]>(0, 'copy', '--due')
    assert.deepEqual([copy!.vault, copy!.status, copy!.snapshots], ['box', 'complete', 1])
    assert.ok(copy!.bytesAdded < 50 * megabyte - there.length * 10 * megabyte)
    await checkedByRestic(scene.place, repository)
  })

  test('a server that is started anew in the middle of a copy gets all of it', async () => {
    const slow = [...boxOf(sshd, 'restarted'), 'bandwidth: 20 MB/s']
    await using scene = await copiesScene({ vaults: { box: slow }, files: [50 * megabyte] })
    await scene.ends(0, 'init')
    const { ended } = scene.start('run', '--json')
    const repository = inHome('restarted', 'shop')
    await until(() => packsIn(repository).length > 0, ended)
    for (const pid of sshd.sessions()) endProcess(pid)
    const { code, out, err } = await ended
    assert.equal(code, 0, out + err)
    assert.ok(bytesOf(repository) < 51 * megabyte, `${bytesOf(repository)} bytes`)
    await checkedByRestic(scene.place, repository)
  })

  test('vaults that cut files in different ways are told of', async () => {
    await using scene = await copiesScene({ vaults: { disk: ['location: ./disk'] }, files: [1000] })
    const env = { RESTIC_PASSWORD: password }
    for (const vault of ['near', 'disk']) {
      const { code, err } = await scene.place.run('restic', ['--no-cache', 'init', '--repo', `${vault}/shop`], { env })
        .ended
      assert.equal(code, 0, err)
    }
    await scene.ends(0, 'init')
    const [run] = await scene.json<RunReport[]>(0, 'run')
    assert.match(run!.findings[0]!.text, /cuts files in another way than the source/)
  })
})

suite(
  'copies to vaults of each kind',
  { skip: needs('sshd', 'ssh', 'restic', 'rclone') || skipS3, concurrency: 1 },
  () => {
    test('four vaults get their copies at once, also when one of them goes away for good', async () => {
      await using sshd = await startSshd()
      await using s3 = await makeScene()
      const bucket = await s3.makeBucket('plain')
      const { endpoint, accessKey, secretKey } = s3.server
      const files = Array.from({ length: 40 }, () => megabyte)
      await using undo = new AsyncDisposableStack()
      let rclone = undo.use(await startRclone())
      const vaults = {
        box: boxOf(sshd, 'box'),
        rest: [`location: rest:${rclone.url}/backups`],
        bucket: [
          `location: s3+${endpoint}/${bucket}/backups`,
          'access-key: { env: ACCESS_KEY }',
          'secret-key: { env: SECRET_KEY }',
          `region: ${s3.server.region}`,
        ],
        disk: ['location: ./disk'],
      }
      const env = { ACCESS_KEY: accessKey.reveal(), SECRET_KEY: secretKey.reveal() }
      await using scene = await copiesScene({ vaults, files, env })
      await scene.ends(0, 'init')
      const statuses = ({ copies }: RunReport): string[] => copies.map(({ vault, status }) => `${vault} ${status}`)
      const [first] = await scene.json<RunReport[]>(0, 'run')
      assert.deepEqual(statuses(first!), ['box complete', 'rest complete', 'bucket complete', 'disk complete'])

      await scene.change(3, 4)
      process.kill(rclone.pid, 'SIGKILL')
      const [second] = await scene.json<RunReport[]>(3, 'run')
      assert.deepEqual(statuses(second!), ['box complete', 'rest failed', 'bucket complete', 'disk complete'])
      rclone = undo.use(await restartRclone(rclone))
      const due = await scene.json<CopyReport[]>(0, 'copy', '--due')
      assert.deepEqual(
        due.map(({ vault, status, snapshots }) => [vault, status, snapshots]),
        [['rest', 'complete', 1]],
      )
      assert.ok(due[0]!.bytesAdded < 2.5 * megabyte)

      for (const repository of [
        join(sshd.home, 'box/shop'),
        `rest:${rclone.url}/backups/shop/`,
        scene.place.at('disk/shop'),
      ]) {
        await checkedByRestic(scene.place, repository)
      }
      const keys = { AWS_ACCESS_KEY_ID: env.ACCESS_KEY, AWS_SECRET_ACCESS_KEY: env.SECRET_KEY }
      await checkedByRestic(scene.place, `s3:${endpoint}/${bucket}/backups/shop`, keys)
    })

    test('a bucket that refuses the key keeps no other vault from its copy, and gets its own later', async () => {
      await using s3 = await makeScene()
      const bucket = await s3.makeBucket('plain')
      const { endpoint, accessKey, secretKey, region } = s3.server
      const settings = (key: string): string[] => [
        `location: s3+${endpoint}/${bucket}/backups`,
        'access-key: { env: ACCESS_KEY }',
        `secret-key: { env: ${key} }`,
        `region: ${region}`,
        'bandwidth: 20 MB/s',
      ]
      const env = { ACCESS_KEY: accessKey.reveal(), SECRET_KEY: secretKey.reveal(), WRONG_KEY: 'wrong' }
      const files = [40 * megabyte]
      await using scene = await copiesScene({
        vaults: { bucket: settings('SECRET_KEY'), disk: ['location: ./disk'] },
        files,
        env,
      })
      await scene.ends(0, 'init')
      await scene.configure({ vaults: { bucket: settings('WRONG_KEY'), disk: ['location: ./disk'] } })
      const [run] = await scene.json<RunReport[]>(3, 'run')
      assert.deepEqual(
        run!.copies.map(({ vault, status }) => `${vault} ${status}`),
        ['bucket failed', 'disk complete'],
      )
      await scene.configure({ vaults: { bucket: settings('SECRET_KEY'), disk: ['location: ./disk'] } })
      assert.equal((await scene.json<CopyReport[]>(0, 'copy', '--due'))[0]!.status, 'complete')
    })
  },
)
