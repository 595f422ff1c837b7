import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import type { RemoteFolderPart } from '#engine'
import { memoryRepository } from '#engine/testing'
import type { RemoteFiles } from '#remote'
import { needs } from '../needs.ts'
import { archived, makeAwkwardTree, openFiles, temporaryFolder } from './place.ts'
import { startSshd, type TestSshd } from './sshd.ts'

suite('a folder on another server', { skip: needs('sshd', 'ssh') }, () => {
  let sshd: TestSshd
  let bare: TestSshd
  before(async () => {
    sshd = await startSshd()
    bare = await startSshd({ config: 'ForceCommand internal-sftp' })
  })
  after(async () => {
    await sshd?.[Symbol.asyncDispose]()
    await bare?.[Symbol.asyncDispose]()
  })

  const part = (files: RemoteFiles, path: string): RemoteFolderPart => ({
    kind: 'remote-folder',
    at: 'files',
    reader: files,
    path: Buffer.from(path).toString('latin1'),
    leaveOut: (relative) => relative === 'left out',
  })

  test('gives the very tree that it gives when it is read locally', async () => {
    using place = temporaryFolder('tree')
    const folder = join(place.path, 'tree')
    makeAwkwardTree(folder)
    const repository = await memoryRepository()
    const leaveOut = (relative: string): boolean => relative === 'left out'
    const local = await archived(repository, [{ kind: 'folder', at: 'files', path: folder, leaveOut }], { timeNs: 0n })
    await using session = await openFiles(sshd.target)
    assert.equal(session.files.method, 'find')
    const remote = await archived(repository, [part(session.files, folder)], { timeNs: 0n })
    assert.deepEqual(remote.findings, [])
    assert.equal(remote.tree, local.tree)
    assert.equal(remote.bytesRead, local.bytesRead)
    assert.deepEqual(remote.files, local.files)
    assert.equal(remote.bytesAdded, 0)
  })

  test('is not read again when nothing changed, and only what changed is', async () => {
    using place = temporaryFolder('again')
    const folder = join(place.path, 'tree')
    makeAwkwardTree(folder)
    const repository = await memoryRepository()
    const run = async (parent?: { snapshot: string; tree: string; timeNs: bigint }) => {
      await using session = await openFiles(sshd.target)
      return await archived(
        repository,
        [part(session.files, folder)],
        parent && { parent: { id: parent.snapshot, ...parent } },
      )
    }
    const first = await run()
    const second = await run({ ...first, timeNs: first.timeNs })
    assert.equal(second.bytesRead, 0)
    assert.equal(second.tree, first.tree)
    assert.equal(second.files.new + second.files.changed, 0)

    writeFileSync(join(folder, 'small'), 'other\n')
    spawnSync('touch', ['-d', '2020-09-13T12:26:40.123456Z', join(folder, 'small')])
    rmSync(join(folder, 'empty'))
    writeFileSync(join(folder, 'folder', 'new'), 'new')
    const third = await run({ ...second, timeNs: second.timeNs })
    // its second name tells of the change too
    assert.equal(third.bytesRead, 'other\n'.length * 2 + 'new'.length)
    assert.notEqual(third.tree, second.tree)
  })

  test('is told in findings where it cannot be read, and taken without that', { skip: needs('root') }, async () => {
    using place = temporaryFolder('rights')
    const folder = join(place.path, 'tree')
    mkdirSync(join(folder, 'closed'), { recursive: true })
    writeFileSync(join(folder, 'closed', 'file'), 'x')
    mkdirSync(join(folder, 'unreachable'))
    writeFileSync(join(folder, 'unreachable', 'file'), 'x')
    writeFileSync(join(folder, 'secret'), 'x')
    writeFileSync(join(folder, 'empty secret'), '')
    writeFileSync(join(folder, 'open'), 'open')
    chmodSync(join(folder, 'closed'), 0o700)
    chmodSync(join(folder, 'unreachable'), 0o744)
    for (const name of ['secret', 'empty secret']) chmodSync(join(folder, name), 0o600)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve))
    for (const target of [sshd.target, bare.target]) {
      const repository = await memoryRepository()
      await using session = await openFiles(target)
      const result = await archived(repository, [part(session.files, folder)])
      const said = result.findings.map(({ path, code, text }) => `${code} ${path}: ${text}`).toSorted()
      assert.deepEqual(said, [
        'left-out files/socket: is a socket, which has no content',
        'unreadable files/closed: may not be read by this user',
        'unreadable files/empty secret: may not be read by this user',
        'unreadable files/secret: may not be read by this user',
        'unreadable files/unreachable: may not be read by this user',
      ])
      assert.equal(result.files.new, 1)
    }
    server.close()
  })

  test('is taken over SFTP alone where no program can be run, with the same content', async () => {
    using place = temporaryFolder('bare')
    const folder = join(place.path, 'tree')
    makeAwkwardTree(folder)
    const repository = await memoryRepository()
    await using session = await openFiles(bare.target)
    assert.equal(session.files.method, 'sftp')
    const first = await archived(repository, [part(session.files, folder)])
    assert.deepEqual(first.findings, [])
    const local = await archived(repository, [{ ...part(session.files, folder), kind: 'folder', path: folder }])
    assert.equal(local.bytesAdded < 40_000, true, 'only trees are new')
    assert.deepEqual(local.files, first.files)
    const parent = { id: first.snapshot, tree: first.tree, timeNs: first.timeNs }
    const second = await archived(repository, [part(session.files, folder)], { parent })
    assert.equal(second.bytesRead, 0)
    assert.equal(second.tree, first.tree)
  })

  test('may be named by a link, may hold other parts, and may not be missing', async () => {
    using place = temporaryFolder('link')
    const folder = join(place.path, 'tree')
    mkdirSync(join(folder, 'below'), { recursive: true })
    writeFileSync(join(folder, 'below', 'hidden'), 'x')
    writeFileSync(join(folder, 'database'), 'as it lies')
    symlinkSync('tree', join(place.path, 'link'))
    const repository = await memoryRepository()
    const bytes = (text: string) => ({ kind: 'bytes', bytes: Buffer.from(text) }) as const
    for (const target of [sshd.target, bare.target]) {
      await using session = await openFiles(target)
      const linked = {
        ...part(session.files, join(place.path, 'link')),
        replace: new Map([['database', bytes('as it should be')]]),
      }
      const result = await archived(repository, [
        linked,
        { kind: 'content', at: 'files/below', content: bytes('instead of a folder') },
        { kind: 'remote-file', at: 'config/env', reader: session.files, path: join(folder, 'database') },
        { kind: 'remote-file', at: 'config/gone', reader: session.files, path: join(folder, 'nowhere') },
        { kind: 'remote-file', at: 'config/folder', reader: session.files, path: folder },
      ])
      assert.deepEqual(
        result.findings.map(({ path, code }) => `${code} ${path}`),
        ['vanished config/gone', 'unreadable config/folder'],
      )
      assert.equal(result.files.new, 3)
      await assert.rejects(archived(repository, [part(session.files, join(place.path, 'nowhere'))]), {
        code: 'archive.source-missing',
      })
      await assert.rejects(archived(repository, [part(session.files, join(folder, 'database'))]), {
        code: 'archive.source-missing',
      })
    }
  })
})
