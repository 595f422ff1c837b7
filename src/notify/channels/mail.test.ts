import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Secret } from '#base'
import {
  channelSuite,
  decodeWords,
  MailServer,
  makeCertificate,
  partOf,
  sampleMessage,
  type MailServerOptions,
} from '../testing.ts'
import { needs } from '../../../tests/needs.ts'
import type { Channel } from '../channel.ts'
import type { Network } from '../http.ts'
import { mailChannel, type MailOptions } from './mail.ts'

const never = new AbortController().signal
const skip = needs('openssl')
const certificate = skip === false ? makeCertificate(['DNS:mail.example.test', 'IP:127.0.0.1']) : undefined
const base = { from: 'backup@havun.example', to: ['anna@havun.example', 'bob@havun.example'] }

/** A name that is not this machine's leads to it here, so that the rules for other machines hold. */
function networkTo(): Network {
  return { resolve: async () => ['127.0.0.1'], timeoutMs: 5000, authorities: certificate!.authority }
}

function channelTo(
  port: number,
  options: Partial<MailOptions> & { scheme?: string; host?: string },
  network: Network,
): Channel {
  const { scheme = 'smtp', host = 'mail.example.test', ...rest } = options
  return mailChannel({ ...base, smtp: `${scheme}://${host}:${port}`, ...rest }, network)
}

async function starttls(options: Partial<MailServerOptions> = {}): Promise<MailServer> {
  return await MailServer.start({ certificate: certificate!, tls: 'starttls', ...options })
}

channelSuite('mail', async (timeoutMs) => {
  const server = await MailServer.start()
  let isStopped = false
  const stop = async (): Promise<void> => {
    if (!isStopped) await server[Symbol.asyncDispose]()
    isStopped = true
  }
  return {
    channel: channelTo(server.port, { host: '127.0.0.1' }, { timeoutMs }),
    arrived: () =>
      server.arrived.map(({ headers, raw }) => ({
        id: headers.get('message-id') ?? '',
        subject: decodeWords(headers.get('subject') ?? ''),
        text: partOf(raw, 'text/plain'),
        raw,
      })),
    behave: (how) => {
      server.behaviour = how
    },
    stop,
    [Symbol.asyncDispose]: stop,
  }
})

test(
  'by STARTTLS, logged in, to several recipients: a mail with text and HTML that says that a machine sent it',
  { skip },
  async () => {
    await using server = await starttls({ user: 'backup', password: 'right' })
    const channel = channelTo(server.port, { user: 'backup', password: new Secret('right') }, networkTo())
    await channel.send(sampleMessage(), never)
    const [mail] = server.arrived
    assert.equal(mail!.isEncrypted, true)
    assert.equal(mail!.user, 'backup')
    assert.deepEqual(mail!.to, base.to)
    const { headers, raw } = mail!
    assert.equal(headers.get('date'), 'Sun, 22 Nov 2026 02:05:00 +0000')
    assert.equal(headers.get('message-id'), '<i-3f09ac.opened@havun.example>')
    assert.equal(headers.get('auto-submitted'), 'auto-generated')
    assert.equal(headers.get('from'), 'Bewaar <backup@havun.example>')
    assert.equal(decodeWords(headers.get('subject')!), '🚨 [Havun] BACKUP FAILED - HavunAdmin')
    assert.match(headers.get('content-type')!, /^multipart\/alternative/)
    assert.match(partOf(raw, 'text/plain'), /bewaar logs --project=havunadmin/)
    assert.match(partOf(raw, 'text/html'), /<h1>BACKUP FAILED - HavunAdmin<\/h1>/)
    assert.deepEqual(server.logins, [{ password: 'right', isEncrypted: true }])
  },
)

test('with smtps:// the first byte is TLS, and the user stands in the address', { skip }, async () => {
  await using server = await MailServer.start({
    certificate: certificate!,
    tls: 'tls',
    user: 'anna@x',
    password: 'right',
  })
  const smtp = `smtps://anna%40x@mail.example.test:${server.port}`
  await mailChannel({ ...base, smtp, password: new Secret('right') }, networkTo()).send(sampleMessage(), never)
  assert.equal(server.arrived[0]!.user, 'anna@x')
})

test('a server elsewhere that offers no TLS gets neither the password nor the mail', { skip }, async () => {
  await using server = await MailServer.start({ user: 'backup', password: 'right' })
  const channel = channelTo(server.port, { user: 'backup', password: new Secret('right') }, networkTo())
  await assert.rejects(channel.send(sampleMessage(), never), { code: 'channel.refused' })
  assert.deepEqual([server.logins, server.arrived], [[], []])
})

