import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'

import { createSftp, probeRest, probeSftp, spaceOfSftp, type SftpPlace } from '#engine'
import { memoryPassword, memoryRepository, stockRestic } from '#engine/testing'
import { needs } from '../needs.ts'
import { startSshd, type SshdOptions, type TestSshd } from '../remote/sshd.ts'
import { startStandIn } from './rest-stand-in.ts'
import { freshPath, ownSshProcesses, socketFolder } from './sftp-place.ts'

const everything = { deletes: 'allowed', overwrites: 'allowed', truncates: 'allowed', left: 0 }

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}

suite('what a login over SFTP can do', { skip: needs('sshd', 'ssh') }, () => {
  using sockets = new DisposableStack()
  const folder = sockets.use(socketFolder()).path
  const kept = sockets.move()
  after(() => {
    kept.dispose()
    assert.deepEqual(ownSshProcesses(), [])
  })

  async function repositoryAt(sshd: TestSshd): Promise<SftpPlace> {
    const place = { target: sshd.target, path: freshPath(sshd), folder }
    await using backend = await createSftp(place)
    await backend.save({ type: 'key', name: 'a'.repeat(64) }, Buffer.from('a key'))
    return place
  }

  test('is everything for a normal account, and nothing of the probe stays', async () => {
    await using sshd = await startSshd()
    const place = await repositoryAt(sshd)
    assert.deepEqual(await probeSftp(place, [place.path]), everything)
    assert.deepEqual(filesIn(place.path), ['a'.repeat(64)])
  })

  const restricted: SshdOptions = {
    subsystem: 'internal-sftp -P remove,rename,posix-rename,rmdir,setstat,fsetstat,hardlink,symlink',
  }

  test('is to truncate where the server forbids to remove and to rename, so that it is not only to add', async () => {
    await using sshd = await startSshd()
    const { path } = await repositoryAt(sshd)
    await using narrow = await startSshd({ ...restricted, user: sshd.user.name })
    const place = { target: narrow.target, path, folder }
    const found = { deletes: 'refused', overwrites: 'allowed', truncates: 'allowed', left: 5 }
    assert.deepEqual(await probeSftp(place, [path]), found)
    assert.deepEqual(await probeSftp(place, [path]), found, 'the second one takes the probes of the first')
    assert.equal(filesIn(path).filter((name) => name.startsWith('bewaar-probe')).length, 5)
    await using wide = await startSshd({ user: sshd.user.name })
    assert.deepEqual(await probeSftp({ ...place, target: wide.target }, [path]), everything)
    assert.deepEqual(filesIn(path), ['a'.repeat(64)], 'who may remove takes them away')
  })

  test('leaves probes that stock restic passes over', { skip: needs('restic') }, async () => {
    await using sshd = await startSshd()
    const path = freshPath(sshd)
    const place = { target: sshd.target, path, folder }
    {
      await using backend = await createSftp(place)
      await memoryRepository(backend)
    }
    await using narrow = await startSshd({ ...restricted, user: sshd.user.name })
    assert.equal((await probeSftp({ ...place, target: narrow.target }, [path])).left, 5)
    await using restic = await stockRestic(memoryPassword)
    spawnSync('chmod', ['-R', 'a+rwX', sshd.home])
    assert.match(await restic.run('-r', path, 'check', '--read-data'), /no errors were found/)
  })

  test('is unknown where there is no repository, or where something else has the name of a probe', async () => {
    await using sshd = await startSshd()
    const other = await repositoryAt(sshd)
    const name = join(other.path, 'snapshots', `bewaar-probe-tmp-${'0'.repeat(16)}`)
    for (const put of [() => symlinkSync('/etc/hostname', name), () => writeFileSync(name, 'x'.repeat(100_000))]) {
      put()
      await assert.rejects(probeSftp(other, [other.path]), { code: 'backend.denied' })
      rmSync(name)
    }
    const place = { target: sshd.target, path: freshPath(sshd), folder }
    await assert.rejects(probeSftp(place, [place.path]), { code: 'backend.place-missing' })
  })

  test('shows how much room there is, where the server tells', async () => {
    await using sshd = await startSshd()
    const place = await repositoryAt(sshd)
    const space = await spaceOfSftp(place)
    await assert.rejects(spaceOfSftp({ ...place, path: join(place.path, 'none') }), { code: 'backend.place-missing' })
    assert.ok(space && space.freeBytes > 0 && space.freeBytes < space.sizeBytes)
    await using silent = await startSshd({ subsystem: 'internal-sftp -P statvfs', user: sshd.user.name })
    assert.equal(await spaceOfSftp({ ...place, target: silent.target }), undefined)
  })
})

suite('what a login of a REST server can do', () => {
  for (const version of [1, 2] as const) {
    test(`is to add where the server only appends, and the probes are the same each time (version ${version})`, async () => {
      await using server = await startStandIn({ version, appendOnly: true })
      const url = `${server.url}/`
      const found = { deletes: 'refused', overwrites: 'refused', truncates: 'impossible', left: 5 }
      assert.deepEqual(await probeRest({ url }), found)
      assert.deepEqual(await probeRest({ url }), found)
    })
  }

  test('is to remove where the server lets it', async () => {
    await using server = await startStandIn({ version: 2 })
    const found = { deletes: 'allowed', overwrites: 'refused', truncates: 'impossible', left: 0 }
    assert.deepEqual(await probeRest({ url: server.url }), found)
  })
})
