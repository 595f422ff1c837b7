import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { needs } from '../../tests/needs.ts'
import { judgeAddress } from './addresses.ts'
import { post, type Network } from './http.ts'
import { makeCertificate, Receiver } from './testing.ts'

const never = new AbortController().signal
const ask = { channel: 'webhook', headers: {}, body: '{}', allowPrivate: false }

async function outcome(url: string, network: Network = {}, allowPrivate = false): Promise<string> {
  try {
    return String((await post({ ...ask, url, allowPrivate }, { timeoutMs: 1000, ...network }, never)).status)
  } catch (error) {
    return String((error as { code?: string }).code)
  }
}

/** Each way to write an address that no message may go to, and whether one of this network may be allowed. */
const forbidden: readonly (readonly [url: string, kind: 'private' | 'never'])[] = [
  ['https://127.0.0.1/', 'private'],
  ['https://127.1/', 'private'],
  ['https://2130706433/', 'private'],
  ['https://0x7f000001/', 'private'],
  ['https://0177.0.0.1/', 'private'],
  ['https://127.0.0.1./', 'private'],
  ['https://１２７.０.０.１/', 'private'],
  ['https://[::1]/', 'private'],
  ['https://10.0.0.5/', 'private'],
  ['https://172.31.255.254/', 'private'],
  ['https://192.168.1.1/', 'private'],
  ['https://100.64.0.1/', 'private'],
  ['https://[fd12:3456::1]/', 'private'],
  ['https://[64:ff9b::a00:5]/', 'private'],
  ['https://0.0.0.0/', 'never'],
  ['https://0/', 'never'],
  ['https://[::]/', 'never'],
  ['https://[::ffff:127.0.0.1]/', 'never'],
  ['https://[::ffff:7f00:1]/', 'never'],
  ['https://[::127.0.0.1]/', 'never'],
  ['https://[2002:7f00:1::]/', 'never'],
  ['https://[64:ff9b::a9fe:a9fe]/', 'never'],
  ['https://[2001::7f00:1]/', 'never'],
  ['https://169.254.169.254/latest/meta-data/', 'never'],
  ['https://0xa9fea9fe/', 'never'],
  ['https://[fe80::1]/', 'never'],
  ['https://[fd00:ec2::254]/', 'never'],
  ['https://100.100.100.200/', 'never'],
  ['https://224.0.0.1/', 'never'],
  ['https://[ff02::1]/', 'never'],
  ['https://255.255.255.255/', 'never'],
]