test(
  'a certificate of nobody known, or of another name, is refused before the password is sent',
  { skip },
  async () => {
    await using server = await starttls({ user: 'backup', password: 'right' })
    const login = { user: 'backup', password: new Secret('right') }
    const { authorities: _, ...unknown } = networkTo()
    for (const [host, network] of [
      ['mail.example.test', unknown],
      ['other.example.test', networkTo()],
    ] as const) {
      const channel = channelTo(server.port, { ...login, host }, network)
      await assert.rejects(channel.send(sampleMessage(), never), {
        code: 'channel.refused',
        message: /certificate|altnames|verify/i,
      })
    }
    assert.deepEqual(server.logins, [])
  },
)

test('a mail server on this machine needs no TLS, and may have a certificate of its own making', { skip }, async () => {
  for (const options of [{}, { certificate: certificate!, tls: 'starttls' }] as const) {
    await using server = await MailServer.start(options)
    await channelTo(server.port, { host: '127.0.0.1' }, { timeoutMs: 5000 }).send(sampleMessage(), never)
    assert.equal(server.arrived[0]!.isEncrypted, 'tls' in options)
  }
})

test('a wrong password is a refusal in the words of the server, without the password', { skip }, async () => {
  await using server = await starttls({ user: 'backup', password: 'right' })
  const channel = channelTo(server.port, { user: 'backup', password: new Secret('wr0ngpassword') }, networkTo())
  await assert.rejects(channel.send(sampleMessage(), never), (error: Error & { code: string }) => {
    assert.equal(error.code, 'channel.refused')
    assert.match(error.message, /535 5\.7\.8/)
    return !error.message.includes('wr0ngpassword')
  })
})

test(
  'a server that took the mail and was cut off before it said so gets the same Message-ID again',
  { skip },
  async () => {
    await using server = await starttls()
    const channel = channelTo(server.port, {}, networkTo())
    server.behaviour = 'cutting'
    await assert.rejects(channel.send(sampleMessage(), never), { code: 'channel.unavailable' })
    server.behaviour = 'well'
    await channel.send(sampleMessage(), never)
    const ids = server.arrived.map(({ headers }) => headers.get('message-id'))
    assert.deepEqual(ids, ['<i-3f09ac.opened@havun.example>', '<i-3f09ac.opened@havun.example>'])
  },
)

test('one recipient who is unknown keeps the mail from nobody else, and is named', { skip }, async () => {
  await using server = await starttls({ unknown: ['bob@havun.example'] })
  const { warning } = await channelTo(server.port, {}, networkTo()).send(sampleMessage(), never)
  assert.equal(warning, 'The server refused 1 of 2 recipients: bob@havun.example')
  assert.deepEqual(server.arrived[0]!.to, ['anna@havun.example'])
})

test('all messages about an incident stand in one thread, also those that bundle several', { skip }, async () => {
  await using server = await starttls()
  const channel = channelTo(server.port, {}, networkTo())
  await channel.send(sampleMessage(), never)
  await channel.send(sampleMessage({ id: 'i-3f09ac.reminder-1', kind: 'reminder' }), never)
  await channel.send(sampleMessage({ id: 'i-1.resolved.and-1', kind: 'resolved', about: ['i-1', 'i-3f09ac'] }), never)
  const [opened, reminder, bundle] = server.arrived.map(({ headers }) => headers)
  assert.equal(opened!.get('references'), undefined)
  assert.equal(reminder!.get('references'), '<i-3f09ac.opened@havun.example>')
  assert.equal(reminder!.get('in-reply-to'), '<i-3f09ac.opened@havun.example>')
  assert.equal(bundle!.get('references'), '<i-1.opened@havun.example> <i-3f09ac.opened@havun.example>')
})

test('no name makes a header or a recipient of its own', { skip }, async () => {
  await using server = await starttls()
  const channel = channelTo(server.port, {}, networkTo())
  const lines = [
    '\r\nBcc: victim@example.org',
    '\nX-Evil: yes',
    '\r\n\r\n<html>',
    '\u2028Bcc: v@example.org',
    ',victim@example.org',
  ]
  for (const line of lines) {
    const subject = `🚨 [Havun${line}] BACKUP FAILED - Shop${line}`
    await channel.send(sampleMessage({ subject, text: `Shop${line}` }), never)
    await channel.send(sampleMessage({ subject: `[Havun${line}] plain${line}` }), never)
  }
  assert.equal(server.arrived.length, 2 * lines.length)
  const known = new Set(server.arrived[0]!.headers.keys())
  for (const { headers, to } of server.arrived) {
    assert.deepEqual(to, base.to)
    assert.deepEqual(new Set(headers.keys()), known)
    assert.doesNotMatch(headers.get('from')! + headers.get('to')!, /victim/)
    assert.ok(!headers.has('bcc'))
  }
})
