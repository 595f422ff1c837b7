import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { once } from 'node:events'
import { suite, test } from 'node:test'

import { Secret } from '#base'
import { createApi, type ApiOptions } from './api.ts'
import { listen } from './listen.ts'
import type { Reader } from './reader.ts'

const now = 1_000_000_000_000
const empty = { projects: [], vaults: [], incidents: [] }
const reader: Reader = { version: '1.2.3', now: () => now, status: async () => empty }
const withToken = { token: new Secret('s3cret'), host: '127.0.0.1' }
const local = { host: '127.0.0.1', port: 0 }

interface Asked {
  readonly code: number
  readonly text: string
  readonly headers: Headers
}

async function ask(path: string, init: RequestInit = {}, more: Partial<Reader> = {}, options: ApiOptions = withToken) {
  const app = createApi({ ...reader, ...more }, options)
  const headers = { Host: '127.0.0.1:8420', ...(init.headers as Record<string, string>) }
  const answer = await app.request(`http://127.0.0.1:8420${path}`, { ...init, headers })
  return { code: answer.status, text: await answer.text(), headers: answer.headers } satisfies Asked
}

const bearer = (word: string): RequestInit => ({ headers: { Authorization: `Bearer ${word}` } })

suite('the answers over HTTP', () => {
  test('show details only to who sends the token', async () => {
    assert.equal((await ask('/health')).text, '{"status":"healthy"}')
    const trusted = await ask('/health', bearer('s3cret'))
    assert.deepEqual(JSON.parse(trusted.text), {
      status: 'healthy',
      catalog: { status: 'available' },
      schedule: null,
      projects: [],
    })
    for (const word of ['s3cre', 's3cret2', 'S3CRET', '', 's3cret s3cret']) {
      assert.equal((await ask('/health', bearer(word))).text, '{"status":"healthy"}', word)
      assert.equal((await ask('/metrics', bearer(word))).code, 401, word)
    }
    assert.equal((await ask('/health', { headers: { Authorization: 's3cret' } })).text, '{"status":"healthy"}')
    assert.equal((await ask('/metrics')).headers.get('www-authenticate'), 'Bearer')
    assert.equal((await ask('/metrics', bearer('s3cret'))).code, 200)
  })

  test('without a token show details to nobody, and metrics to this machine alone', async () => {
    const none = { host: '127.0.0.1' }
    assert.equal((await ask('/health', bearer('s3cret'), {}, none)).text, '{"status":"healthy"}')
    assert.equal((await ask('/metrics', {}, {}, none)).code, 200)
    assert.equal((await ask('/metrics', {}, {}, { host: '0.0.0.0' })).code, 401)
  })

  test('are unhealthy when the catalog cannot be read, and say why only to who may know', async () => {
    const broken = { status: () => Promise.reject(new Error('the disk /var/lib/bewaar is gone')) }
    const outside = await ask('/health', {}, broken)
    assert.deepEqual([outside.code, outside.text], [503, '{"status":"unhealthy"}'])
    const inside = await ask('/health', bearer('s3cret'), broken)
    assert.match(inside.text, /"catalog":\{"status":"unavailable","reason":"the disk .* is gone"\}/)
    const { code, text } = await ask('/metrics', bearer('s3cret'), broken)
    assert.equal(code, 200)
    assert.match(text, /^bewaar_catalog_up 0$/m)
  })

  test('are unhealthy when the scheduler does not look any more', async () => {
    const looked = (ago: number) => ({ schedule: () => ({ lookedAt: now - ago, running: 2, waiting: 3 }) })
    assert.equal((await ask('/health', {}, looked(300_000))).code, 200)
    const { code, text } = await ask('/health', bearer('s3cret'), looked(300_001))
    assert.equal(code, 503)
    assert.match(text, /"schedule":\{"status":"stalled","looked":"2001-09-09T01:41:39\.999Z","running":2,"waiting":3\}/)
    assert.equal((await ask('/health', {}, looked(-300_001))).code, 503, 'a clock that was put back')
    const metrics = await ask('/metrics', bearer('s3cret'), looked(1000))
    assert.match(metrics.text, /^bewaar_scheduler_last_tick_timestamp_seconds 999999999$/m)
    assert.match(metrics.text, /^bewaar_duties\{state="waiting"\} 3$/m)
  })

  test('are read, and nothing else', async () => {
    const head = await ask('/health', { method: 'HEAD' })
    assert.deepEqual([head.code, head.text], [200, ''])
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { code, headers } = await ask('/health', { method })
      assert.deepEqual([code, headers.get('allow')], [405, 'GET, HEAD'], method)
    }
    for (const path of ['/', '/health/', '/healthz', '/metrics/x', '/health%2f', '/../health2', '//health']) {
      assert.equal((await ask(path, bearer('s3cret'))).code, 404, path)
    }
  })

  test('are never kept or guessed, whatever they are', async () => {
    const bug = { schedule: () => assert.fail('a secret') }
    for (const answer of [
      await ask('/health'),
      await ask('/metrics'),
      await ask('/nothing'),
      await ask('/health', { method: 'POST' }),
      await ask('/health', {}, bug),
    ]) {
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff')
      assert.doesNotMatch(answer.text, /a secret/)
    }
  })

  test('of many who ask at once are worked out once', async () => {
    let count = 0
    const status = async () => {
      count++
      await new Promise((resolve) => setTimeout(resolve, 20))
      return empty
    }
    const app = createApi({ ...reader, status }, withToken)
    const one = async () => await app.request('http://localhost/health', { headers: { Host: 'localhost' } })
    const answers = await Promise.all(Array.from({ length: 20 }, one))
    assert.deepEqual(
      answers.map((answer) => answer.status),
      answers.map(() => 200),
    )
    assert.equal(count, 1)
    await one()
    assert.equal(count, 2)
  })

  test('of a bug say nothing, and the log gets it', async () => {
    const thrown: unknown[] = []
    const bug = { schedule: () => assert.fail('a secret') }
    const options = { ...withToken, onError: (error: unknown) => void thrown.push(error) }
    const { code, text } = await ask('/health', bearer('s3cret'), bug, options)
    assert.deepEqual([code, text, thrown.length], [500, '{"error":"bug"}', 1])
  })

  test('are refused under the name of another machine', async () => {
    for (const host of [
      'evil.example.org',
      'evil.example.org:8420',
      '127.0.0.1.evil.example.org',
      '10.0.0.1',
      '[::2]',
      '',
    ]) {
      assert.equal((await ask('/health', { headers: { Host: host } })).code, 421, host)
    }
    for (const host of ['localhost', 'localhost:80', '127.0.0.1', '127.8.9.1:8420', '[::1]:8420', 'LOCALHOST']) {
      assert.equal((await ask('/health', { headers: { Host: host } })).code, 200, host)
    }
    const everywhere = { ...withToken, host: '0.0.0.0' }
    assert.equal((await ask('/health', { headers: { Host: 'web1.example.org' } }, {}, everywhere)).code, 200)
  })
})

