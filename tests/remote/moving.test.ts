import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import type { FolderReader } from '#engine'
import { memoryRepository } from '#engine/testing'
import { needs } from '../needs.ts'
import { archived, openFiles, temporaryFolder } from './place.ts'
import { startSshd, type TestSshd } from './sshd.ts'

suite('a folder on another server that moves while it is read', { skip: needs('sshd', 'ssh') }, () => {
  let sshd: TestSshd
  before(async () => {
    sshd = await startSshd()
  })
  after(() => sshd?.[Symbol.asyncDispose]())

  /** The files as they are, with something that happens when a file has been opened, before its end was read. */
  const whenOpened = (files: FolderReader, happen: (name: string) => void): FolderReader => ({
    parallel: files.parallel,
    clockAheadNs: files.clockAheadNs,
    list: (path) => files.list(path),
    status: (paths) => files.status(paths),
    takeProblems: () => files.takeProblems(),
    async *open(path, expected, signal) {
      let isFirst = true
      for await (const bytes of files.open(path, expected, signal)) {
        yield bytes
        if (isFirst) happen(path.slice(path.lastIndexOf('/') + 1))
        isFirst = false
      }
    },
  })

  test('has what changed once as it was after that, and says what changed all the time', async () => {
    using place = temporaryFolder('moving')
    const at = (name: string): string => join(place.path, name)
    for (const name of ['once', 'always', 'gone', 'became a link', 'still']) writeFileSync(at(name), `${name} `)
    writeFileSync(at('large'), Buffer.alloc(5_000_000, 1))
    await using session = await openFiles(sshd.target)
    const happened = new Set<string>()
    const reader = whenOpened(session.files, (name) => {
      const isFirst = !happened.has(name)
      happened.add(name)
      if (name === 'always' || name === 'large' || (name === 'once' && isFirst)) appendFileSync(at(name), 'more ')
      if (name === 'gone') rmSync(at(name))
      if (name === 'became a link' && isFirst) {
        rmSync(at(name))
        symlinkSync('/etc/passwd', at(name))
      }
    })
    const repository = await memoryRepository()
    const result = await archived(repository, [{ kind: 'remote-folder', at: '', reader, path: place.path }])
    const said = result.findings.map(({ path, code }) => `${code} ${path}`).toSorted()
    assert.deepEqual(said, ['changed always', 'changed large', 'vanished became a link', 'vanished gone'])
    assert.equal(result.files.new, 4)
    assert.ok(result.bytes >= 5_000_000 + 'once more always more more more still '.length, String(result.bytes))
  })

  test('is read as it is when it is read, not as it was when it was listed', async () => {
    using place = temporaryFolder('listed')
    const at = (...names: string[]): string => join(place.path, ...names)
    mkdirSync(at('folder'))
    for (const name of ['small', 'large', 'gone', 'folder/file']) writeFileSync(at(name), 'before')
    writeFileSync(at('large'), Buffer.alloc(2_000_000, 1))
    await using session = await openFiles(sshd.target)
    await session.files.list(place.path)
    writeFileSync(at('small'), 'afterwards')
    writeFileSync(at('large'), Buffer.alloc(3_000_000, 2))
    rmSync(at('gone'))
    renameSync(at('folder'), at('renamed'))
    const repository = await memoryRepository()
    const part = { kind: 'remote-folder', at: '', reader: session.files, path: place.path } as const
    const result = await archived(repository, [part])
    const said = result.findings.map(({ path, code }) => `${code} ${path}`).toSorted()
    assert.deepEqual(said, ['vanished folder/file', 'vanished gone'])
    assert.equal(result.bytes, 'afterwards'.length + 3_000_000)

    await using again = await openFiles(sshd.target)
    const parent = { id: result.snapshot, tree: result.tree, timeNs: result.timeNs }
    const second = await archived(repository, [{ ...part, reader: again.files }], { parent })
    assert.equal(second.bytesRead, 'before'.length)
    assert.deepEqual(second.findings, [])
  })
})

suite('a find on another server that is not to be trusted', { skip: needs('root', 'sshd', 'ssh') }, () => {
  let sshd: TestSshd
  before(async () => {
    sshd = await startSshd({ shell: '/bin/bash' })
    mkdirSync(join(sshd.home, 'bin'))
    writeFileSync(join(sshd.home, '.bashrc'), 'PATH=$HOME/bin:$PATH\n')
  })
  after(() => sshd?.[Symbol.asyncDispose]())

  /** What is run instead of find, but for the question whether there is one. */
  const pretend = (script: string): void => {
    const start = '#!/bin/sh\ncase "$*" in "/ -maxdepth 0"*) exec /usr/bin/find "$@" ;; esac\n'
    writeFileSync(join(sshd.home, 'bin', 'find'), start + script, { mode: 0o755 })
  }
  const facts = 'f 644 0 0 5 1.0000000000 1.0000000000 1.0000000000 1 1 1:root:root'
  const root = facts.replace('f 644', 'd 755')

  test('is not believed when it makes no sense', async () => {
    for (const output of [
      'nonsense',
      String.raw`${root}\0\0\0${facts}\0\0../../etc/passwd\0`,
      String.raw`${root}\0\0\0${facts}\0\0..\0`,
      String.raw`${root}\0\0\0${facts}\0\0a//b\0`,
      String.raw`${root}\0\0\0${facts.replace('644', '9')}\0\0a\0`,
      String.raw`${root}\0\0\0${facts.replace('644', '644 1')}\0\0a\0`,
      String.raw`${root}\0\0\0${facts}\0`,
    ]) {
      pretend(`printf '${output}'\n`)
      await using session = await openFiles(sshd.target)
      await assert.rejects(session.files.list('/etc'), { code: 'remote.garbled' }, output)
    }
  })

  test('is told in a finding when it could not list everything', async () => {
    using place = temporaryFolder('problem')
    writeFileSync(join(place.path, 'file'), 'x')
    pretend(`/usr/bin/find "$@"\necho "find: '/x': Input/output error" >&2\nexit 1\n`)
    await using session = await openFiles(sshd.target)
    const part = { kind: 'remote-folder', at: 'files', reader: session.files, path: place.path } as const
    const result = await archived(await memoryRepository(), [part])
    assert.deepEqual(result.findings, [{ path: 'files', code: 'unreadable', text: "find: '/x': Input/output error" }])
    assert.equal(result.files.new, 1)
  })

  test('is given up when it says nothing for too long', async () => {
    pretend('exec sleep 20\n')
    await using session = await openFiles(sshd.target, { stallMs: 500 })
    await assert.rejects(session.files.list('/etc'), { code: 'remote.stalled' })
    await assert.rejects(session.files.status(['/etc']), { code: 'remote.stalled' })
  })

  test('lists a tree that is too large for memory in parts', async () => {
    using place = temporaryFolder('huge')
    mkdirSync(join(place.path, 'folder'))
    writeFileSync(join(place.path, 'folder', 'file'), 'x')
    const endless = `awk 'BEGIN { printf "${root}%c%c%c", 0, 0, 0; for (n = 0; n < 600000; n++) printf "${facts}%c%cf%d%c", 0, 0, n, 0 }'`
    pretend(`case "$*" in *-maxdepth*) exec /usr/bin/find "$@" ;; esac\nexec ${endless}\n`)
    await using session = await openFiles(sshd.target)
    const part = { kind: 'remote-folder', at: '', reader: session.files, path: place.path } as const
    const result = await archived(await memoryRepository(), [part])
    assert.deepEqual([result.findings, result.files.new, result.folders.new], [[], 1, 1])
  })
})
