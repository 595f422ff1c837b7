import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'

import { pause } from '#base'
import {
  createS3,
  makeScene,
  openS3,
  readFile,
  skip,
  type FileRef,
  type FileType,
  type ObjectLock,
  type S3Backend,
  type Scene,
} from './s3-scene.ts'

const name = 'a'.repeat(64)
const pack = { type: 'pack', name } as const
const lockedTypes: readonly FileType[] = ['pack', 'index', 'snapshot', 'key', 'config']

const inSeconds = (seconds: number): Temporal.Instant => Temporal.Now.instant().add({ seconds })
const lockFor = (seconds: number, mode: ObjectLock['mode'] = 'compliance'): { objectLock: ObjectLock } => ({
  objectLock: { mode, until: inSeconds(seconds) },
})
const refOf = (type: FileType): FileRef => ({ type, name: type === 'config' ? '' : name })

describe('S3 with Object Lock', { skip }, () => {
  let scene: Scene
  let bucket: string
  before(async () => {
    scene = await makeScene()
    bucket = await scene.makeBucket('locked')
  })
  after(() => scene?.[Symbol.asyncDispose]())

  const keyOf = (prefix: string, ref: FileRef = pack): string =>
    ref.type === 'config'
      ? `${prefix}/config`
      : `${prefix}/${ref.type === 'pack' ? 'data/aa' : `${ref.type}s`}/${ref.name}`.replace('/indexs/', '/index/')

  async function versions(key: string, of = bucket): Promise<string[]> {
    const found = await scene.owner.listObjectVersions({ Bucket: of, Prefix: key })
    return (found.Versions ?? []).map(({ VersionId }) => VersionId!)
  }

  async function retention(key: string, version?: string): Promise<{ mode: string; untilMs: number } | undefined> {
    try {
      const found = await scene.owner.getObjectRetention({ Bucket: bucket, Key: key, VersionId: version })
      return { mode: found.Retention!.Mode!, untilMs: found.Retention!.RetainUntilDate!.getTime() }
    } catch {
      return undefined
    }
  }

  test('every file but a lock of restic is locked as asked, in either mode', async () => {
    for (const mode of ['governance', 'compliance'] as const) {
      const [prefix, until] = [`modes/${mode}`, inSeconds(3600)]
      await using backend = await createS3(scene.options(bucket, { prefix, objectLock: { mode, until } }))
      for (const type of lockedTypes) {
        await backend.save(refOf(type), Buffer.from(type))
        const found = await retention(keyOf(prefix, refOf(type)))
        assert.equal(found?.mode, mode.toUpperCase(), type)
        assert.ok(found.untilMs >= until.epochMilliseconds && found.untilMs < until.epochMilliseconds + 1000, type)
      }
      await backend.save(refOf('lock'), Buffer.from('lock'))
      assert.equal(await retention(keyOf(prefix, refOf('lock'))), undefined)
      await backend.remove(refOf('lock'))
      assert.deepEqual(await versions(`${prefix}/locks/`), [])
    }
  })

  test('a script with our own keys cannot delete a locked file, nor shorten or weaken its lock', async () => {
    const key = keyOf('script')
    await using backend = await scene.open(bucket, { prefix: 'script', ...lockFor(3600) })
    await backend.save(pack, Buffer.from('precious'))
    const [version] = await versions(key)
    const script = scene.clientOf(scene.server)
    const target = { Bucket: bucket, Key: key, VersionId: version! }
    const denied = { name: 'AccessDenied' }
    await assert.rejects(script.deleteObject(target), denied)
    await assert.rejects(script.deleteObject({ ...target, BypassGovernanceRetention: true }), denied)
    const bulk = await script.deleteObjects({
      Bucket: bucket,
      Delete: { Objects: [{ Key: key, VersionId: version! }] },
    })
    assert.equal(bulk.Errors?.length, 1)
    for (const Mode of ['COMPLIANCE', 'GOVERNANCE'] as const) {
      const Retention = { Mode, RetainUntilDate: new Date(inSeconds(60).epochMilliseconds) }
      await assert.rejects(script.putObjectRetention({ ...target, Retention, BypassGovernanceRetention: true }), denied)
    }
    await assert.rejects(script.deleteBucket({ Bucket: bucket }))
    assert.equal(Buffer.from(await readFile(backend, pack)).toString(), 'precious')
  })

  test('whatever is put over a locked file or hides it, the file that was locked is listed and loaded', async () => {
    const key = keyOf('attack')
    const attacked = { prefix: 'attack', ...lockFor(3600) }
    {
      await using backend = await scene.open(bucket, attacked)
      await backend.save(pack, Buffer.from('the truth'))
    }
    const attacker = scene.clientOf(scene.server)
    for (const lie of ['a lie', 'a lie of another size', 'the tru7h']) {
      await attacker.putObject({ Bucket: bucket, Key: key, Body: lie })
    }
    const check = async (): Promise<void> => {
      await using backend = await scene.open(bucket, { ...attacked, pageSize: 2 })
      assert.equal(Buffer.from(await readFile(backend, pack)).toString(), 'the truth')
      assert.equal(Buffer.from(await readFile(backend, pack, { start: 4, end: 9 })).toString(), 'truth')
      assert.deepEqual(await Array.fromAsync(backend.list('pack')), [{ ...pack, size: 9 }])
      await assert.rejects(backend.save(pack, Buffer.from('the truth')), { code: 'backend.conflict' })
    }
    assert.equal((await versions(key)).length, 4)
    await check()
    await attacker.deleteObject({ Bucket: bucket, Key: key })
    await check()
    assert.equal((await versions(key)).length, 4)
  })

  test('a file that was saved without a lock, or with a shorter one, has it after the next save of its name', async () => {
    const key = keyOf('weak')
    const save = async (options: Partial<{ objectLock: ObjectLock }>): Promise<void> => {
      await using backend = await scene.open(bucket, { prefix: 'weak', ...options })
      await backend.save(pack, Buffer.from('x'))
    }
    await save({})
    assert.equal(await retention(key), undefined)
    for (const lock of [lockFor(100, 'governance'), lockFor(200, 'governance'), lockFor(300)]) {
      await assert.rejects(save(lock), { code: 'backend.conflict' })
      const found = await retention(key)
      // without a right that no backup should have, a server does not change the mode, but does lengthen the date
      assert.equal(found?.mode, 'GOVERNANCE')
      assert.ok(found.untilMs >= lock.objectLock.until.epochMilliseconds)
    }
    assert.equal((await versions(key)).length, 1)
    await using backend = await scene.open(bucket, { prefix: 'weak', ...lockFor(60) })
    assert.equal((await backend.findLock(pack))?.mode, 'governance')
    await backend.save(refOf('index'), Buffer.from('y'))
    assert.equal((await backend.findLock(refOf('index')))?.mode, 'compliance')
    await assert.rejects(backend.findLock(refOf('key')), { code: 'backend.missing' })
    await backend.save(refOf('lock'), Buffer.from('z'))
    assert.equal(await backend.findLock(refOf('lock')), undefined)
  })

  test('a bucket that cannot lock is refused, and a file in it is never taken for locked', async () => {
    const versioned = await scene.makeBucket('versioned')
    const plain = await scene.makeBucket('plain')
    const missing = { code: 'backend.lock-missing', kind: 'denied' }
    for (const each of [versioned, plain]) await assert.rejects(createS3(scene.options(each, lockFor(60))), missing)
    await assert.rejects(openS3(scene.options(plain, lockFor(60))), missing)
    await using backend = await openS3(scene.options(versioned, lockFor(60)))
    await assert.rejects(backend.save(pack, Buffer.from('x')), missing)
    assert.deepEqual(await versions('vaults/', versioned), [])
  })

  test('of many savers of one locked name exactly one succeeds, and its bytes stay', async () => {
    await using backend = await scene.open(bucket, { prefix: 'rivals', ...lockFor(60) })
    const savers = Array.from({ length: 8 }, (_, index) => backend.save(pack, Buffer.from(`rival ${index}`)))
    const settled = await Promise.allSettled(savers)
    const winners = settled.flatMap(({ status }, index) => (status === 'fulfilled' ? [index] : []))
    assert.equal(winners.length, 1)
    for (const result of settled) {
      if (result.status === 'rejected') assert.equal((result.reason as { code: string }).code, 'backend.conflict')
    }
    assert.equal(Buffer.from(await readFile(backend, pack)).toString(), `rival ${winners[0]}`)
    const range = { start: 6, end: 6 }
    assert.equal((await readFile(backend, pack, range)).length, 0)
    await assert.rejects(readFile(backend, pack, { start: 6, end: 8 }), { code: 'backend.damaged' })
    await assert.rejects(readFile(backend, pack, { start: 8, end: 8 }), { code: 'backend.damaged' })
  })

  test('extending lengthens the locks that end too early, and never shortens one', async () => {
    const refs = ['1', '2', '3'].map((digit) => ({ type: 'pack', name: digit.repeat(64) }) as const)
    const key = (ref: FileRef): string => `extend/data/${ref.name.slice(0, 2)}/${ref.name}`
    const open = (seconds: number): Promise<S3Backend> => scene.open(bucket, { prefix: 'extend', ...lockFor(seconds) })
    {
      await using soon = await open(100)
      for (const ref of refs.slice(0, 2)) await soon.save(ref, Buffer.from('x'))
      await using late = await open(100_000)
      await late.save(refs[2]!, Buffer.from('x'))
    }
    // an attacker's version on top must not get the lock in the place of ours
    await scene.owner.putObject({ Bucket: bucket, Key: key(refs[0]!), Body: 'y' })
    await using backend = await open(100)
    const until = inSeconds(5000)
    const lateBefore = await retention(key(refs[2]!))
    assert.equal(await backend.extend(refs, until), 2)
    for (const ref of refs.slice(0, 2)) {
      const oldest = (await versions(key(ref))).at(-1)
      assert.ok((await retention(key(ref), oldest))!.untilMs >= until.epochMilliseconds)
    }
    assert.deepEqual(await retention(key(refs[2]!)), lateBefore)
    assert.equal(await backend.extend(refs, until), 0)
    assert.equal(await backend.extend(refs, inSeconds(10)), 0)
    await assert.rejects(backend.extend([pack], until), { code: 'backend.missing' })
    await using without = await scene.open(bucket, { prefix: 'extend' })
    await assert.rejects(without.extend(refs, until), { code: 'backend.lock-missing' })
  })

  test('a locked file is not removed but denied with its date, and goes with all its versions when that has passed', async () => {
    const options = { prefix: 'expiry', ...lockFor(2) }
    await using backend = await scene.open(bucket, options)
    await backend.save(pack, Buffer.from('x'))
    await scene.owner.putObject({ Bucket: bucket, Key: keyOf('expiry'), Body: 'lie' })
    const date = new Date(Math.ceil(options.objectLock.until.epochMilliseconds / 1000) * 1000)
    const denied = { code: 'backend.denied', message: new RegExp(`locked until ${date.toISOString().slice(0, 19)}Z`) }
    await assert.rejects(backend.remove(pack), denied)
    await using careless = await scene.open(bucket, { prefix: 'expiry' })
    await assert.rejects(careless.remove(pack), denied)
    assert.equal((await versions(keyOf('expiry'))).length, 2)
    await pause(date.getTime() - Temporal.Now.instant().epochMilliseconds + 200)
    await backend.remove(pack)
    assert.deepEqual(await versions(keyOf('expiry')), [])
    await assert.rejects(readFile(backend, pack), { code: 'backend.missing' })
  })

  test('removing leaves neither versions nor delete markers behind', async () => {
    const versioned = await scene.makeBucket('versioned')
    await using backend = await scene.open(versioned, { prefix: 'tidy' })
    for (let round = 0; round < 3; round++) {
      await backend.save(pack, Buffer.from('x'))
      await scene.owner.putObject({ Bucket: versioned, Key: keyOf('tidy'), Body: 'y' })
      await backend.remove(pack)
    }
    const left = await scene.owner.listObjectVersions({ Bucket: versioned })
    assert.deepEqual([left.Versions ?? [], left.DeleteMarkers ?? []], [[], []])
  })

  test('locks of restic come and go also in a bucket that locks whatever it gets', async () => {
    const eager = await scene.makeBucket('locked')
    await scene.owner.putObjectLockConfiguration({
      Bucket: eager,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Days: 1 } },
      },
    })
    await using backend = await scene.open(eager, { prefix: 'eager', ...lockFor(60) })
    for (let round = 0; round < 2; round++) {
      await backend.save(refOf('lock'), Buffer.from('lock'))
      assert.equal((await Array.fromAsync(backend.list('lock'))).length, 1)
      await backend.remove(refOf('lock'))
      assert.deepEqual(await Array.fromAsync(backend.list('lock')), [])
      await assert.rejects(readFile(backend, refOf('lock')), { code: 'backend.missing' })
      await assert.rejects(backend.remove(refOf('lock')), { code: 'backend.missing' })
    }
  })

  test('a legal hold keeps a file whatever its lock says, until it is lifted', async () => {
    const refs = ['1', '2'].map((digit) => ({ type: 'pack', name: digit.repeat(64) }) as const)
    const key = `hold/data/11/${refs[0]!.name}`
    await using backend = await scene.open(bucket, { prefix: 'hold', ...lockFor(1) })
    for (const ref of refs) await backend.save(ref, Buffer.from('evidence'))
    // what was put over a file must not get the hold in the place of it
    await scene.owner.putObject({ Bucket: bucket, Key: key, Body: 'a lie' })
    assert.equal(await backend.findHold(refs[0]!), false)
    assert.equal(await backend.hold(refs, true), 2)
    assert.equal(await backend.hold(refs, true), 0)
    assert.equal(await backend.findHold(refs[0]!), true)
    const [lie, truth] = await versions(key)
    const statusOf = async (VersionId: string): Promise<string | undefined> =>
      (await scene.owner.getObjectLegalHold({ Bucket: bucket, Key: key, VersionId })).LegalHold?.Status
    assert.equal(await statusOf(truth!), 'ON')
    assert.notEqual(await statusOf(lie!).catch(() => undefined), 'ON')

    await pause(2200) // until the locks are over
    const held = { code: 'backend.denied', message: /it is under a legal hold/ }
    await assert.rejects(backend.remove(refs[0]!), held)
    await using careless = await scene.open(bucket, { prefix: 'hold' })
    await assert.rejects(careless.remove(refs[0]!), held)
    const target = { Bucket: bucket, Key: key, VersionId: truth! }
    await assert.rejects(scene.owner.deleteObject({ ...target, BypassGovernanceRetention: true }), {
      name: 'AccessDenied',
    })
    assert.equal(Buffer.from(await readFile(backend, refs[0]!)).toString(), 'evidence')

    assert.equal(await backend.hold([refs[0]!], false), 1)
    assert.equal(await backend.findHold(refs[0]!), false)
    await backend.remove(refs[0]!)
    assert.deepEqual(await versions(key), [])
    assert.equal(await backend.findHold(refs[1]!), true)
    await assert.rejects(backend.hold([refs[0]!], true), { code: 'backend.missing' })
  })

  test('a legal hold is not believed where there are none', async () => {
    await using backend = await openS3(scene.options(await scene.makeBucket('versioned')))
    await backend.save(pack, Buffer.from('x'))
    await assert.rejects(backend.hold([pack], true), { code: 'backend.lock-missing' })
    assert.equal(await backend.findHold(pack), false)
  })

  test('usage counts current files, older versions and delete markers', async () => {
    const prefix = 'usage'
    await using backend = await scene.open(bucket, { prefix, ...lockFor(60), pageSize: 2 })
    await backend.save(pack, Buffer.alloc(1000))
    await backend.save(refOf('key'), Buffer.alloc(100))
    for (const size of [7, 8])
      await scene.owner.putObject({ Bucket: bucket, Key: keyOf(prefix), Body: Buffer.alloc(size) })
    await scene.owner.deleteObject({ Bucket: bucket, Key: `${prefix}/keys/${name}` })
    assert.deepEqual(await backend.usage(), {
      currentFiles: 1,
      currentBytes: 8,
      olderVersions: 3,
      olderBytes: 1107,
      deleteMarkers: 1,
    })
  })

  test('the rights that the documents give are enough to back up, and not enough to destroy', async () => {
    const keys = await scene.makeUser('restricted')
    const text = readFileSync(new URL('../../docs/operate/s3.md', import.meta.url), 'utf8')
    const policy = JSON.parse(
      /```json\n(\{\n {2}"Version"[^]*?)```/.exec(text)![1]!.replaceAll('aimtrack-backups', bucket),
    ) as { Statement: object[] }
    const Principal = { AWS: ['arn:aws:iam:::user/restricted'] }
    const Statement = policy.Statement.map((statement) => ({ ...statement, Principal }))
    await scene.owner.putBucketPolicy({ Bucket: bucket, Policy: JSON.stringify({ ...policy, Statement }) })
    const prefix = 'bewaar/aimtrack'
    await using backend = await createS3(scene.options(bucket, { ...keys, prefix, ...lockFor(3600) }))
    for (const type of [...lockedTypes, 'lock'] as const) {
      await backend.save(refOf(type), Buffer.from(type))
      assert.equal((await Array.fromAsync(backend.list(type))).length, 1)
      assert.equal(Buffer.from(await readFile(backend, refOf(type))).toString(), type)
    }
    assert.equal(await backend.extend([pack], inSeconds(7200)), 1)
    assert.ok((await backend.usage()).currentBytes > 0)
    await backend.remove(refOf('lock'))
    for (const type of lockedTypes) await assert.rejects(backend.remove(refOf(type)), { code: 'backend.denied' })

    const script = scene.clientOf(keys)
    const key = keyOf(prefix)
    const [version] = await versions(key)
    const target = { Bucket: bucket, Key: key, VersionId: version! }
    const denied = { name: 'AccessDenied' }
    await assert.rejects(script.deleteObject({ Bucket: bucket, Key: key }), denied)
    await assert.rejects(script.deleteObject({ ...target, BypassGovernanceRetention: true }), denied)
    const Retention = { Mode: 'COMPLIANCE', RetainUntilDate: new Date(inSeconds(60).epochMilliseconds) } as const
    await assert.rejects(script.putObjectRetention({ ...target, Retention, BypassGovernanceRetention: true }), denied)
    await assert.rejects(script.putObject({ Bucket: bucket, Key: 'elsewhere', Body: 'x' }), denied)
    await assert.rejects(script.deleteBucketPolicy({ Bucket: bucket }), denied)
    await assert.rejects(
      script.putBucketVersioning({ Bucket: bucket, VersioningConfiguration: { Status: 'Suspended' } }),
      denied,
    )
  })
})