suite('a server', () => {
  const never = new AbortController().signal

  test('answers at a free port until it is disposed', async () => {
    const app = createApi(reader, withToken)
    let url: string
    {
      await using server = await listen(app, local, never)
      url = server.url
      assert.equal((await fetch(`${url}/health`)).status, 200)
    }
    await assert.rejects(fetch(`${url}/health`))
  })

  test('ends with its signal, and with who holds a connection open', { timeout: 10_000 }, async () => {
    const stop = new AbortController()
    await using server = await listen(createApi(reader, withToken), local, stop.signal)
    const socket = connect(server.port, '127.0.0.1')
    await once(socket, 'connect')
    const closed = new Promise((resolve) => socket.once('close', resolve))
    socket.on('error', () => {}) // because it may be told of the end by a reset
    socket.write('GET /health HTTP/1.1\r\n')
    stop.abort()
    await closed
    await assert.rejects(fetch(`${server.url}/health`))
  })

  test('says who it cannot listen for', async () => {
    const app = createApi(reader, withToken)
    await using server = await listen(app, local, never)
    await assert.rejects(listen(app, { host: '127.0.0.1', port: server.port }, never), {
      code: 'api.not-listening',
      message: /at 127\.0\.0\.1:\d+: .*EADDRINUSE/,
    })
    await assert.rejects(listen(app, { host: '203.0.113.1', port: 0 }, never), { code: 'api.not-listening' })
  })

  test('hears no more than a little, and not for long', { timeout: 20_000 }, async () => {
    await using server = await listen(createApi(reader, withToken), local, never)
    const long = await fetch(`${server.url}/health`, { headers: { 'X-Long': 'x'.repeat(9000) } })
    assert.equal(long.status, 431)
    const slow = connect(server.port, '127.0.0.1')
    await once(slow, 'connect')
    slow.write('GET /health HTTP/1.1\r\nHost: localhost\r\n')
    const [answer] = (await once(slow, 'data')) as [Buffer]
    assert.match(answer.toString(), /^HTTP\/1\.1 408 /)
    await once(slow, 'close')
  })
})
