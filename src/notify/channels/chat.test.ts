import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'

import { Secret, systemClock } from '#base'
import {
  channelSuite,
  Receiver,
  sampleMessage,
  type Arrived,
  type ArrivedRequest,
  type ChannelScene,
} from '../testing.ts'
import type { Channel } from '../channel.ts'
import { discordChannel } from './discord.ts'
import { ntfyChannel } from './ntfy.ts'
import { sentryChannel } from './sentry.ts'
import { slackChannel } from './slack.ts'
import { webhookChannel } from './webhook.ts'

const never = new AbortController().signal

type Open = (url: string, network: { timeoutMs: number }) => Channel

const open: Readonly<Record<'slack' | 'discord' | 'ntfy' | 'webhook' | 'sentry', Open>> = {
  slack: (url, network) =>
    slackChannel({ webhook: new Secret(`${url}/services/T/B/secret`), allowPrivate: true }, network),
  discord: (url, network) =>
    discordChannel({ webhook: new Secret(`${url}/api/webhooks/1/secret`), allowPrivate: true }, network),
  ntfy: (url, network) =>
    ntfyChannel({ url, topic: 'havun', token: new Secret('tk_secret'), allowPrivate: true }, network),
  webhook: (url, network) =>
    webhookChannel(
      {
        url: new Secret(`${url}/hook`),
        secret: new Secret('key'),
        allowPrivate: true,
        clock: systemClock,
        organisation: 'Havun',
      },
      network,
    ),
  sentry: (url, network) =>
    sentryChannel(
      {
        dsn: new Secret(`${url.replace('://', '://publickey@')}/42`),
        allowPrivate: true,
        version: '0.1.0',
        hostname: 'host',
      },
      network,
    ),
}

