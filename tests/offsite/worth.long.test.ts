import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'

import { probeRest, probeRestOverSsh, probeS3, type Probe } from '#engine'
import { needs } from '../needs.ts'
import { startSshd } from '../remote/sshd.ts'
import { filesBelow, startRclone } from './rest-server.ts'
import { makeScene, skip, type Keys, type ObjectLock, type Scene } from './s3-scene.ts'

const dayMs = 24 * 60 * 60 * 1000

suite('what a login of rclone can do', { skip: needs('rclone') }, () => {
  test('is everything, unless the server only appends', async () => {
    await using wide = await startRclone()
    const everything = { deletes: 'allowed', overwrites: 'allowed', truncates: 'impossible', left: 0 }
    assert.deepEqual(await probeRest({ url: wide.url }), everything)
    assert.deepEqual(filesBelow(wide.folder), [])
    await using narrow = await startRclone('--append-only')
    const added = { deletes: 'refused', overwrites: 'refused', truncates: 'impossible', left: 5 }
    for (let round = 0; round < 3; round++) assert.deepEqual(await probeRest({ url: narrow.url }), added)
    assert.equal(filesBelow(narrow.folder).length, 5)
  })

  test('is what its forced command says, over SSH', { skip: needs('sshd', 'ssh') }, async () => {
    const serve = (flags: string): string => `restrict,command="rclone serve restic --stdio ${flags} ./served"`
    for (const [flags, deletes] of [
      ['--append-only', 'refused'],
      ['', 'allowed'],
    ] as const) {
      await using sshd = await startSshd({ keyOptions: serve(flags) })
      const found = await probeRestOverSsh({ target: sshd.target, path: 'backups' })
      assert.deepEqual([found.deletes, found.overwrites], [deletes, deletes])
    }
  })
})

suite('what keys can do in a bucket', { skip }, () => {
  let scene: Scene
  before(async () => {
    scene = await makeScene()
  })
  after(() => scene?.[Symbol.asyncDispose]())

  const probe = (bucket: string, mode?: ObjectLock['mode'], keys: Partial<Keys> = {}): Promise<Probe> =>
    probeS3(scene.options(bucket, { prefix: 'vaults/ours', ...keys }), mode)

  async function leftIn(bucket: string): Promise<number> {
    const { Versions = [], DeleteMarkers = [] } = await scene.owner.listObjectVersions({ Bucket: bucket })
    return Versions.length + DeleteMarkers.length
  }

  /** Keys that may add and read, and what is named besides, but for what they are forbidden. */
  async function narrowKeys(
    bucket: string,
    name: string,
    { allowed, forbidden = [] }: { readonly allowed: readonly string[]; readonly forbidden?: readonly string[] },
  ): Promise<Keys> {
    const keys = await scene.makeUser(name)
    const reading = ['GetObject', 'GetObjectVersion', 'GetObjectRetention', 'ListBucket', 'ListBucketVersions']
    const statement = (Effect: 'Allow' | 'Deny', actions: readonly string[]) => ({
      Effect,
      Principal: { AWS: [`arn:aws:iam:::user/${name}`] },
      Action: actions.map((action) => `s3:${action}`),
      Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
    })
    const adding = statement('Allow', ['PutObject', 'GetBucketVersioning', ...reading, ...allowed])
    const Statement = forbidden.length === 0 ? [adding] : [adding, statement('Deny', forbidden)]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await scene.owner.putBucketPolicy({ Bucket: bucket, Policy })
    return keys
  }

  test('is everything where there are no versions', async () => {
    const bucket = await scene.makeBucket('plain')
    const found = { deletes: 'allowed', overwrites: 'allowed', truncates: 'impossible', left: 0 }
    assert.deepEqual(await probe(bucket), found)
    assert.deepEqual(await probe(bucket, 'compliance'), found, 'what is claimed changes nothing')
    assert.equal(await leftIn(bucket), 0)
  })

  test('is to remove versions where they may, and to add where they may not', async () => {
    const bucket = await scene.makeBucket('versioned')
    const found = { deletes: 'allowed', overwrites: 'refused', truncates: 'impossible', left: 0 }
    assert.deepEqual(await probe(bucket), found)
    const keys = await narrowKeys(bucket, 'adder', { allowed: ['DeleteObject'] })
    const narrow = await probe(bucket, undefined, keys)
    assert.deepEqual([narrow.deletes, narrow.overwrites, narrow.left], ['refused', 'refused', 10])
    assert.deepEqual(await probe(bucket), found)
    assert.equal(await leftIn(bucket), 0, 'who may remove versions takes the probes away')
  })

  test('is nothing until tomorrow where the probe is locked in compliance mode', async () => {
    const bucket = await scene.makeBucket('locked')
    const { lock, ...found } = await probe(bucket, 'compliance')
    assert.equal(lock?.mode, 'compliance')
    assert.ok(Math.abs(lock.untilMs - (Date.now() + dayMs)) < 60_000)
    assert.deepEqual(found, { deletes: 'refused', overwrites: 'refused', truncates: 'impossible', left: 5 })
  })

  test('is to lift a lock in governance mode where they may bypass it, which is no lock', async () => {
    const bucket = await scene.makeBucket('locked')
    const owner = await probe(bucket, 'governance')
    assert.deepEqual([owner.deletes, owner.lock], ['allowed', undefined])
    const allowed = ['PutObjectRetention', 'DeleteObject', 'DeleteObjectVersion']
    // because Ceph lets everybody bypass it who may remove versions, unless that is forbidden in so many words
    const loose = await probe(bucket, 'governance', await narrowKeys(bucket, 'loose', { allowed }))
    assert.deepEqual([loose.deletes, loose.lock], ['allowed', undefined])
    const forbidden = ['BypassGovernanceRetention']
    const { deletes, lock } = await probe(
      bucket,
      'governance',
      await narrowKeys(bucket, 'kept', { allowed, forbidden }),
    )
    assert.deepEqual([deletes, lock?.mode], ['refused', 'governance'])
  })

  test('is what the bucket locks by itself, when nothing was claimed', async () => {
    const bucket = await scene.makeBucket('locked')
    const DefaultRetention = { Mode: 'COMPLIANCE', Days: 1 } as const
    const ObjectLockConfiguration = { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention } } as const
    await scene.owner.putObjectLockConfiguration({ Bucket: bucket, ObjectLockConfiguration })
    const { deletes, lock, left } = await probe(bucket)
    assert.deepEqual([deletes, lock?.mode, left], ['refused', 'compliance', 10])
  })

  test('is unknown where they may not even store', async () => {
    const bucket = await scene.makeBucket('plain')
    const keys = await scene.makeUser('stranger')
    await assert.rejects(probe(bucket, undefined, keys), { code: 'backend.denied' })
  })
})
