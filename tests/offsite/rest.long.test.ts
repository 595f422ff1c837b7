import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { collect, runProgram, Secret } from '#base'
import { archive, check, type Backend } from '#engine'
import { backendSuite, memoryRepository, memoryPassword, stockRestic } from '#engine/testing'
import { createRest, openRest } from '#engine'
import { needs } from '../needs.ts'
import { startStandIn } from './rest-stand-in.ts'
import {
  filesBelow,
  makeCertificate,
  restartRclone,
  scratchFolder,
  startRclone,
  type TestRclone,
} from './rest-server.ts'

type FileRef = Parameters<Backend['save']>[0]
type FileType = FileRef['type']

const types: readonly FileType[] = ['config', 'key', 'lock', 'snapshot', 'index', 'pack']

function load(backend: Backend, ...request: Parameters<Backend['load']>): Promise<Uint8Array> {
  return collect(backend.load(...request))
}

function refOf(type: FileType, bytes: Uint8Array | string): FileRef {
  return { type, name: type === 'config' ? '' : createHash('sha256').update(bytes).digest('hex') }
}

suite('a REST server', { skip: needs('rclone') }, () => {
  const folder = scratchFolder()
  let server: TestRclone
  let appending: TestRclone
  before(async () => {
    server = await startRclone()
    appending = await startRclone('--append-only')
  })
  after(async () => {
    await server?.[Symbol.asyncDispose]()
    await appending?.[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })
  let made = 0
  const create = (url: string): Promise<Backend> => createRest({ url: `${url}/r${made++}` })

  backendSuite('REST over HTTP/1.1', () => create(server.url))
  backendSuite('REST over HTTP/1.1 that only appends', () => create(appending.url), { appendOnly: true })

  test('that only appends takes every file once, removes none but locks, and says so', async () => {
    await using backend = await create(appending.url)
    for (const type of types) {
      const body = Buffer.from(`a ${type}`)
      const ref = refOf(type, body)
      await backend.save(ref, body)
      await assert.rejects(backend.save(ref, Buffer.from('another')), { code: 'backend.conflict' }, type)
      assert.deepEqual(Buffer.from(await load(backend, ref)), body)
      if (type === 'lock') {
        await backend.remove(ref)
        assert.deepEqual(await Array.fromAsync(backend.list('lock')), [])
        continue
      }
      await assert.rejects(backend.remove(ref), { code: 'backend.denied', message: /only appends/ }, type)
      assert.deepEqual(Buffer.from(await load(backend, ref)), body)
    }
  })

  test('that only appends still refuses to overwrite when nobody looks first, and takes bytes of another name', async () => {
    const ask = async (method: string, path: string, body?: string): Promise<number> => {
      const answer = await fetch(`${appending.url}/raw/${path}`, { method, ...(body !== undefined && { body }) })
      await answer.arrayBuffer()
      return answer.status
    }
    const name = 'b'.repeat(64)
    await ask('POST', '?create=true')
    for (const path of ['config', `data/${name}`, `keys/${name}`, `index/${name}`, `snapshots/${name}`]) {
      assert.equal(await ask('POST', path, 'first'), 200, path)
      assert.equal(await ask('POST', path, 'second'), 403, path)
      assert.equal(await ask('DELETE', path), 403, path)
    }
    assert.equal(readFileSync(join(appending.folder, 'raw/data/bb', name), 'utf8'), 'first')
  })

  test('that may be written overwrites for whoever does not look first, which is not us', async () => {
    await using backend = await create(server.url)
    const ref = refOf('pack', 'x')
    await backend.save(ref, Buffer.from('first'))
    const url = `${backend.place.slice('rest:'.length)}data/${ref.name}`
    assert.equal((await fetch(url, { method: 'POST', body: 'second' })).status, 200)
    await assert.rejects(backend.save(ref, Buffer.from('third')), { code: 'backend.conflict' })
    assert.equal(Buffer.from(await load(backend, ref)).toString(), 'second')
  })

  test('that is killed during an upload is unavailable, and answers again when it is back', async () => {
    await using dying = await startRclone('--bwlimit', '4M')
    await using backend = await createRest({ url: dying.url })
    const body = new Uint8Array(20_000_000)
    const saving = backend.save(refOf('pack', 'x'), body)
    saving.catch(() => {})
    while (filesBelow(dying.folder).length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    process.kill(dying.pid, 'SIGKILL')
    await assert.rejects(saving, { code: 'backend.unavailable' })
    await assert.rejects(Array.fromAsync(backend.list('pack')), { code: 'backend.unavailable' })
    // because it writes under the final name, a part of the file has stayed there
    assert.deepEqual(
      filesBelow(dying.folder).map((path) => path.slice(8)),
      [refOf('pack', 'x').name],
    )
    await using _ = await restartRclone(dying)
    await backend.save(refOf('pack', 'x'), body)
    assert.equal(Buffer.compare(await load(backend, refOf('pack', 'x')), body), 0)
  })

  test('asks for user and password, and a wrong one is denied without being shown', async () => {
    await using guarded = await startRclone('--user', 'bewaar', '--pass', 'right one')
    const login = { url: guarded.url, user: 'bewaar', password: new Secret('right one') }
    await using backend = await createRest(login)
    await backend.save(refOf('pack', 'x'), Buffer.from('x'))
    for (const other of [{ url: guarded.url }, { ...login, password: new Secret('wrong one') }]) {
      await using refused = await openRest(other)
      for (const operation of [
        () => load(refused, refOf('pack', 'x')),
        () => refused.save(refOf('pack', 'y'), Buffer.from('y')),
        () => refused.remove(refOf('pack', 'x')),
        () => Array.fromAsync(refused.list('pack')),
      ]) {
        await assert.rejects(operation(), (thrown: Error & { code?: string }) => {
          assert.ok(!thrown.message.includes('wrong one'))
          return thrown.code === 'backend.denied' && /user or password/.test(thrown.message)
        })
      }
    }
  })

  test('with a certificate of its own authority is believed only when that is known', async () => {
    const { ca, certificate, key } = makeCertificate(join(folder.path, 'tls'))
    await using secure = await startRclone('--cert', certificate, '--key', key)
    await using known = await createRest({ url: secure.url, ca })
    await known.save(refOf('pack', 'x'), new Uint8Array(1_000_000))
    assert.equal((await load(known, refOf('pack', 'x'))).length, 1_000_000)
    const { ca: other } = makeCertificate(join(folder.path, 'other'))
    for (const options of [{ url: secure.url }, { url: secure.url, ca: other }]) {
      await using unknown = await openRest(options)
      const loading = load(unknown, refOf('pack', 'x'))
      await assert.rejects(loading, { code: 'backend.denied', message: /certificate is not trusted/ })
    }
  })

  test('holds what we wrote for stock restic, and what it wrote for us', { skip: needs('restic') }, async () => {
    await using restic = await stockRestic(memoryPassword)
    const tree = join(restic.scratch, 'tree')
    mkdirSync(join(tree, 'below'), { recursive: true })
    writeFileSync(join(tree, 'below', 'file'), Buffer.alloc(3_000_000, 'content'))
    for (const { url } of [server, appending]) {
      await using backend = await createRest({ url: `${url}/stock/` })
      await using repository = await memoryRepository(backend)
      const there = ['-r', `rest:${url}/stock/`]
      const parts = [{ kind: 'folder', at: 'tree', path: tree }] as const
      const { snapshot } = await archive(repository, {
        parts,
        timeNs: 1_700_000_000n * 10n ** 9n,
        paths: [tree],
        hostname: 'web1',
      })
      const target = join(restic.scratch, new URL(url).port)
      await restic.run(...there, 'restore', snapshot, '--target', target)
      await runProgram('diff', ['-r', tree, join(target, 'tree')])
      await restic.run(...there, 'backup', tree)
      await restic.run(...there, 'check', '--read-data')
      assert.equal((await repository.listSnapshots()).snapshots.length, 2)
      assert.deepEqual((await check(repository, { readShare: 1 })).findings, [])
    }
  })
})

suite('a server that answers as rest-server does', () => {
  for (const version of [1, 2] as const) {
    backendSuite(`REST with lists of version ${version}`, async () => {
      const server = await startStandIn({ version })
      const backend = await createRest({ url: `${server.url}/repository/` })
      const close = backend[Symbol.asyncDispose].bind(backend)
      const closeBoth = async (): Promise<void> => {
        await close()
        await server[Symbol.asyncDispose]()
      }
      return Object.assign(backend, { [Symbol.asyncDispose]: closeBoth })
    })
  }

  test('that only appends removes locks alone', async () => {
    await using server = await startStandIn({ version: 2, appendOnly: true })
    await using backend = await createRest({ url: `${server.url}/repository` })
    for (const type of types) {
      const ref = refOf(type, type)
      await backend.save(ref, Buffer.from(type))
      await assert.rejects(backend.save(ref, Buffer.from('another')), { code: 'backend.conflict' })
      if (type === 'lock') await backend.remove(ref)
      else await assert.rejects(backend.remove(ref), { code: 'backend.denied' })
    }
  })
})
