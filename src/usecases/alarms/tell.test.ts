import assert from 'node:assert/strict'
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'
import { test } from 'node:test'

import type { Configuration } from '#model'
import { decodeWords, MailServer, partOf, Receiver } from '#notify/testing'
import { AlarmScene, project, trouble } from './alarm-scene.ts'
import { sendMessage } from './send-message.ts'
import { tell } from './tell.ts'
import { testChannels } from './test-channels.ts'

const never = new AbortController().signal
const minute = 60_000
const hour = 60 * minute

function mailTo(server: MailServer): NonNullable<Configuration['notify']['mail']> {
  return { smtp: `smtp://127.0.0.1:${server.port}`, from: 'backup@havun.example', to: ['anna@havun.example'] }
}

function hookTo(receiver: Receiver): NonNullable<Configuration['notify']['webhook']> {
  return { url: { env: `http://127.0.0.1:${receiver.port}/hook` }, allowPrivate: true }
}

const subjects = (server: MailServer): string[] =>
  server.arrived.map(({ headers }) => decodeWords(headers.get('subject')!))
const typesOf = (receiver: Receiver): string[] =>
  receiver.arrived.map(({ body }) => (JSON.parse(body) as { type: string }).type)

/** A round each minute. */
async function pass(scene: AlarmScene, minutes: number): Promise<void> {
  for (let count = 0; count < minutes; count++) {
    scene.now += minute
    await tell(scene, never)
  }
}

test('a trouble is one alarm with all that a person needs, and one all-clear', async () => {
  await using server = await MailServer.start()
  await using scene = await AlarmScene.open({ mail: mailTo(server) }, [project('havunadmin', { title: 'HavunAdmin' })])
  await scene.troubles(trouble({ lastBackup: { at: scene.now - 23 * hour, vault: 'local' } }))
  const { sent } = await tell(scene, never)
  assert.deepEqual(
    sent.map(({ subject }) => subject),
    ['🚨 [Havun] BACKUP FAILED - HavunAdmin'],
  )
  await pass(scene, 20)
  await scene.troubles()
  await pass(scene, 20)
  assert.deepEqual(subjects(server), [
    '🚨 [Havun] BACKUP FAILED - HavunAdmin',
    '✅ [Havun] RESOLVED: BACKUP FAILED - HavunAdmin',
  ])
  const text = partOf(server.arrived[0]!.raw, 'text/plain')
  const [incident] = await scene.catalog.incidents.list()
  for (const part of [
    'HavunAdmin (havunadmin)',
    'critical',
    'the run of this night failed: the disk is full',
    'Sunday, 22 November 2026, 03:05 CET',
    'Saturday, 21 November 2026, 04:05 CET, in local',
    'bewaar run --project=havunadmin',
    `bewaar incident ack ${incident!.id}`,
  ]) {
    assert.ok(text.includes(part), `${part} is not in\n${text}`)
  }
  assert.match(partOf(server.arrived[1]!.raw, 'text/plain'), /It is over\. It lasted 20 minutes\./)
  const references = server.arrived[1]!.headers.get('references')
  assert.equal(references, server.arrived[0]!.headers.get('message-id'))
  assert.deepEqual(
    incident!.timeline.map(({ what }) => what),
    ['opened', 'told', 'resolved', 'told'],
  )
})

test('a mail server that is busy gets it a little later, once', async () => {
  await using server = await MailServer.start()
  await using scene = await AlarmScene.open({ mail: mailTo(server) })
  await scene.troubles(trouble())
  server.behaviour = 'busy'
  const { failed } = await tell(scene, never)
  assert.match(failed[0]!.error, /451/)
  server.behaviour = 'well'
  await pass(scene, 10)
  assert.equal(server.arrived.length, 1)
  assert.deepEqual(await scene.catalog.deliveries.failing(), [])
  assert.deepEqual(
    (await scene.catalog.incidents.list()).map(({ kind }) => kind),
    ['failed'],
  )
})

