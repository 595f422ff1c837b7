import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { loadAll } from '#engine/testing'
import { createSftp, openSftp, type SftpPlace } from '#engine'
import { memoryPassword, memoryRepository, stockRestic } from '#engine/testing'
import { needs } from '../needs.ts'
import { archived } from '../remote/place.ts'
import { run, startSshd, type TestSshd } from '../remote/sshd.ts'
import { assertWhole, bytesOf, packsIn, refOf } from './sftp-faults.ts'
import { freshPath, ownSshProcesses, socketFolder } from './sftp-place.ts'

suite('a repository on another server', { skip: needs('sshd', 'ssh') }, () => {
  let sockets: ReturnType<typeof socketFolder>
  let sshd: TestSshd
  before(async () => {
    sockets = socketFolder()
    sshd = await startSshd()
  })
  after(async () => {
    sockets?.[Symbol.dispose]()
    await sshd?.[Symbol.asyncDispose]()
    assert.deepEqual(ownSshProcesses(), [])
  })
  const placeAt = (path: string): SftpPlace => ({ target: sshd.target, path, folder: sockets.path })
  const id = (digit: string): string => digit.repeat(64)
  const text = (words: string): Uint8Array => Buffer.from(words)

  test('is read by stock restic over SFTP, and what restic adds is read here', { skip: needs('restic') }, async () => {
    const path = freshPath(sshd)
    const { target } = sshd
    const hosts = `-o UserKnownHostsFile=${target.knownHosts} -o GlobalKnownHostsFile=none`
    const command = `ssh -F ${sshd.settings} -i ${target.identity} -p ${sshd.port} ${hosts} ${sshd.user.name}@127.0.0.1 -s sftp`
    await using restic = await stockRestic(memoryPassword)
    const judge = async (...args: string[]): Promise<string> =>
      await restic.run('-o', `sftp.command=${command}`, '-r', `sftp:${sshd.user.name}@127.0.0.1:${path}`, ...args)
    await using backend = await createSftp(placeAt(path))
    const repository = await memoryRepository(backend)
    const content = async function* (): AsyncGenerator<Uint8Array> {
      yield bytesOf(5, 3_000_000)
    }
    const part = {
      kind: 'content',
      at: 'file',
      content: { kind: 'stream', open: content, onFailure: 'abort' },
    } as const
    await archived(repository, [part])
    assert.match(await judge('check', '--read-data'), /no errors were found/)
    writeFileSync(join(restic.scratch, 'added'), 'added by restic')
    await judge('backup', join(restic.scratch, 'added'))
    assert.equal((await repository.listSnapshots()).snapshots.length, 2)
    assertWhole(path)
  })

  test('has the folders and modes that a local one has, and nothing beside its files', async () => {
    const path = freshPath(sshd)
    for (let round = 0; round < 2; round++) {
      await using backend = await createSftp(placeAt(path))
      assert.equal(backend.place, `sftp://${sshd.user.name}@127.0.0.1:${sshd.port}${path}`)
    }
    assert.deepEqual(readdirSync(path).sort(), ['data', 'index', 'keys', 'locks', 'snapshots'])
    assert.equal(readdirSync(join(path, 'data')).length, 256)
    assert.equal(lstatSync(join(path, 'data/ff')).mode & 0o7777, 0o700)
    {
      await using backend = await openSftp(placeAt(path))
      await backend.save({ type: 'config', name: '' }, text('c'))
      await backend.save({ type: 'pack', name: id('a') }, text('p'))
    }
    for (const file of ['config', `data/aa/${id('a')}`]) {
      const { mode, nlink } = lstatSync(join(path, file))
      assert.deepEqual([mode & 0o7777, nlink], [0o400, 1], file)
    }
    assert.deepEqual(readdirSync(join(path, 'data/aa')), [id('a')])
    chmodSync(join(path, 'config'), 0o440)
    await using backend = await openSftp(placeAt(path))
    await backend.save({ type: 'pack', name: id('b') }, text('p'))
    assert.equal(lstatSync(join(path, 'data/bb', id('b'))).mode & 0o7777, 0o440)
  })

  test('may lie below the folder of the login, and a path that leads elsewhere is refused', async () => {
    {
      await using backend = await createSftp(placeAt('./below/here/'))
      await backend.save({ type: 'pack', name: id('a') }, text('p'))
    }
    assert.deepEqual(readdirSync(join(sshd.home, 'below/here/data/aa')), [id('a')])
    for (const path of ['relative', '', '/srv/../etc', './..', '/a\0b', '~/x']) {
      await assert.rejects(openSftp(placeAt(path)), { code: 'backend.request-invalid' }, path)
    }
  })

  test('that is not there is never made by a writer, only the folders in it are', async () => {
    const path = freshPath(sshd)
    await using backend = await openSftp(placeAt(path))
    const pack = { type: 'pack', name: id('a') } as const
    await assert.rejects(backend.save(pack, text('p')), { code: 'backend.place-missing' })
    await assert.rejects(backend.save({ type: 'config', name: '' }, text('c')), { code: 'backend.place-missing' })
    run('install', ['-d', '-o', sshd.user.name, path])
    await backend.save(pack, text('p'))
    assert.equal((await Array.fromAsync(backend.list('pack'))).length, 1)
    writeFileSync(join(sshd.home, 'a-file'), 'x', { mode: 0o644 })
    await assert.rejects(createSftp(placeAt(join(sshd.home, 'a-file'))), { code: 'backend.place-missing' })
    await assert.rejects(createSftp(placeAt('/proc/nothing/here')), { kind: /missing|unavailable/ })
    if (!needs('root')) await assert.rejects(createSftp(placeAt('/root/here')), { code: 'backend.denied' })
  })

  test('lists no folders, no files of others and no hostile names', async () => {
    const path = freshPath(sshd)
    await using backend = await createSftp(placeAt(path))
    await backend.save({ type: 'pack', name: id('a') }, text('p'))
    await backend.save({ type: 'key', name: id('b') }, text('k'))
    const foreign = [`${id('b')}-tmp-123`, '.DS_Store', id('B'), 'b'.repeat(63), `${'b'.repeat(64)}\n`, 'caf\u00e9']
    for (const name of foreign) {
      writeFileSync(join(path, 'keys', name), 'x')
      writeFileSync(join(path, 'data/bb', name), 'x')
    }
    mkdirSync(join(path, 'keys', id('c')))
    symlinkSync('/nowhere', join(path, 'keys', id('d')))
    symlinkSync(`../data/aa/${id('a')}`, join(path, 'keys', id('e')))
    writeFileSync(join(path, 'data/aa', id('f')), 'x')
    assert.deepEqual(await Array.fromAsync(backend.list('pack')), [{ type: 'pack', name: id('a'), size: 1 }])
    const keys = await Array.fromAsync(backend.list('key'))
    assert.deepEqual(keys.map(({ name }) => name).sort(), [id('b'), id('e')])
    mkdirSync(join(path, 'data/cc', id('c')))
    await assert.rejects(loadAll(backend, { type: 'pack', name: id('c') }), { code: 'backend.damaged' })
  })

  test('is swept of what killed writers left there for more than a day', async () => {
    const path = freshPath(sshd)
    const backend = await createSftp(placeAt(path))
    const old = new Date(Date.now() - 25 * 3600 * 1000)
    for (const name of ['ours-tmp-0123456789abcdef', 'ours-tmp-claim', 'of-restic-tmp-1234567890', id('c')]) {
      writeFileSync(join(path, 'data/aa', name), 'x')
      utimesSync(join(path, 'data/aa', name), old, old)
    }
    writeFileSync(join(path, 'data/aa/fresh-tmp-0123456789abcdef'), 'x')
    await backend.save({ type: 'pack', name: id('a') }, text('p'))
    await backend[Symbol.asyncDispose]()
    const left = readdirSync(join(path, 'data/aa')).sort()
    assert.deepEqual(left, [id('a'), id('c'), 'fresh-tmp-0123456789abcdef', 'of-restic-tmp-1234567890'])
  })

  test(
    'on a disk that is full or read-only says so, and keeps no part of a file',
    { skip: needs('root') },
    async () => {
      const disk = join(sshd.folder, 'disk')
      mkdirSync(disk)
      run('mount', ['-t', 'tmpfs', '-o', `size=3m,uid=${sshd.user.uid}`, 'tmpfs', disk])
      try {
        const there = join(disk, 'repository')
        await using backend = await createSftp(placeAt(there))
        const [small, large] = [bytesOf(1, 100_000), bytesOf(2, 4_000_000)]
        await assert.rejects(backend.save(refOf(large), large), { code: 'backend.full', kind: 'denied' })
        assert.deepEqual(packsIn(there), [])
        await backend.save(refOf(small), small)
        run('mount', ['-o', 'remount,ro', disk])
        const denied = { code: 'backend.denied', message: /read-only/ }
        await assert.rejects(backend.save(refOf(large), large), denied)
        await assert.rejects(backend.remove(refOf(small)), denied)
        assert.equal((await loadAll(backend, refOf(small))).length, small.length)
      } finally {
        spawnSync('umount', ['-l', disk])
      }
    },
  )

  test('of a server that allows one session a login is used by further logins', async () => {
    await using strict = await startSshd({ config: 'MaxSessions 1' })
    const path = freshPath(strict)
    await using backend = await createSftp({ target: strict.target, path, folder: sockets.path })
    const bodies = Array.from({ length: 8 }, (_, nth) => bytesOf(nth))
    await Promise.all(bodies.map((body) => backend.save(refOf(body), body)))
    assertWhole(path)
    assert.equal(packsIn(path).length, 8)
  })
})