async function sceneOf(
  name: keyof typeof open,
  read: (request: ArrivedRequest) => Arrived,
  timeoutMs: number,
): Promise<ChannelScene & { receiver: Receiver }> {
  const receiver = await Receiver.start()
  const status = { well: 200, busy: 503, refusing: 404, stalling: 'stalling' } as const
  let isStopped = false
  const stop = async (): Promise<void> => {
    if (!isStopped) await receiver[Symbol.asyncDispose]()
    isStopped = true
  }
  return {
    receiver,
    channel: open[name](`http://127.0.0.1:${receiver.port}`, { timeoutMs }),
    arrived: () => receiver.arrived.map(read),
    behave: (how) => {
      receiver.behaviour = status[how]
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
}

type Json = Record<string, unknown>
const jsonOf = ({ body }: ArrivedRequest): Json => JSON.parse(body) as Json

/** Slack has no place for an id: what it gets twice is the same. */
function readSlack(request: ArrivedRequest): Arrived {
  const { blocks } = jsonOf(request) as { blocks: { text: { text: string; type: string } }[] }
  assert.deepEqual(
    blocks.map(({ text }) => text.type),
    ['plain_text', 'plain_text'],
  )
  return { id: request.body, subject: blocks[0]!.text.text, text: blocks[1]!.text.text, raw: request.body }
}

function readDiscord(request: ArrivedRequest): Arrived {
  const { content, allowed_mentions: mentions } = jsonOf(request) as { content: string; allowed_mentions: unknown }
  assert.deepEqual(mentions, { parse: [] })
  assert.ok(content.length <= 2000)
  const [subject = '', ...lines] = content.split('\n```\n')
  return { id: request.body, subject: subject.replace(/\\(.)/g, '$1'), text: lines.join(''), raw: request.body }
}

function readNtfy(request: ArrivedRequest): Arrived {
  const { topic, title, message } = jsonOf(request) as { topic: string; title: string; message: string }
  assert.equal(topic, 'havun')
  assert.equal(request.headers['authorization'], 'Bearer tk_secret')
  assert.ok(Buffer.byteLength(message) <= 4096)
  return { id: request.body, subject: title, text: message, raw: request.body }
}

function readWebhook(request: ArrivedRequest): Arrived {
  const { id, subject, text, schema } = jsonOf(request) as { id: string; subject: string; text: string; schema: number }
  assert.equal(schema, 1)
  assert.equal(request.headers['webhook-id'], id)
  return { id, subject, text, raw: request.body }
}

/** Source: Sentry, "Envelopes": a line of headers, then each item with a line of its own and so many bytes. */
function readEnvelope({ body, path }: ArrivedRequest): { header: Json; itemHeader: Json; event: Json } {
  assert.match(path, /^\/api\/42\/envelope\/\?sentry_version=7&sentry_key=publickey/)
  const [header, itemHeader, ...rest] = body.split('\n')
  return {
    header: JSON.parse(header!) as Json,
    itemHeader: JSON.parse(itemHeader!) as Json,
    event: JSON.parse(rest.join('\n')) as Json,
  }
}

function readSentry(request: ArrivedRequest): Arrived {
  const { event } = readEnvelope(request)
  const { event_id: id, message, extra } = event as { event_id: string; message: string; extra: { text: string } }
  return { id, subject: message, text: extra.text, raw: request.body }
}

const readers = { slack: readSlack, discord: readDiscord, ntfy: readNtfy, webhook: readWebhook, sentry: readSentry }

for (const name of ['webhook', 'sentry'] as const) {
  channelSuite(name, (timeoutMs) => sceneOf(name, readers[name], timeoutMs))
}
for (const name of ['slack', 'discord', 'ntfy'] as const) {
  channelSuite(name, (timeoutMs) => sceneOf(name, readers[name], timeoutMs), { hasIds: false })
}

test('Slack gets no markup, no mention and no link that was made of a name', async () => {
  await using scene = await sceneOf('slack', readSlack, 5000)
  await scene.channel.send(sampleMessage({ subject: '<!channel> <https://evil.example|x> & co' }), never)
  const { text, mrkdwn, unfurl_links: unfurl, link_names: names } = jsonOf(scene.receiver.arrived[0]!)
  assert.equal(text, '&lt;!channel&gt; &lt;https://evil.example|x&gt; &amp; co')
  assert.deepEqual([mrkdwn, unfurl, names], [false, false, 0])
})

test('Discord mentions nobody, and a block of code cannot be left', async () => {
  await using scene = await sceneOf('discord', readDiscord, 5000)
  await scene.channel.send(
    sampleMessage({ subject: '@everyone [x](https://evil.example)', text: 'a ``` @here **b**' }),
    never,
  )
  const { content } = jsonOf(scene.receiver.arrived[0]!) as { content: string }
  assert.doesNotMatch(content, /(?<!\\)@everyone|(?<!\\)\[x|(?<!\\)\]\(/)
  assert.equal(content.split('```').length, 3)
})

test('a webhook is signed so that who knows the secret can tell it from any other, and from the same one sent later', async () => {
  for (const [secret, key] of [
    ['a plain secret', Buffer.from('a plain secret')],
    [`whsec_${Buffer.from('raw key').toString('base64')}`, Buffer.from('raw key')],
  ] as const) {
    await using receiver = await Receiver.start()
    const clock = { now: () => 1_795_312_800_500, monotonic: () => 0 }
    const url = new Secret(`http://127.0.0.1:${receiver.port}/hook`)
    await webhookChannel({ url, secret: new Secret(secret), allowPrivate: true, clock }).send(sampleMessage(), never)
    const { headers, body } = receiver.arrived[0]!
    assert.equal(headers['webhook-timestamp'], '1795312800')
    const expected = createHmac('sha256', key).update(`i-3f09ac.opened.1795312800.${body}`).digest('base64')
    assert.equal(headers['webhook-signature'], `v1,${expected}`)
    assert.deepEqual(JSON.parse(body), {
      schema: 1,
      type: 'bewaar.opened',
      id: 'i-3f09ac.opened',
      timestamp: '2026-11-22T02:05:00.000Z',
      organisation: null,
      gravity: 'alarm',
      project: 'havunadmin',
      incidents: ['i-3f09ac'],
      subject: '🚨 [Havun] BACKUP FAILED - HavunAdmin',
      text: sampleMessage().text,
      facts: { incident: 'i-3f09ac', kind: 'failed', criticality: 'critical', since: '2026-11-22T02:00:00.000Z' },
    })
  }
})

test('Sentry gets one issue for each incident, with level, tags and release, and nothing of this process', async () => {
  await using scene = await sceneOf('sentry', readSentry, 5000)
  await scene.channel.send(sampleMessage(), never)
  await scene.channel.send(sampleMessage({ id: 'i-3f09ac.resolved', kind: 'resolved', gravity: 'good' }), never)
  const [opened, resolved] = scene.receiver.arrived.map((request) => readEnvelope(request))
  assert.match(String(opened!.event['event_id']), /^[0-9a-f]{32}$/)
  assert.equal(opened!.header['event_id'], opened!.event['event_id'])
  assert.equal(opened!.itemHeader['type'], 'event')
  assert.deepEqual(opened!.event['tags'], {
    message: 'opened',
    project: 'havunadmin',
    incident: 'i-3f09ac',
    kind: 'failed',
    criticality: 'critical',
    since: '2026-11-22T02:00:00.000Z',
  })
  assert.deepEqual([opened!.event['level'], resolved!.event['level']], ['fatal', 'info'])
  assert.deepEqual(opened!.event['fingerprint'], resolved!.event['fingerprint'])
  assert.equal(opened!.event['release'], 'bewaar@0.1.0')
  assert.equal(opened!.event['timestamp'], Date.UTC(2026, 10, 22, 2, 5) / 1000)
})

test('a DSN that is none is refused without showing it', async () => {
  for (const dsn of ['', 'https://example.org/1', 'https://key@example.org/', 'not a dsn secretkey']) {
    const channel = sentryChannel({ dsn: new Secret(dsn), allowPrivate: false, version: '0.1.0', hostname: 'host' })
    await assert.rejects(channel.send(sampleMessage(), never), (error: Error & { code: string }) => {
      assert.equal(error.code, 'channel.invalid')
      return dsn === '' || !error.message.includes(dsn)
    })
  }
})

test('no error shows the path of an address, because that is the secret', async () => {
  for (const name of ['slack', 'discord'] as const) {
    await using scene = await sceneOf(name, readers[name], 5000)
    scene.behave('refusing')
    scene.receiver.text = 'no_service\nand more '.repeat(10_000)
    await assert.rejects(scene.channel.send(sampleMessage(), never), (error: Error) => {
      assert.doesNotMatch(error.message, /secret/)
      return error.message.length < 500 && !error.message.includes('\n')
    })
  }
})
