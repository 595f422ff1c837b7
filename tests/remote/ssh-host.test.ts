import assert from 'node:assert/strict'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { collect, Secret } from '#base'
import { localHost, openSshHost, rawPathOf, type Host } from '#sources'
import { needs } from '../needs.ts'
import { temporaryFolder } from './place.ts'
import { startSshd, type TestSshd } from './sshd.ts'

suite('a project on another server', { skip: needs('sshd', 'ssh') }, () => {
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

  const open = async (server: TestSshd, run: string): ReturnType<typeof openSshHost> => {
    mkdirSync(join(server.folder, run), { mode: 0o700 })
    return await openSshHost(server.target, { temporaryFolder: join(server.folder, run) })
  }

  test('shows its files as this machine shows its own', async () => {
    using place = temporaryFolder('host')
    const names = ['file', Buffer.from('n\xe9\n', 'latin1'), 'empty']
    for (const name of names)
      writeFileSync(Buffer.concat([Buffer.from(`${place.path}/`), Buffer.from(name)]), `in ${name.toString()}`)
    writeFileSync(join(place.path, 'empty'), '')
    writeFileSync(join(place.path, 'large'), Buffer.alloc(300_000, 7))
    mkdirSync(join(place.path, 'folder'))
    symlinkSync('folder', join(place.path, 'link'))
    symlinkSync('nowhere', join(place.path, 'dangling'))
    const here = localHost(place.path)
    await using there = await open(sshd, 'files')
    assert.deepEqual(there.findings, [])
    assert.equal(there.place, `ssh://${sshd.user.name}@127.0.0.1:${sshd.port}`)

    const path = rawPathOf(place.path)
    const listed = async (host: Host) => (await host.list(path)).toSorted((a, b) => (a.name < b.name ? -1 : 1))
    assert.deepEqual(await listed(there), await listed(here))
    for (const { name } of await here.list(path)) {
      const entry = `${path}/${name}`
      assert.deepEqual(await there.kindAt(entry), await here.kindAt(entry), name)
      const { kind, size, ...rest } = (await there.findStatus(entry))!
      const expected = (await here.findStatus(entry))!
      assert.deepEqual({ kind, size }, { kind: expected.kind, size: expected.size }, name)
      assert.deepEqual([rest.mtimeNs, rest.ctimeNs, rest.inode], [expected.mtimeNs, expected.ctimeNs, expected.inode])
      if (kind !== 'file') continue
      assert.equal(await there.findText(entry), await here.findText(entry))
      assert.deepEqual(Buffer.from((await there.findHead(entry, 4))!), Buffer.from((await here.findHead(entry, 4))!))
      assert.deepEqual(Buffer.from(await collect(there.read(entry))), Buffer.from(await collect(here.read(entry))))
    }
    for (const missing of [`${path}/none`, `${path}/file/below`]) {
      assert.equal(await there.findText(missing), undefined)
      assert.equal(await there.findHead(missing, 4), undefined)
      assert.equal(await there.kindAt(missing), undefined)
      assert.equal(await there.findStatus(missing), undefined)
    }
    await assert.rejects(there.list(`${path}/none`), { code: 'ENOENT' })
    await assert.rejects(collect(there.read(`${path}/none`)), { code: 'ENOENT' })
  })

  test('runs programs as this machine does', async () => {
    await using there = await open(sshd, 'programs')
    const here = localHost(sshd.folder)
    const args = ['-c', 'pwd; cat; echo "$WORD" é; cat /dev/fd/3 2>/dev/null; true']
    const call = { program: 'sh', args, cwd: '/usr', environment: { WORD: "it's" } }
    assert.equal(await there.run({ ...call, input: 'input\n' }), await here.run({ ...call, input: 'input\n' }))
    const secretFile = new Secret('a secret')
    assert.equal(await there.run({ ...call, secretFile }), await here.run({ ...call, secretFile }))
    const stream = async function* (thrown?: Error) {
      yield* [Buffer.from('piece\n'), Buffer.alloc(300_000, 'x')]
      if (thrown) throw thrown
    }
    const ofStream = await there.run({ ...call, secretFile, input: stream() })
    assert.equal(ofStream, await here.run({ ...call, secretFile, input: stream() }))
    const broken = there.run({ ...call, secretFile, input: stream(new Error('broken off')) })
    await assert.rejects(broken, { message: 'broken off' })
    for (const host of [here, there]) {
      await assert.rejects(host.run({ program: 'no-such-program', args: [] }), { code: 'program.missing' })
      await assert.rejects(host.run({ program: 'sh', args: ['-c', 'echo why >&2; exit 3'] }), {
        code: 'program.failed',
        message: /sh ended with exit code 3: why/,
      })
    }
  })

  test('tells when only its files can be had', async () => {
    const folder = join(bare.folder, 'bare')
    mkdirSync(folder, { mode: 0o700 })
    await using there = await openSshHost(bare.target, { temporaryFolder: folder })
    assert.deepEqual(
      there.findings.map(({ subject, severity }) => [subject, severity]),
      [[there.place, 'notice']],
    )
    assert.equal(await there.kindAt('/etc'), 'dir')
    assert.match((await there.findText('/etc/passwd'))!, /^root:/)
    await assert.rejects(there.run({ program: 'id', args: [] }), { code: 'remote.no-shell' })
  })
})