test('forty troubles at once are one mail, and one event each for a machine', async () => {
  await using server = await MailServer.start()
  await using receiver = await Receiver.start()
  await using scene = await AlarmScene.open({ mail: mailTo(server), webhook: hookTo(receiver) })
  const troubles = Array.from({ length: 40 }, (_, index) =>
    trouble({ kind: 'copy-failed', project: `project-${index}`, vault: 'storage-box', criticality: 'high' }),
  )
  await scene.troubles(...troubles)
  await pass(scene, 16)
  assert.deepEqual(subjects(server), ['⚠️ [Havun] 40 × COPY FAILED - storage-box'])
  assert.match(partOf(server.arrived[0]!.raw, 'text/plain'), /- project-7, storage-box: COPY FAILED/)
  assert.equal(receiver.arrived.length, 40)
  await scene.troubles()
  await pass(scene, 20)
  assert.deepEqual(subjects(server).slice(1), ['✅ [Havun] 40 × RESOLVED: COPY FAILED - storage-box'])
})

/** Runs a program of these rooms in a process of its own. */
function inProcess(program: string): ChildProcessByStdio<null, Readable, null> {
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program]
  const cwd = new URL('../../..', import.meta.url)
  return spawn(process.execPath, flags, { cwd, stdio: ['ignore', 'pipe', 'inherit'] })
}

test('processes that tell at the same moment send each message once', async () => {
  await using server = await MailServer.start()
  await using receiver = await Receiver.start()
  await using scene = await AlarmScene.open({ mail: mailTo(server), webhook: hookTo(receiver) })
  await scene.troubles(trouble(), trouble({ kind: 'late' }))
  const { notify, state } = scene.configuration
  const program = `
    import { AlarmScene } from './src/usecases/alarms/alarm-scene.ts'
    import { tell } from '#usecases'
    await using scene = await AlarmScene.open(${JSON.stringify(notify)}, [], ${JSON.stringify(state)})
    for (let round = 0; round < 3; round++) await tell(scene, new AbortController().signal)`
  const children = [inProcess(program), inProcess(program)]
  const codes = await Promise.all(children.map((child) => once(child, 'exit')))
  assert.ok(codes.every(([code]) => code === 0))
  assert.equal(server.arrived.length, 2)
  assert.equal(receiver.arrived.length, 2)
})

