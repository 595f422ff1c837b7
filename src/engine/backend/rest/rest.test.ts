import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net'
import { test } from 'node:test'
import { inspect } from 'node:util'

import { AppError, Secret } from '#base'
import { loadAll } from '../load-all.ts'
import type { Backend, FileRef } from '../backend.ts'
import { createRest, openRest, type RestOptions } from './rest.ts'

const id = 'a'.repeat(64)
const pack: FileRef = { type: 'pack', name: id }
const version2 = { 'content-type': 'application/vnd.x.restic.rest.v2' }

interface FarSide extends AsyncDisposable {
  readonly backend: Backend
  readonly requests: string[]
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

/** A server that answers as it likes, and a backend over it. */
async function farSide(answer: RequestListener, options: Partial<RestOptions> = {}): Promise<FarSide> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`)
    answer(request, response)
  })
  const backend = await openRest({ url: `http://127.0.0.1:${await listening(server)}/below/`, ...options })
  return {
    backend,
    requests,
    async [Symbol.asyncDispose]() {
      await backend[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function status(code: number): RequestListener {
  return (_, response) => void response.writeHead(code, 'words of the server').end('more words')
}

/** Says that files are not there, and answers anything else in its own way. */
function absent(answer: RequestListener): RequestListener {
  return (request, response) => (request.method === 'HEAD' ? status(404) : answer)(request, response)
}

const operations: Record<string, (backend: Backend) => Promise<unknown>> = {
  save: (backend) => backend.save(pack, Buffer.from('abc')),
  load: (backend) => loadAll(backend, pack),
  part: (backend) => loadAll(backend, pack, { start: 1, end: 2 }),
  list: (backend) => Array.fromAsync(backend.list('pack')),
  remove: (backend) => backend.remove(pack),
}

test('each status has one meaning', async () => {
  const meanings: Record<number, string> = {
    301: 'backend.denied',
    400: 'backend.denied',
    401: 'backend.denied',
    403: 'backend.denied',
    405: 'backend.denied',
    413: 'backend.denied',
    429: 'backend.unavailable',
    500: 'backend.unavailable',
    502: 'backend.unavailable',
    503: 'backend.unavailable',
    507: 'backend.full',
  }
  for (const [code, expected] of Object.entries(meanings)) {
    await using side = await farSide(status(Number(code)))
    for (const [name, operation] of Object.entries(operations)) {
      const wanted = code === '400' && name === 'save' ? 'backend.unavailable' : expected
      await assert.rejects(operation(side.backend), { code: wanted }, `${name} ${code}`)
    }
  }
  await using missing = await farSide(status(404))
  await assert.rejects(operations['load']!(missing.backend), { code: 'backend.missing' })
  await assert.rejects(operations['part']!(missing.backend), { code: 'backend.missing' })
  await assert.rejects(operations['remove']!(missing.backend), { code: 'backend.missing' })
  await assert.rejects(operations['save']!(missing.backend), { code: 'backend.place-missing' })
  assert.deepEqual(await operations['list']!(missing.backend), [])
})

test('a save is refused as taken, denied or full as the server means it', async () => {
  for (const [code, expected] of Object.entries({
    403: 'denied',
    507: 'full',
    400: 'unavailable',
    500: 'unavailable',
  })) {
    await using side = await farSide(absent(status(Number(code))))
    await assert.rejects(side.backend.save(pack, Buffer.from('x')), { code: `backend.${expected}` })
  }
  let looks = 0
  await using taken = await farSide((request, response) => {
    if (request.method === 'HEAD') response.writeHead(looks++ === 0 ? 404 : 200, { 'content-length': 3 }).end()
    else status(403)(request, response)
  })
  await assert.rejects(taken.backend.save(pack, Buffer.from('abc')), { code: 'backend.conflict' })
})

test('a server that calls the removal of nothing a success is not believed', async () => {
  await using side = await farSide(absent(status(200)))
  await assert.rejects(side.backend.remove(pack), { code: 'backend.missing' })
  assert.deepEqual(side.requests, [`HEAD /below/data/${id}`])
})

test('a redirect is told and not followed', async () => {
  await using elsewhere = await farSide(status(200))
  const location = 'http://127.0.0.1:1/'
  await using side = await farSide((_, response) => void response.writeHead(307, { location }).end())
  for (const operation of Object.values(operations)) {
    await assert.rejects(operation(side.backend), { code: 'backend.denied', message: /another address/ })
  }
  assert.deepEqual(elsewhere.requests, [])
})

test('the login is sent, and is in no message, whatever the server says', async () => {
  const password = new Secret('pa:ss-wörd')
  const expected = `Basic ${Buffer.from('user:pa:ss-wörd').toString('base64')}`
  let sent: string | undefined
  const echo = (request: IncomingMessage, response: ServerResponse, code: number): void => {
    sent = request.headers.authorization
    response.writeHead(code, encodeURIComponent(sent ?? ''), { location: encodeURIComponent(sent ?? '') })
    response.end(sent)
  }
  for (const code of [302, 401, 403, 418, 500]) {
    await using side = await farSide((request, response) => echo(request, response, code), { user: 'user', password })
    for (const operation of Object.values(operations)) {
      const thrown: unknown = await operation(side.backend).catch((error: unknown) => error)
      assert.ok(thrown instanceof AppError)
      const shown = inspect(thrown, { depth: 10, showHidden: true }) + JSON.stringify(thrown)
      for (const secret of ['pa:ss', 'ss-w', expected.slice(6)]) assert.ok(!shown.includes(secret), shown)
      assert.equal(sent, expected)
    }
    assert.ok(!inspect(side.backend, { depth: 2 }).includes('pa:ss'))
    assert.ok(!side.backend.place.includes('user'))
  }
})

test('a URL that is none, or holds a login, is refused without being shown', async () => {
  const urls = ['', 'host/path', 'ftp://host/', 'http://', 'http://user:secret@host/', 'http://user@host/']
  for (const url of [...urls, 'https://host/?secret', 'https://host/#secret']) {
    await assert.rejects(openRest({ url }), (thrown) => {
      assert.ok(thrown instanceof AppError)
      assert.equal(thrown.code, 'backend.request-invalid')
      return !thrown.message.includes('secret')
    })
  }
})

test('a list of version 1 gets its sizes file by file', async () => {
  const names = ['a', 'b', 'c'].map((digit) => digit.repeat(64))
  await using side = await farSide((request, response) => {
    const at = names.findIndex((name) => request.url?.endsWith(name))
    if (request.method === 'GET') response.end(JSON.stringify([...names, 'README', id.toUpperCase()]))
    else if (at === 1) status(404)(request, response)
    else response.writeHead(200, { 'content-length': 100 + at }).end()
  })
  const expected = [0, 2].map((at) => ({ type: 'index', name: names[at], size: 100 + at }))
  assert.deepEqual(await Array.fromAsync(side.backend.list('index')), expected)
})

test('a list names each file once, and only files of a repository', async () => {
  const list = [id, id, '../../etc/passwd', 'short', id.toUpperCase(), `${id}.tmp`].map((name) => ({ name, size: 1 }))
  await using side = await farSide((_, response) => void response.writeHead(200, version2).end(JSON.stringify(list)))
  assert.deepEqual(await Array.fromAsync(side.backend.list('pack')), [{ ...pack, size: 1 }])
})

test('a list that is none, or breaks off, is told', async () => {
  const lists = ['{"error":1}', '<html>', '[', `[{"name":"${id}","size":1}`, `[{"name":"${id}"}]`, '', '[1]']
  for (const list of lists) {
    await using side = await farSide((_, response) => void response.writeHead(200, version2).end(list))
    await assert.rejects(Array.fromAsync(side.backend.list('pack')), { code: 'backend.unavailable' }, list)
  }
  await using cut = await farSide((_, response) => {
    response.writeHead(200, { 'content-length': 1000 }).write(`[{"name":"${id}","size":1},`, () => response.destroy())
  })
  await assert.rejects(Array.fromAsync(cut.backend.list('pack')), { code: 'backend.unavailable' })
})

test('a long list is read as it is consumed, in little memory', async () => {
  let sent = 0
  await using side = await farSide((_, response) => {
    response.writeHead(200, version2).write('[')
    const more = (): void => {
      while (!response.destroyed) {
        const names = Array.from({ length: 500 }, () => (sent++).toString(16).padStart(16, '0').padEnd(64, '0'))
        if (!response.write(`${names.map((name) => JSON.stringify({ name, size: 1 })).join(',')},`)) break
      }
    }
    response.on('drain', more)
    more()
  })
  let seen = 0
  for await (const _ of side.backend.list('pack')) if (++seen === 20_000) break
  assert.ok(sent < 200_000, `${sent} were sent`)
})

test('wrong lengths and wrong parts are told, and never more is read than was announced', async () => {
  const ranged = (range: string, body: string, more = {}): RequestListener => {
    return (_, response) => void response.writeHead(206, { 'content-range': range, ...more }).end(body)
  }
  const wrong: [RequestListener, string][] = [
    [ranged('bytes 0-9/100', '0123456789'), 'unavailable'],
    [ranged('bytes 5-9/100', '56789'), 'unavailable'],
    [ranged('bytes 5-14/100', '56789'), 'unavailable'],
    [ranged('bytes 5-14/100', '5678901234567'), 'unavailable'],
    [ranged('bytes 5-14/100', '5678901234567', { 'transfer-encoding': 'chunked' }), 'unavailable'],
    [ranged('bytes 5-9/10', '56789'), 'damaged'],
    [ranged('bytes 5-4/5', ''), 'damaged'],
    [ranged('nonsense', '5678901234'), 'unavailable'],
    [(_, response) => void response.writeHead(206).end('5678901234'), 'unavailable'],
    [(_, response) => void response.end('0'.repeat(100)), 'unavailable'],
    [status(416), 'damaged'],
  ]
  for (const [answer, code] of wrong) {
    await using side = await farSide(answer)
    await assert.rejects(loadAll(side.backend, pack, { start: 5, end: 15 }), { code: `backend.${code}` })
  }
  const whole: RequestListener[] = [
    (_, response) => void response.writeHead(200, { 'transfer-encoding': 'chunked' }).end('abc'),
    (_, response) => void response.writeHead(200, { 'content-length': 3, 'content-encoding': 'gzip' }).end('abc'),
    (_, response) => void response.writeHead(206, { 'content-length': 3 }).end('abc'),
  ]
  for (const answer of whole) {
    await using side = await farSide(answer)
    await assert.rejects(loadAll(side.backend, pack), AppError)
  }
})

test('a connection that breaks off or falls silent ends the operation', async () => {
  const begin = (response: ServerResponse): ServerResponse => response.writeHead(200, { 'content-length': 100_000 })
  const breaks: RequestListener[] = [
    (request) => request.socket.destroy(),
    (request) => request.socket.resetAndDestroy(),
    (_, response) => void begin(response).write('x'.repeat(1000), () => response.destroy()),
    () => {},
    (_, response) => void begin(response).write('x'.repeat(1000)),
  ]
  for (const answer of breaks) {
    await using side = await farSide(answer, { stallMs: 150 })
    for (const name of ['load', 'part', 'list', 'remove', 'save']) {
      await assert.rejects(operations[name]!(side.backend), { code: 'backend.unavailable' }, name)
    }
  }
})

test('who reads slowly is not taken for a silent server', async () => {
  const body = Buffer.alloc(3_000_000, 7)
  await using side = await farSide((_, response) => void response.end(body), { stallMs: 400 })
  let size = 0
  for await (const bytes of side.backend.load(pack)) {
    if (size === 0) await new Promise((resolve) => setTimeout(resolve, 1000))
    size += bytes.length
  }
  assert.equal(size, body.length)
})

test('what speaks no HTTP, and what is not there, is unavailable', async () => {
  const server = createTcpServer((socket) => {
    socket.on('error', () => {}).resume()
    socket.end('SSH-2.0-OpenSSH_9.2p1\r\n')
  })
  const port = await listening(server)
  const backend = await openRest({ url: `http://127.0.0.1:${port}/` })
  await assert.rejects(loadAll(backend, pack), { code: 'backend.unavailable' })
  await new Promise((resolve) => server.close(resolve))
  await assert.rejects(loadAll(backend, pack), { code: 'backend.unavailable', message: /ECONNREFUSED/ })
  await assert.rejects(createRest({ url: `http://127.0.0.1:${port}/` }), { code: 'backend.unavailable' })
})

test('no more connections are opened than allowed, and locks do not wait for files', async () => {
  const sockets = new Set<unknown>()
  const held: ServerResponse[] = []
  await using side = await farSide(
    (request, response) => {
      if (request.url?.includes('/locks/')) response.end('abc')
      else {
        sockets.add(request.socket)
        held.push(response)
      }
    },
    { connections: 3 },
  )
  const loads = Array.from({ length: 30 }, () => loadAll(side.backend, pack))
  while (held.length < 3) await new Promise((resolve) => setTimeout(resolve, 10))
  await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(held.length, 3)
  await loadAll(side.backend, { type: 'lock', name: id })
  const answering = setInterval(() => held.splice(0).forEach((response) => response.end('abc')), 1)
  await Promise.all(loads)
  clearInterval(answering)
  assert.equal(sockets.size, 3)
})

test('an aborted load ends with its own reason while the server is silent, and while it sends', async () => {
  for (const answer of [() => {}, (_: unknown, response: ServerResponse) => void response.write('[')]) {
    await using side = await farSide(answer)
    const stop = new AbortController()
    const reason = new Error('enough')
    setTimeout(() => stop.abort(reason), 50)
    await assert.rejects(Array.fromAsync(side.backend.list('pack', stop.signal)), (thrown) => thrown === reason)
  }
})

test('a server that refuses a large file before it has read it is understood', async () => {
  await using side = await farSide(absent(status(507)))
  await assert.rejects(side.backend.save(pack, new Uint8Array(20_000_000)), { code: 'backend.full' })
})

test('what a failed save left behind is taken away, but never a config and never a whole file', async () => {
  for (const [type, left, isRemoved] of [
    ['pack', 5, true],
    ['pack', 10, false],
    ['config', 5, false],
  ] as const) {
    let isThere = false
    await using side = await farSide((request, response) => {
      if (request.method === 'POST') {
        isThere = true
        request.socket.destroy()
      } else if (request.method === 'DELETE') response.end()
      else response.writeHead(isThere ? 200 : 404, { 'content-length': isThere ? left : 0 }).end()
    })
    const ref = { type, name: type === 'config' ? '' : id }
    await assert.rejects(side.backend.save(ref, new Uint8Array(10)), { code: 'backend.unavailable' })
    assert.equal(side.requests.at(-1)?.startsWith('DELETE') ?? false, isRemoved, `${type} ${left}`)
  }
})

test('after an upload that stood still nothing more is stored under its name when a part of it stays', async () => {
  let posts = 0
  await using side = await farSide(
    (request, response) => {
      if (request.method === 'POST') posts++
      else if (request.method === 'DELETE') response.end()
      else response.writeHead(posts > 0 ? 200 : 404, { 'content-length': posts > 0 ? 5 : 0 }).end()
    },
    { stallMs: 1000 },
  )
  const saving = side.backend.save(pack, new Uint8Array(10))
  await assert.rejects(saving, { code: 'backend.half-stored', kind: 'unavailable' })
  assert.equal(posts, 1)
  assert.match(side.requests.at(-1)!, /^DELETE /)
})

test('a part that the server has taken away is stored anew, though it still speaks of it', async () => {
  const stored: number[] = []
  await using side = await farSide((request, response) => {
    if (request.method === 'HEAD') response.writeHead(200, { 'content-length': 5 }).end()
    else if (request.method === 'GET') response.writeHead(404).end()
    else {
      stored.push(Number(request.headers['content-length']))
      request.resume().on('end', () => response.end())
    }
  })
  await side.backend.save(pack, new Uint8Array(10))
  assert.deepEqual(stored, [10])
})

test('after it was disposed nothing is asked any more', async () => {
  await using side = await farSide(status(404))
  await side.backend[Symbol.asyncDispose]()
  await assert.rejects(loadAll(side.backend, pack), { code: 'backend.unavailable', message: /it was closed/ })
  assert.deepEqual(side.requests, [])
})
