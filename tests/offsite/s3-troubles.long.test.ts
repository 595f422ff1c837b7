import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { inspect } from 'node:util'

import { Secret } from '#base'
import { startPickyProxy, startProxy, type Proxy } from './s3-proxy.ts'
import { makeScene, openS3, readFile, skip, type S3Backend, type Scene } from './s3-scene.ts'

const name = 'a'.repeat(64)
const pack = { type: 'pack', name } as const
const config = { type: 'config', name: '' } as const

describe('S3, when something is wrong', { skip }, () => {
  let scene: Scene
  let proxy: Proxy
  let bucket: string
  before(async () => {
    scene = await makeScene()
    proxy = await startProxy(scene.server.port)
    bucket = await scene.makeBucket('plain')
  })
  after(async () => {
    await proxy?.[Symbol.asyncDispose]()
    await scene?.[Symbol.asyncDispose]()
  })

  test('a bucket that is not there is a place that is not there', async () => {
    await assert.rejects(scene.open('no-such-bucket'), { code: 'backend.place-missing', kind: 'missing' })
  })

  test('wrong keys are refused, and no message, fact or cause shows a key', async () => {
    const wrong = new Secret('canary-of-a-secret-key')
    const unknown = new Secret('canary-of-an-access-key')
    for (const [options, reason] of [
      [{ secretKey: wrong }, /the secret key does not fit/],
      [{ accessKey: unknown }, /the access key is not known/],
    ] as const) {
      const thrown: unknown = await scene.open(bucket, options).catch((error: unknown) => error)
      assert.ok(thrown instanceof Error)
      assert.match(thrown.message, reason)
      assert.equal((thrown as Error & { code: string }).code, 'backend.denied')
      const shown = `${inspect(thrown, { depth: 20, showHidden: true })} ${thrown.message}`
      for (const secret of [wrong, unknown, scene.server.accessKey, scene.server.secretKey]) {
        assert.ok(!shown.includes(secret.reveal()), shown)
      }
    }
  })

  test('a quota that is used up is a place that is full', async () => {
    await using backend = await scene.open(await scene.makeBucket('plain'))
    const limit = ['--quota-scope=bucket', '--uid=bewaar']
    await scene.server.administrate('quota', 'set', ...limit, '--max-objects=1')
    await scene.server.administrate('quota', 'enable', ...limit)
    try {
      const save = (digit: string): Promise<void> =>
        backend.save({ type: 'pack', name: digit.repeat(64) }, Buffer.from('x'))
      const settled = await Promise.allSettled([
        save('1')
          .then(() => save('2'))
          .then(() => save('3')),
      ])
      const [{ reason }] = settled as [PromiseRejectedResult]
      assert.equal((reason as { code: string }).code, 'backend.full')
    } finally {
      await scene.server.administrate('quota', 'disable', ...limit)
    }
  })

  test('keys that are taken back in the middle of a run are denied', async () => {
    const keys = await scene.makeUser('leaver')
    const own = scene.clientOf(keys)
    await own.createBucket({ Bucket: 'of-the-leaver' })
    await using backend = await scene.open('of-the-leaver', keys)
    await backend.save(pack, Buffer.from('bytes'))
    await scene.server.administrate(
      'key',
      'rm',
      '--uid=leaver',
      '--key-type=s3',
      '--access-key',
      keys.accessKey.reveal(),
    )
    await assert.rejects(readFile(backend, pack), { code: 'backend.denied', kind: 'denied' })
    await assert.rejects(backend.save(config, Buffer.from('x')), { code: 'backend.denied', message: /may not do that/ })
  })

  test('what stalls is given up in time, wherever the answer stops', async () => {
    const body = Buffer.alloc(3_000_000, 7)
    await using direct = await scene.open(bucket, { prefix: 'stalls' })
    await direct.save(pack, body)
    const open = async (offset?: number): Promise<S3Backend> => {
      await proxy.setTrouble('none')
      const backend = await scene.open(bucket, { prefix: 'stalls', endpoint: proxy.endpoint, stallMs: 300 })
      if (offset !== undefined) await proxy.setTrouble('stall', offset)
      return backend
    }
    const stalls = async (act: (backend: S3Backend) => Promise<unknown>, offset: number): Promise<void> => {
      await using backend = await open(offset)
      const begin = performance.now()
      await assert.rejects(act(backend), { code: 'backend.unavailable', message: /nothing moved/ })
      assert.ok(performance.now() - begin < 3000)
    }
    for (const offset of [0, 10, 1_000_000]) await stalls((backend) => readFile(backend, pack), offset)
    await stalls((backend) => Array.fromAsync(backend.list('key')), 10)
    await stalls((backend) => backend.save({ type: 'index', name }, body), 0)
    await using backend = await open()
    assert.equal(Buffer.compare(await readFile(backend, pack), body), 0)
  })

  test('a consumer may take longer for a piece than an answer may stall', async () => {
    await using backend = await scene.open(bucket, { prefix: 'slow', stallMs: 200 })
    await backend.save(pack, Buffer.alloc(300_000, 7))
    let size = 0
    for await (const piece of backend.load(pack)) {
      if (size === 0) await new Promise((resolve) => void setTimeout(resolve, 500))
      size += piece.length
    }
    assert.equal(size, 300_000)
  })

  test('an answer that is cut is never taken for a whole one', async () => {
    const body = Buffer.alloc(1_000_000, 7)
    await using direct = await scene.open(bucket, { prefix: 'cuts' })
    await direct.save(pack, body)
    for (const offset of [0, 1, 100, 500, 70_000, 999_000]) {
      for (const range of [undefined, { start: 5, end: 999_990 }]) {
        await proxy.setTrouble('none')
        await using backend = await scene.open(bucket, { prefix: 'cuts', endpoint: proxy.endpoint })
        await proxy.setTrouble('cut', offset)
        await assert.rejects(readFile(backend, pack, range), { code: 'backend.unavailable' }, `cut at ${offset}`)
      }
    }
  })

  test('long lists come in pages, with and without locks', async () => {
    for (const lock of [false, true]) {
      const until = Temporal.Now.instant().add({ seconds: 2 })
      const objectLock = lock ? ({ objectLock: { mode: 'governance', until } } as const) : {}
      const place = await scene.makeBucket(lock ? 'locked' : 'plain')
      await using backend = await scene.open(place, { pageSize: 3, ...objectLock })
      const names = Array.from({ length: 10 }, (_, index) => String(index).repeat(64))
      await Promise.all(names.map((name) => backend.save({ type: 'pack', name }, Buffer.from(name.slice(0, 7)))))
      assert.deepEqual(
        (await Array.fromAsync(backend.list('pack'))).sort((a, b) => (a.name < b.name ? -1 : 1)),
        names.map((name) => ({ type: 'pack', name, size: 7 })),
      )
    }
  })

  test('objects of others in the same bucket are not files of the repository', async () => {
    await using backend = await scene.open(bucket, { prefix: '/foreign/' })
    await backend.save(pack, Buffer.from('x'))
    const keys = [
      'data/README',
      `data/bb/${name}`,
      `data/${name}`,
      `data/aa/${name}.tmp`,
      `data/aa/${name}/x`,
      'config2',
    ]
    for (const key of keys) await scene.owner.putObject({ Bucket: bucket, Key: `foreign/${key}`, Body: 'x' })
    assert.deepEqual(await Array.fromAsync(backend.list('pack')), [{ ...pack, size: 1 }])
    assert.deepEqual(await Array.fromAsync(backend.list('config')), [])
    assert.equal(backend.place, `s3:${bucket}/foreign`)
  })

  test('a server that refuses conditional puts is asked once, and a taken name is a conflict all the same', async () => {
    await using picky = await startPickyProxy(scene.server.port)
    await using backend = await scene.open(bucket, { prefix: 'picky', endpoint: picky.endpoint })
    for (const digit of ['1', '2', '3']) {
      const ref = { type: 'pack', name: digit.repeat(64) } as const
      await backend.save(ref, Buffer.from(digit))
      await assert.rejects(backend.save(ref, Buffer.from('x')), { code: 'backend.conflict' })
      assert.equal(Buffer.from(await readFile(backend, ref)).toString(), digit)
    }
    assert.equal(picky.refused(), 1)
  })

  test('settings that this machine has for other programs of AWS change nothing', async () => {
    const settings = {
      AWS_PROFILE: 'no-such-profile',
      AWS_CONFIG_FILE: '/no/such/file',
      AWS_REGION: 'nowhere-1',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:1',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
      AWS_ACCESS_KEY_ID: 'other',
      AWS_SECRET_ACCESS_KEY: 'other',
      AWS_SESSION_TOKEN: 'other',
      AWS_MAX_ATTEMPTS: 'many',
      AWS_RETRY_MODE: 'odd',
      AWS_DEFAULTS_MODE: 'odd',
      AWS_USE_FIPS_ENDPOINT: 'true',
      AWS_USE_DUALSTACK_ENDPOINT: 'true',
      AWS_S3_USE_ARN_REGION: 'odd',
      AWS_S3_DISABLE_MULTIREGION_ACCESS_POINTS: 'odd',
      AWS_REQUEST_CHECKSUM_CALCULATION: 'odd',
      AWS_RESPONSE_CHECKSUM_VALIDATION: 'odd',
      HTTP_PROXY: 'http://127.0.0.1:1',
    }
    const before = Object.fromEntries(Object.keys(settings).map((key) => [key, process.env[key]]))
    try {
      Object.assign(process.env, settings)
      await using backend = await scene.open(bucket, { prefix: 'settings' })
      await backend.save(pack, Buffer.from('bytes'))
      assert.equal(Buffer.from(await readFile(backend, pack)).toString(), 'bytes')
    } finally {
      for (const [key, value] of Object.entries(before)) {
        if (value === undefined) delete process.env[key]
        else process.env[key] = value
      }
    }
  })

  test('a load that is aborted while its consumer is busy ends with the reason of the signal', async () => {
    await using backend = await scene.open(bucket, { prefix: 'aborted' })
    await backend.save(pack, Buffer.alloc(5_000_000, 7))
    const reason = new Error('the caller has gone')
    const stop = new AbortController()
    const loading = async (): Promise<void> => {
      for await (const _ of backend.load(pack, undefined, stop.signal)) {
        stop.abort(reason)
        await new Promise((resolve) => void setTimeout(resolve, 50))
      }
    }
    await assert.rejects(loading(), (thrown) => thrown === reason)
    assert.equal((await readFile(backend, pack)).length, 5_000_000)
  })

  test('an aborted signal stops the opening, too', async () => {
    const reason = new Error('the caller has gone')
    const opening = openS3(scene.options(bucket), AbortSignal.abort(reason))
    await assert.rejects(opening, (thrown) => thrown === reason)
  })

  // the last, because the server waits half a minute for a gateway that was killed whenever a user is changed
  test('a server that is gone is unavailable, and is used again when it is back', async () => {
    await using backend = await scene.open(bucket)
    await backend.save(pack, Buffer.from('bytes'))
    await scene.server.stop()
    await assert.rejects(readFile(backend, pack), { code: 'backend.unavailable', kind: 'unavailable' })
    await assert.rejects(backend.save(config, Buffer.from('x')), { code: 'backend.unavailable' })
    await scene.server.restart()
    // because a connection that was kept from before may be tried once more
    const again = await readFile(backend, pack).catch(() => readFile(backend, pack))
    assert.equal(Buffer.from(again).toString(), 'bytes')
  })
})