test('what a killed process had in hand is told by the next one, with the same id', async () => {
  await using server = await MailServer.start()
  await using scene = await AlarmScene.open({ mail: mailTo(server) })
  await scene.troubles(trouble())
  const [incident] = await scene.catalog.incidents.list()
  const planned = [{ about: incident!.id, notice: 'opened', channel: 'mail', criticality: 'critical' }]
  const child = inProcess(`
    import { openCatalog } from '#catalog'
    const catalog = await openCatalog(${JSON.stringify(scene.catalog.file)}, { purpose: 'write' })
    const taken = await catalog.deliveries.claim(${JSON.stringify(planned)}, ${scene.now}, ${scene.now + 10 * minute})
    await catalog.deliveries.attempt(taken, ${JSON.stringify(`${incident!.id}.opened`)})
    process.stdout.write(String(taken.length))
    setInterval(() => {}, 1000)`)
  try {
    const [said] = (await once(child.stdout, 'data')) as [Buffer]
    assert.equal(said.toString(), '1')
    await tell(scene, never)
    assert.equal(server.arrived.length, 0, 'the other process is still at it')
  } finally {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  await tell(scene, never)
  await tell(scene, never)
  const ids = server.arrived.map(({ headers }) => headers.get('message-id'))
  assert.deepEqual(ids, [`<${incident!.id}.opened@havun.example>`])
})

test('a channel that fails is tried again, another one is told of it, and hears when it works again', async () => {
  await using server = await MailServer.start()
  await using receiver = await Receiver.start()
  await using scene = await AlarmScene.open({
    mail: mailTo(server),
    webhook: hookTo(receiver),
    routes: [{ to: ['mail'] }],
  })
  server.behaviour = 'refusing'
  await scene.troubles(trouble())
  await pass(scene, 30)
  assert.deepEqual(typesOf(receiver), ['bewaar.opened', 'bewaar.opened'])
  const about = receiver.arrived.map(({ body }) => JSON.parse(body) as { facts: { kind: string }; text: string })
  assert.deepEqual(
    about.map(({ facts }) => facts.kind),
    ['failed', 'channel'],
  )
  assert.match(about[1]!.text, /Messages by mail do not arrive: .*550/)
  server.behaviour = 'well'
  await pass(scene, 90)
  assert.deepEqual(subjects(server)[0], '🚨 [Havun] BACKUP FAILED - havunadmin')
  assert.equal((await scene.catalog.incidents.list({ open: true })).length, 1)
  assert.equal(typesOf(receiver).at(-1), 'bewaar.resolved')
})

test('what was sent and is still there is told again later each time, and no more when somebody is on it', async () => {
  await using server = await MailServer.start()
  await using scene = await AlarmScene.open({ mail: mailTo(server) })
  await scene.troubles(trouble())
  await pass(scene, 70)
  assert.deepEqual(subjects(server).slice(1), ['🚨 [Havun] REMINDER 1: BACKUP FAILED - havunadmin'])
  const [{ id } = { id: '' }] = await scene.catalog.incidents.list()
  await scene.catalog.incidents.acknowledge(id, { at: scene.now, who: 'anna@host', text: 'I am on it' })
  scene.now += 40 * 24 * hour
  await pass(scene, 2)
  assert.equal(server.arrived.length, 2)
})

test('being stopped in the middle leaves all to be told', async () => {
  await using server = await MailServer.start()
  await using scene = await AlarmScene.open({ mail: mailTo(server) })
  await scene.troubles(trouble())
  server.behaviour = 'stalling'
  const stopping = new AbortController()
  setTimeout(() => stopping.abort(new Error('stop')), 100)
  await assert.rejects(tell(scene, stopping.signal), { message: 'stop' })
  server.behaviour = 'well'
  await tell(scene, never)
  assert.equal(server.arrived.length, 1)
})

test('without channels nothing is done', async () => {
  await using scene = await AlarmScene.open({})
  await scene.troubles(trouble())
  assert.deepEqual(await tell(scene, never), { sent: [], failed: [] })
})

test('a report goes once to each channel, and again only where it did not arrive', async () => {
  await using server = await MailServer.start()
  await using receiver = await Receiver.start()
  await using scene = await AlarmScene.open({ mail: mailTo(server), webhook: hookTo(receiver) })
  const message = {
    id: 'report-day-1',
    at: scene.now,
    kind: 'report',
    gravity: 'good',
    subject: 'Daily',
    text: 'All is well',
    facts: {},
  } as const
  receiver.behaviour = 500
  const statuses = async (): Promise<string[]> => (await sendMessage(scene, message, never)).map(({ status }) => status)
  assert.deepEqual(await statuses(), ['sent', 'failed'])
  receiver.behaviour = 200
  assert.deepEqual(await statuses(), ['before', 'sent'])
  assert.deepEqual(await statuses(), ['before', 'before'])
  assert.equal(server.arrived.length, 1)
})

test('a test says of each channel what it answered, and that it works again ends its trouble', async () => {
  await using server = await MailServer.start()
  await using receiver = await Receiver.start()
  await using scene = await AlarmScene.open({ mail: mailTo(server), webhook: hookTo(receiver) })
  receiver.behaviour = 404
  const first = await testChannels(scene, undefined, never)
  assert.deepEqual(
    first.map(({ channel, status }) => [channel, status]),
    [
      ['mail', 'sent'],
      ['webhook', 'failed'],
    ],
  )
  assert.match(first[1]!.answer, /404/)
  assert.match(subjects(server)[0]!, /TEST OF THE ALARM/)
  assert.deepEqual(
    (await scene.catalog.deliveries.failing()).map(({ channel }) => channel),
    ['webhook'],
  )
  receiver.behaviour = 200
  await testChannels(scene, 'webhook', never)
  assert.deepEqual(await scene.catalog.deliveries.failing(), [])
  await assert.rejects(testChannels(scene, 'slack', never), {
    code: 'channel.missing',
    message: /it has mail, webhook/,
  })
})