describe('what a message may reach', () => {
  for (const [url, kind] of forbidden) {
    test(`${url} is refused`, async () => {
      assert.equal(await outcome(url), 'channel.forbidden')
      if (kind === 'never') assert.equal(await outcome(url, {}, true), 'channel.forbidden')
    })
  }

  test('a name that leads to any such address is refused, whatever else it leads to', async () => {
    for (const addresses of [
      ['127.0.0.1'],
      ['93.184.216.34', '10.0.0.1'],
      ['2606:2800:220:1::1', '::ffff:10.0.0.1'],
      ['169.254.169.254'],
      ['rubbish'],
    ]) {
      assert.equal(
        await outcome('https://hooks.example.test/', { resolve: async () => addresses }),
        'channel.forbidden',
      )
    }
  })

  test('a name that cannot be looked up, or leads nowhere, is an error and no way round', async () => {
    const fail = async (): Promise<never> => {
      throw new Error('getaddrinfo EAI_AGAIN')
    }
    assert.equal(await outcome('https://hooks.example.test/', { resolve: fail }), 'channel.unavailable')
    assert.equal(await outcome('https://hooks.example.test/', { resolve: async () => [] }), 'channel.unavailable')
  })

  test('a resolver that never answers is given up', async () => {
    const hang = (): Promise<never> => new Promise(() => {})
    assert.equal(await outcome('https://hooks.example.test/', { resolve: hang, timeoutMs: 200 }), 'channel.unavailable')
  })

  test('nothing but https:// is spoken, and http:// only to this machine when that is allowed', async () => {
    await using receiver = await Receiver.start()
    const { port } = receiver
    assert.equal(await outcome(`http://127.0.0.1:${port}/`), 'channel.forbidden')
    assert.equal(
      await outcome('http://hooks.example.test/', { resolve: async () => ['127.0.0.1'] }, true),
      'channel.forbidden',
    )
    assert.equal(await outcome('http://10.0.0.1/', {}, true), 'channel.forbidden')
    for (const url of ['file:///etc/passwd', 'ftp://example.org/', 'gopher://127.0.0.1/', 'data:text/plain,x']) {
      assert.match(await outcome(url, {}, true), /^channel\.(forbidden|invalid)$/, url)
    }
    assert.equal(await outcome('https://user:pass@example.org/'), 'channel.invalid')
    assert.equal(await outcome('no address'), 'channel.invalid')
    assert.equal(receiver.arrived.length, 0)
    assert.equal(await outcome(`http://127.0.0.1:${port}/`, {}, true), '200')
    assert.equal(await outcome(`http://localhost:${port}/`, {}, true), '200')
  })

  test(
    'the connection goes to the address that was checked, though the name leads elsewhere a moment later',
    { skip: needs('openssl') },
    async () => {
      const certificate = makeCertificate(['DNS:hooks.example.test'])
      await using receiver = await Receiver.start(certificate)
      let asked = 0
      const resolve = async (): Promise<string[]> => (++asked === 1 ? ['127.0.0.1'] : ['169.254.169.254'])
      const network = { resolve, authorities: certificate.authority }
      assert.equal(await outcome(`https://hooks.example.test:${receiver.port}/hook`, network, true), '200')
      assert.equal(asked, 1)
      assert.equal(receiver.arrived[0]!.headers['host'], `hooks.example.test:${receiver.port}`)
      const unknown = await outcome(
        `https://hooks.example.test:${receiver.port}/`,
        { resolve: async () => ['127.0.0.1'] },
        true,
      )
      assert.equal(unknown, 'channel.unavailable')
      assert.equal(receiver.arrived.length, 1)
    },
  )

  test('a redirect is an answer that is refused, and leads nowhere', async () => {
    await using receiver = await Receiver.start()
    receiver.headers = { location: 'http://169.254.169.254/latest/meta-data/' }
    for (const status of [301, 302, 303, 307, 308]) {
      receiver.behaviour = status
      assert.equal(await outcome(`http://127.0.0.1:${receiver.port}/`, {}, true), 'channel.refused')
    }
    assert.equal(receiver.arrived.length, 5)
  })

  test('an answer without an end is read to a limit, and what is shown of it is one short line', async () => {
    await using receiver = await Receiver.start()
    receiver.behaviour = 'endless'
    const { text } = await post({ ...ask, url: `http://127.0.0.1:${receiver.port}/`, allowPrivate: true }, {}, never)
    assert.ok(text.length <= 300)
  })

  test('what may pass is tried again, and the rest needs a person', async () => {
    await using receiver = await Receiver.start()
    const url = `http://127.0.0.1:${receiver.port}/`
    for (const [status, code] of [
      [200, '200'],
      [204, '204'],
      [400, 'channel.refused'],
      [401, 'channel.refused'],
      [404, 'channel.refused'],
      [410, 'channel.refused'],
      [408, 'channel.unavailable'],
      [429, 'channel.unavailable'],
      [500, 'channel.unavailable'],
      [503, 'channel.unavailable'],
    ] as const) {
      receiver.behaviour = status
      assert.equal(await outcome(url, {}, true), code, String(status))
    }
    receiver.behaviour = 'cutting'
    assert.equal(await outcome(url, {}, true), 'channel.unavailable')
  })
})

test('addresses of everybody are public', () => {
  for (const address of [
    '1.1.1.1',
    '93.184.216.34',
    '172.32.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '64:ff9b::101:101',
  ]) {
    assert.equal(judgeAddress(address), 'public', address)
  }
})
