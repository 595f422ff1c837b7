import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { collect } from '#base'
import type { Backend } from '#engine'

import { createRestOverSsh, openRestOverSsh } from '#engine'
import { backendSuite } from '#engine/testing'
import { needs } from '../needs.ts'
import { endProcess, startSshd, type TestSshd } from '../remote/sshd.ts'
import { filesBelow, scratchFolder } from './rest-server.ts'

type FileRef = Parameters<Backend['save']>[0]

/** Of the line that people are told to write. */
const document = readFileSync(new URL('../../docs/operate/rest.md', import.meta.url), 'utf8')
const keyOptions = /^(restrict,command="[^"]*") ssh-ed25519 /m.exec(document)![1]!

function load(backend: Backend, ...request: Parameters<Backend['load']>): Promise<Uint8Array> {
  return collect(backend.load(...request))
}

function packOf(bytes: Uint8Array | string): FileRef {
  return { type: 'pack', name: createHash('sha256').update(bytes).digest('hex') }
}

const code = (expected: string) => ({ code: expected })

suite('REST over SSH', { skip: needs('rclone', 'sshd', 'ssh') }, () => {
  let sshd: TestSshd
  before(async () => {
    sshd = await startSshd({ keyOptions })
  })
  after(() => sshd?.[Symbol.asyncDispose]())
  const create = (path: string): Promise<Backend> => createRestOverSsh({ target: sshd.target, path })

  let made = 0
  backendSuite('REST over SSH that only appends', () => create(`suite/${made++}`), { appendOnly: true })

  suite('without --append-only', () => {
    let free: TestSshd
    before(async () => {
      free = await startSshd({ keyOptions: keyOptions.replace(' --append-only', '') })
    })
    after(() => free?.[Symbol.asyncDispose]())
    backendSuite('REST over SSH', () => createRestOverSsh({ target: free.target, path: `suite/${made++}` }))
  })

  test('stores, lists and loads over one login, and nothing can be removed but locks', async () => {
    await using backend = await create('aimtrack')
    assert.equal(backend.place, `rest+ssh://${sshd.user.name}@127.0.0.1:${sshd.port}/aimtrack`)
    const bodies = Array.from({ length: 12 }, (_, at) => Buffer.alloc(at === 0 ? 20_000_000 : 1000 + at, `${at} `))
    await Promise.all(bodies.map((body) => backend.save(packOf(body), body)))
    const loaded = await Promise.all(bodies.map((body) => load(backend, packOf(body))))
    for (const [at, body] of bodies.entries()) assert.equal(Buffer.compare(loaded[at]!, body), 0)
    const range = { start: 9_999_999, end: 12_345_678 }
    const part = await load(backend, packOf(bodies[0]!), range)
    assert.equal(Buffer.compare(part, bodies[0]!.subarray(range.start, range.end)), 0)
    assert.equal((await Array.fromAsync(backend.list('pack'))).length, bodies.length)

    await assert.rejects(backend.remove(packOf(bodies[1]!)), code('backend.denied'))
    await assert.rejects(backend.save(packOf(bodies[1]!), Buffer.from('x')), code('backend.conflict'))
    const lock: FileRef = { type: 'lock', name: 'c'.repeat(64) }
    await backend.save(lock, Buffer.from('lock'))
    await backend.remove(lock)
    const { name } = packOf(bodies[1]!)
    assert.ok(filesBelow(join(sshd.home, 'backups')).includes(`aimtrack/data/${name.slice(0, 2)}/${name}`))
  })

  test('an upload that is aborted leaves nothing, and the connection goes on', async () => {
    await using backend = await create('aborted')
    for (const afterMs of [0, 5, 20]) {
      const body = Buffer.alloc(30_000_000, `${afterMs}`)
      const stop = new AbortController()
      const reason = new Error('enough')
      const saving = backend.save(packOf(body), body, stop.signal)
      setTimeout(() => stop.abort(reason), afterMs)
      await assert.rejects(saving, (thrown) => thrown === reason)
      assert.deepEqual(await Array.fromAsync(backend.list('pack')), [])
    }
  })

  test('a connection that is lost fails what was under way, and the next operation logs in again', async () => {
    await using backend = await create('lost')
    const body = Buffer.alloc(50_000_000, 'lost')
    const saving = backend.save(packOf(body), body)
    saving.catch(() => {})
    while (!existsSync(join(sshd.home, 'backups/lost/data'))) await new Promise((resolve) => setTimeout(resolve, 5))
    for (const pid of sshd.sessions()) endProcess(pid)
    await assert.rejects(saving, code('backend.unavailable'))
    await backend.save(packOf('small'), Buffer.from('small'))
    assert.equal(Buffer.from(await load(backend, packOf('small'))).toString(), 'small')
  })

  test('a key that may do other things is told to be of no use, and nothing is run', async () => {
    await using open = await startSshd()
    const opened = createRestOverSsh({ target: open.target })
    await assert.rejects(opened, { code: 'backend.denied', message: /not bound to `rclone serve restic --stdio`/ })
    assert.deepEqual(
      filesBelow(open.home).filter((path) => !path.startsWith('.ssh/')),
      [],
    )
  })

  test('a server without rclone, with another key, or that is not there is told apart', async () => {
    await using without = await startSshd({ keyOptions: 'restrict,command="/nowhere/rclone serve restic --stdio x"' })
    const first = createRestOverSsh({ target: without.target })
    await assert.rejects(first, { code: 'backend.denied', message: /exit code 127/ })

    using scratch = scratchFolder()
    const nobody = join(scratch.path, 'known_hosts')
    writeFileSync(nobody, '')
    await using unknown = await openRestOverSsh({ target: { ...sshd.target, knownHosts: nobody } })
    await assert.rejects(Array.fromAsync(unknown.list('pack')), {
      code: 'remote.host-key',
      message: /host key is not in/,
    })
    await using stranger = await openRestOverSsh({ target: { ...sshd.target, identity: nobody } })
    await assert.rejects(Array.fromAsync(stranger.list('pack')), code('remote.denied'))
    const gone = openRestOverSsh({ target: { ...sshd.target, port: 1 } })
    await using absent = await gone
    await assert.rejects(Array.fromAsync(absent.list('pack')), { code: 'backend.unavailable', message: /refused/ })
  })

  test('a path, a host or a user that is none is refused', async () => {
    for (const path of ['..', 'a/../b', 'a b', './x', 'a?b', 'a%2e']) {
      await assert.rejects(openRestOverSsh({ target: sshd.target, path }), code('backend.request-invalid'), path)
    }
    for (const host of ['-oProxyCommand=id', '', 'a b']) {
      await assert.rejects(openRestOverSsh({ target: { host } }), code('remote.name'), host)
    }
  })
})
