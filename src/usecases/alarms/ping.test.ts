import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Receiver } from '#notify/testing'
import { AlarmScene, project } from './alarm-scene.ts'
import { ping } from './ping.ts'

const never = new AbortController().signal
const shop = project('shop')

function checkAt(receiver: Receiver, check = 'a1') {
  return { url: { env: `http://127.0.0.1:${receiver.port}/${check}` }, allowPrivate: true }
}

test('the beginning and the end of a run are heard, as one run, with the log', async () => {
  await using receiver = await Receiver.start()
  await using scene = await AlarmScene.open({ ping: checkAt(receiver) })
  await ping(scene, shop, 'start', '', never)
  await ping(scene, shop, 'success', 'shop: complete', never)
  await ping(scene, shop, 'fail', 'shop: failed', never)
  const urls = receiver.arrived.map(({ path }) => new URL(path, 'http://x'))
  assert.deepEqual(
    urls.map(({ pathname }) => pathname),
    ['/a1/start', '/a1', '/a1/fail'],
  )
  assert.deepEqual(
    receiver.arrived.map(({ body }) => body),
    ['', 'shop: complete', 'shop: failed'],
  )
  const runs = new Set(urls.map(({ searchParams }) => searchParams.get('rid')))
  assert.equal(runs.size, 1)
  assert.match([...runs][0]!, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('a project has its own address or the one for all, and without either nothing is sent', async () => {
  await using receiver = await Receiver.start()
  await using scene = await AlarmScene.open({ ping: checkAt(receiver, 'all') })
  await ping(scene, project('shop', { ping: checkAt(receiver, 'own') }), 'success', '', never)
  await ping(scene, project('blog'), 'success', '', never)
  assert.deepEqual(
    receiver.arrived.map(({ path }) => path.split('?')[0]),
    ['/own', '/all'],
  )
  await using without = await AlarmScene.open({})
  await ping(without, shop, 'success', '', never)
})

test('an address that does not answer well is tried again, then is a warning in the log, and harms nothing', async () => {
  await using receiver = await Receiver.start()
  await using scene = await AlarmScene.open({ ping: checkAt(receiver) })
  receiver.behaviour = 500
  await ping(scene, shop, 'start', '', never)
  assert.equal(receiver.arrived.length, 1)
  const entries = await scene.catalog.log.latest({ limit: 5 })
  assert.deepEqual(
    entries.map(({ level, kind, project: name }) => [level, kind, name]),
    [['warning', 'alarm', 'shop']],
  )
  assert.doesNotMatch(entries[0]!.text, /\/a1/)
  const done = ping(scene, shop, 'success', '', never)
  setTimeout(() => {
    receiver.behaviour = 200
  }, 1000)
  await done
  assert.equal(receiver.arrived.length, 3)
  assert.equal((await scene.catalog.log.latest({ limit: 5 })).length, 1)
})

test('a ping leads to no address that a message may not go to', async () => {
  await using receiver = await Receiver.start()
  await using scene = await AlarmScene.open({ ping: { url: { env: `http://127.0.0.1:${receiver.port}/a1` } } })
  await ping(scene, shop, 'start', '', never)
  assert.equal(receiver.arrived.length, 0)
  assert.match((await scene.catalog.log.latest({ limit: 1 }))[0]!.text, /not https/)
})

test('the end of a long log is sent, and nothing in it that looks like a password', async () => {
  await using receiver = await Receiver.start()
  await using scene = await AlarmScene.open({ ping: checkAt(receiver) })
  const secrets = 'mysql://shop:hunter2@db/shop DB_PASSWORD=hunter2 {"token": "hunter2"} Authorization: Bearer hunter2'
  await ping(scene, shop, 'fail', `${'é'.repeat(200_000)}\n${secrets}\nthe end`, never)
  const { body } = receiver.arrived[0]!
  assert.ok(Buffer.byteLength(body) <= 100_000 && body.endsWith('the end'))
  assert.doesNotMatch(body, /hunter2|\uFFFD/)
  assert.match(body, /mysql:\/\/shop:\*\*\*@db/)
})
