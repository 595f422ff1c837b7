import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'

import { AppError, pause, Secret, systemCode } from '#base'
import { createRest, type Backend } from '#engine'
import { needs } from '../needs.ts'
import { run as runNow } from '../remote/sshd.ts'
import { startPlace, startRestSshPlace, startSftpPlace, type FaultPlace } from './fault-places.ts'
import { assertSound, assertWhole, countFiles, openRun, store, tryingAgain, type Way } from './fault-run.ts'
import { FaultProxy } from './proxy.ts'
import { restartRclone, startRclone } from './rest-server.ts'
import { skip as withoutS3 } from './s3-scene.ts'
import { targetBehind } from './sftp-place.ts'

/** So many megabytes that something can happen while they are stored. */
const manyBytes = Array.from({ length: 8 }, () => 4_000_000)
/** A server needs some seconds to come back. */
const patient = tryingAgain({ firstDelayMs: 200, longestDelayMs: 4000, attempts: 10 })

/** A proxy before a place, and the way through it to a repository. */
async function wayThrough(place: FaultPlace): Promise<AsyncDisposable & { way: Way; proxy: FaultProxy }> {
  await using undo = new AsyncDisposableStack()
  const proxy = undo.use(await FaultProxy.start(place.port))
  const cache = mkdtempSync(join(tmpdir(), 'bewaar-faults-'))
  undo.defer(() => rmSync(cache, { recursive: true, force: true }))
  const stack = undo.move()
  const way = { place, port: proxy.port, repository: 'scene', cache, wrap: patient }
  return { way, proxy, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

/** Waits until so many bytes have passed to the server since it was called. */
async function afterSent(proxy: FaultProxy, bytes: number): Promise<void> {
  const traffic = proxy.record()
  while (traffic.up.bytes < bytes) await pause(2)
}

/** The repository is whole, and the next run complete and sound. */
async function assertMended(way: Way): Promise<void> {
  await assertWhole(way.place, way.repository)
  await using again = await openRun('open', way)
  await store(again.repository, 2)
  await assertSound(again.repository)
}

suite('a server that is killed during a run and comes back', () => {
  for (const [kind, skip] of [
    ['sftp', needs('sshd', 'ssh')],
    ['sftp-bare', needs('sshd', 'ssh')],
    ['s3', withoutS3],
  ] as const) {
    test(`${kind}: the run goes on`, { skip }, async () => {
      await using place = await startPlace(kind)
      await using scene = await wayThrough(place)
      const { way, proxy } = scene
      {
        await using opened = await openRun('create', way)
        const storing = store(opened.repository, 1, manyBytes)
        await afterSent(proxy, 6_000_000)
        await place.stop()
        await pause(500)
        await place.restart()
        await storing
        await assertSound(opened.repository)
      }
      await assertMended(way)
    })
  }

  for (const [kind, skip] of [
    ['rest', needs('rclone')],
    ['rest-ssh', needs('rclone', 'sshd', 'ssh')],
  ] as const) {
    test(`${kind}: the run goes on, or says that rclone kept a part of a file`, { skip }, async () => {
      await using place = await startPlace(kind)
      await using scene = await wayThrough(place)
      const { way, proxy } = scene
      {
        await using opened = await openRun('create', way)
        const storing = store(opened.repository, 1, manyBytes)
        storing.catch(() => {})
        await afterSent(proxy, 6_000_000)
        await place.stop()
        await pause(500)
        await place.restart()
        await storing.catch((thrown: unknown) => {
          assert.ok(thrown instanceof AppError)
          assert.equal(thrown.code, 'backend.half-stored')
        })
        await store(opened.repository, 3)
        await assertSound(opened.repository)
      }
      await using again = await openRun('open', way)
      await assertSound(again.repository)
    })
  }
})

test('an upload that the server learns late has broken off takes no file away', { skip: needs('rclone') }, async () => {
  await using place = await startPlace('rest')
  await using late = await FaultProxy.start(place.port)
  late.tellsServer = false
  await using scene = await wayThrough({ ...place, port: late.port })
  const { way } = scene
  {
    await using opened = await openRun('create', way)
    late.arm({ action: 'stall', direction: 'up', at: 5_000_000 })
    const ended: unknown = await store(opened.repository, 1, manyBytes).catch((thrown: unknown) => thrown)
    assert.ok(ended === undefined || systemCode(ended) === 'backend.half-stored', 'it ended otherwise')
    assert.ok(late.hasStruck)
    await store(opened.repository, 1, manyBytes)
  }
  await using opened = await openRun('open', { ...way, port: place.port })
  await late[Symbol.asyncDispose]() // only now the first connection ends for the server
  await pause(1000)
  await assertWhole(place, way.repository)
  await assertSound(opened.repository)
})

suite('a disk that is full on the other side', { skip: needs('root') }, () => {
  /** A small disk where the server keeps its repositories. */
  function mountSmall(folder: string, uid: number, megabytes: number): Disposable {
    mkdirSync(folder, { recursive: true })
    runNow('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,uid=${uid}`, 'tmpfs', folder])
    return { [Symbol.dispose]: () => void spawnSync('umount', ['-l', folder]) }
  }

  test(
    'over SFTP ends the run at once, loses nothing, and the next run is whole',
    { skip: needs('sshd') },
    async () => {
      await using place = await startSftpPlace()
      const folder = join(place.sshd.home, 'backups')
      using _ = mountSmall(folder, place.sshd.user.uid, 8)
      await using scene = await wayThrough(place)
      const { way, proxy } = scene
      {
        await using opened = await openRun('create', way)
        await store(opened.repository, 1)
        const before = proxy.connections
        await assert.rejects(store(opened.repository, 3, manyBytes), { code: 'backend.full', kind: 'denied' })
        assert.equal(proxy.connections, before)
        runNow('mount', ['-o', 'remount,size=64m', folder])
        await assertSound(opened.repository)
      }
      await assertMended(way)
      assert.equal(await countFiles(place, way.repository, 'lock'), 0)
    },
  )

  test('over rclone ends the run after some tries, and the next run is whole', { skip: needs('rclone') }, async () => {
    await using undo = new AsyncDisposableStack()
    const folder = mkdtempSync(join(tmpdir(), 'bewaar-small-'))
    undo.defer(() => rmSync(folder, { recursive: true, force: true }))
    undo.use(mountSmall(folder, 0, 8))
    const server = undo.use(await restartRclone({ url: 'http://127.0.0.1:0', folder }))
    const connect = (): Promise<Backend> => createRest({ url: `${server.url}/scene/` })
    const place = { ...stillPlace(connect), direct: connect, port: Number(new URL(server.url).port) }
    await using scene = await wayThrough(place)
    const { way } = scene
    {
      await using opened = await openRun('create', { ...way, wrap: tryingAgain() })
      await store(opened.repository, 1)
      await assert.rejects(store(opened.repository, 3, manyBytes), { kind: 'unavailable' })
      runNow('mount', ['-o', 'remount,size=64m', folder])
      await assertSound(opened.repository)
    }
    await assertMended(way)
  })
})

suite('what is taken back during a run is not tried again', () => {
  /** Stores while the connection is reset, after `change`. @returns what it threw, and how many connections were made. */
  async function storeAfter(
    { way, proxy }: { way: Way; proxy: FaultProxy },
    change: () => unknown,
  ): Promise<{ thrown: AppError; connections: number }> {
    await using opened = await openRun('create', way)
    await store(opened.repository, 1)
    const before = proxy.connections
    await change()
    proxy.arm({ action: 'reset', direction: 'up', at: 1000 })
    const thrown = await store(opened.repository, 3, manyBytes).then(
      () => assert.fail('it was stored'),
      (thrown: unknown) => thrown,
    )
    assert.ok(thrown instanceof AppError)
    return { thrown, connections: proxy.connections - before }
  }

  for (const [name, start, skip] of [
    ['SFTP', startSftpPlace, needs('sshd', 'ssh')],
    ['REST over SSH', startRestSshPlace, needs('sshd', 'ssh', 'rclone')],
  ] as const) {
    test(`the login, over ${name}`, { skip }, async () => {
      await using place = await start()
      await using scene = await wayThrough(place)
      const authorized = join(place.sshd.home, '.ssh', 'authorized_keys')
      const allowed = readFileSync(authorized)
      const { thrown, connections } = await storeAfter(scene, () => writeFileSync(authorized, ''))
      assert.deepEqual([thrown.code, thrown.kind], ['remote.denied', 'denied'])
      assert.match(thrown.hint, /authorized_keys/)
      assert.ok(connections <= 8, `${connections} connections`)
      writeFileSync(authorized, allowed)
      await assertMended(scene.way)
    })

    test(`the host key that is known, over ${name}`, { skip }, async () => {
      await using place = await start()
      await using scene = await wayThrough(place)
      const other = join(place.sshd.folder, 'other')
      runNow('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other])
      const { knownHosts } = targetBehind(place.sshd, scene.proxy.port)
      const { thrown, connections } = await storeAfter(scene, () =>
        writeFileSync(knownHosts, `[127.0.0.1]:${scene.proxy.port} ${readFileSync(`${other}.pub`, 'utf8')}`),
      )
      assert.equal(thrown.code, 'remote.host-key')
      assert.ok(thrown.message.includes(`is not the one in ${knownHosts} (line 1)`), thrown.message)
      assert.match(thrown.hint, /ssh-keyscan -p \d+ 127\.0\.0\.1 .*ssh-keygen -f .* -R /)
      assert.ok(connections <= 8, `${connections} connections`)
      rmSync(knownHosts)
      await assertMended(scene.way)
    })
  }

  test('the password, over REST', { skip: needs('rclone') }, async () => {
    const login = (password: string): string[] => ['--user', 'bewaar', '--pass', password]
    await using undo = new AsyncDisposableStack()
    const server = undo.use(await startRclone(...login('first')))
    const { host, port } = new URL(server.url)
    const connectVia = (to: number): Promise<Backend> =>
      createRest({ url: `http://127.0.0.1:${to}/scene/`, user: 'bewaar', password: new Secret('first') })
    const place = { ...stillPlace(connectVia), direct: () => connectVia(Number(port)), port: Number(port) }
    await using scene = await wayThrough(place)
    const { thrown, connections } = await storeAfter(scene, async () => {
      process.kill(server.pid, 'SIGKILL')
      undo.use(await startRclone('--addr', host, ...login('second')))
    })
    assert.deepEqual([thrown.code, thrown.kind], ['backend.denied', 'denied'])
    assert.match(thrown.message, /user or password is not right/)
    assert.ok(connections <= 20, `${connections} connections`)
  })
})

/** A place that is only opened. */
function stillPlace(connect: (port: number) => Promise<Backend>): FaultPlace {
  const nothing = async (): Promise<void> => {}
  return {
    port: 0,
    stallMs: 3000,
    keepsParts: false,
    connect: (_, port) => connect(port),
    direct: () => connect(0),
    stop: nothing,
    restart: nothing,
    restic: () => ({ at: '', env: {} }),
    [Symbol.asyncDispose]: nothing,
  }
}
