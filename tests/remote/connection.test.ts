import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, afterEach, before, suite, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { AppError, collect, Secret } from '#base'
import { memoryRepository } from '#engine/testing'
import { streamThere, type RemoteCall, type SshConnection } from '#remote'
import { needs } from '../needs.ts'
import { archived, openFiles, temporaryFolder } from './place.ts'
import { descendantsOf, endProcess, freePort, run, startSshd, type TestSshd } from './sshd.ts'

suite('a connection to another server', { skip: needs('sshd', 'ssh') }, () => {
  let sshd: TestSshd
  before(async () => {
    sshd = await startSshd()
  })
  after(async () => {
    await sshd?.[Symbol.asyncDispose]()
  })
  afterEach(() => {
    assert.deepEqual(ownSshProcesses(), [], 'no ssh is left behind')
  })

  const failure = async (work: Promise<unknown>): Promise<AppError> => {
    try {
      await work
    } catch (thrown) {
      assert.ok(thrown instanceof AppError, String(thrown))
      return thrown
    }
    return assert.fail('it did not fail')
  }
  const text = async (connection: SshConnection, call: RemoteCall): Promise<string> =>
    Buffer.from(await collect(streamThere(connection, call))).toString()

  test('is refused when the host key has changed, and says in which file and what to do', async () => {
    const other = join(sshd.folder, 'other')
    run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other])
    const knownHosts = join(sshd.folder, 'changed known hosts %h')
    const key = readFileSync(`${other}.pub`, 'utf8')
    writeFileSync(knownHosts, `# a comment\n[127.0.0.1]:${sshd.port} ${key}`)
    const error = await failure(openFiles({ ...sshd.target, knownHosts }))
    assert.equal(error.code, 'remote.host-key')
    assert.equal(error.kind, 'denied')
    assert.ok(error.message.includes(`its host key is not the one in ${knownHosts} (line 2)`), error.message)
    assert.match(error.hint, new RegExp(`ssh-keyscan -p ${sshd.port} 127.0.0.1 \\| ssh-keygen -lf -`))
    assert.ok(error.hint.includes(`ssh-keygen -f '${knownHosts}' -R '[127.0.0.1]:${sshd.port}'`), error.hint)
  })

  test('is refused when the host key is not known, and never adds one', async () => {
    const knownHosts = join(sshd.folder, 'empty_known_hosts')
    writeFileSync(knownHosts, '')
    const error = await failure(openFiles({ ...sshd.target, knownHosts }))
    assert.equal(error.code, 'remote.host-key')
    assert.ok(error.message.includes(`its host key is not in ${knownHosts}`), error.message)
    assert.equal(readFileSync(knownHosts, 'utf8'), '')
  })

  test('says when the key is not let in, nobody answers, or there is no SFTP', async () => {
    const identity = join(sshd.folder, 'wrong')
    run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', identity])
    const denied = await failure(openFiles({ ...sshd.target, identity }))
    assert.equal(denied.code, 'remote.denied')
    assert.match(denied.message, /Permission denied \(publickey\)/)
    const port = await freePort()
    const unreachable = await failure(openFiles({ ...sshd.target, port }))
    assert.equal(unreachable.code, 'remote.unreachable')
    assert.match(unreachable.message, /Connection refused/)
    await using none = await startSshd({ subsystem: '' })
    assert.equal((await failure(openFiles(none.target))).code, 'remote.no-sftp')
    for (const host of ['-oProxyCommand=touch', 'a b', '']) {
      assert.equal((await failure(openFiles({ ...sshd.target, host }))).code, 'remote.name')
    }
  })

  test('goes through a jump host of the settings of ssh, whose keys are strict as well', async () => {
    await using jump = await startSshd()
    const settings = join(sshd.folder, 'jump_config')
    const write = (jumpKnownHosts: string): void =>
      writeFileSync(
        settings,
        [
          'Host production',
          `  HostName 127.0.0.1\n  Port ${sshd.port}\n  User ${sshd.user.name}\n  ProxyJump gate`,
          `  IdentityFile ${sshd.target.identity}\n  UserKnownHostsFile ${sshd.target.knownHosts}`,
          'Host gate',
          `  HostName 127.0.0.1\n  Port ${jump.port}\n  User ${jump.user.name}`,
          `  IdentityFile ${jump.target.identity}\n  UserKnownHostsFile ${jumpKnownHosts}\n`,
        ].join('\n'),
      )
    write(jump.target.knownHosts)
    {
      await using session = await openFiles({ host: 'production', settings })
      assert.equal(session.connection.place, 'ssh://production')
      assert.equal((await text(session.connection, { program: 'id', args: ['-un'] })).trim(), sshd.user.name)
      assert.equal(jump.sessions().length > 0, true)
    }
    write(sshd.target.knownHosts)
    assert.equal((await failure(openFiles({ host: 'production', settings }))).code, 'remote.host-key')
  })

  test('that is cut off in the middle of a file ends with an error at once, and stores nothing', async () => {
    using place = temporaryFolder('cut')
    writeFileSync(join(place.path, 'large'), Buffer.alloc(64 * 1024 * 1024, 1))
    const repository = await memoryRepository()
    await using session = await openFiles(sshd.target)
    const cut = async function* (): AsyncGenerator<Uint8Array> {
      for await (const bytes of session.files.open(join(place.path, 'large'))) {
        yield bytes
        for (const pid of sshd.sessions()) endProcess(pid)
      }
    }
    const content = { kind: 'stream', open: cut, onFailure: 'abort' } as const
    const error = await failure(archived(repository, [{ kind: 'content', at: 'large', content }]))
    assert.equal(error.code, 'remote.unreachable')
    assert.match(error.message, /closed|Broken pipe|reset/)
    const reader = session.files
    const next = await failure(archived(repository, [{ kind: 'remote-folder', at: '', reader, path: place.path }]))
    assert.equal(next.code, 'remote.unreachable')
    assert.deepEqual((await repository.listSnapshots()).snapshots, [])
  })

  test('that stalls is cut, and one that is stopped ends', async () => {
    using place = temporaryFolder('stall')
    writeFileSync(join(place.path, 'file'), Buffer.alloc(8 * 1024 * 1024, 1))
    {
      await using session = await openFiles(sshd.target, { stallMs: 800 })
      for (const pid of sshd.sessions()) endProcess(pid, 'SIGSTOP')
      const error = await failure(collect(session.files.open(join(place.path, 'file'))))
      assert.equal(error.code, 'remote.stalled')
    }
    for (const pid of sshd.sessions()) endProcess(pid)
    const stop = new AbortController()
    await using session = await openFiles(sshd.target, {}, stop.signal)
    const waiting = collect(streamThere(session.connection, { program: 'sleep', args: ['60'] }, stop.signal))
    setTimeout(() => stop.abort(new Error('stopped')), 100)
    await assert.rejects(waiting, /stopped/)
    await assert.rejects(session.connection.sftp.stat('/'), /stopped/)
  })

  test('runs programs by argument list, tells how they ended and where they are missing', async () => {
    await using session = await openFiles(sshd.target)
    const { connection } = session
    const args = ['%s|', "it's", '$HOME', 'a\nb\n', '', 'é']
    assert.equal(await text(connection, { program: 'printf', args }), "it's|$HOME|a\nb\n||é|")
    const environment = { FIRST: "it's $HOME", SECOND: '' }
    const call = {
      program: 'sh',
      args: ['-c', 'pwd; echo "$FIRST|$SECOND"; cat'],
      cwd: '/etc',
      environment,
      input: 'in',
    }
    assert.equal(await text(connection, call), "/etc\nit's $HOME|\nin")
    for (const code of [1, 127, 255]) {
      const error = await failure(text(connection, { program: 'sh', args: ['-c', `echo why >&2; exit ${code}`] }))
      assert.equal(error.code, 'program.failed')
      assert.match(error.message, new RegExp(`exit code ${code}: why`))
    }
    const killed = await failure(text(connection, { program: 'sh', args: ['-c', 'kill -9 $$'] }))
    assert.match(killed.message, /sh was ended by signal 9/)
    assert.equal((await failure(text(connection, { program: 'no-such', args: [] }))).code, 'program.missing')
    const nowhere = await failure(text(connection, { program: 'pwd', args: [], cwd: '/nowhere' }))
    assert.match(nowhere.message, /was not run in \/nowhere/)
  })

  test('ends a program there when nobody waits for it any more', { skip: needs('root') }, async () => {
    await using session = await openFiles(sshd.target)
    const running = (): string[] =>
      run('ps', ['-u', sshd.user.name, '-o', 'args='])
        .split('\n')
        .filter((line) => line === 'sleep 61')
    const call = { program: 'sleep', args: ['61'] }
    const stop = new AbortController()
    const waiting = collect(streamThere(session.connection, call, stop.signal))
    await pause(300)
    assert.equal(running().length, 1)
    stop.abort(new Error('stopped'))
    await assert.rejects(waiting, /stopped/)
    await pause(300)
    assert.equal(running().length, 0)
  })

  test('hands a secret to a program by a file without a name, which no other process sees', async () => {
    await using session = await openFiles(sshd.target)
    const canary = 'canary-4f1c9e'
    const script = 'cat /dev/fd/3 /dev/fd/3; ls -l /proc/self/fd/3; stat -Lc %a /dev/fd/3; sleep 1; cat'
    const call = { program: 'sh', args: ['-c', script], secretFile: new Secret(canary), input: 'and its input' }
    const running = text(session.connection, call)
    await pause(500)
    assert.deepEqual(processesThatShow(canary), [])
    const output = await running
    assert.ok(output.startsWith(canary + canary), output)
    assert.match(output, /\(deleted\)\n600\nand its input$/)
  })

  test('passes over what a shell prints before the program begins', { skip: needs('root') }, async () => {
    await using noisy = await startSshd({ shell: '/bin/bash' })
    writeFileSync(join(noisy.home, '.bashrc'), 'echo "Welcome to this server!"\n', { mode: 0o644 })
    await using session = await openFiles(noisy.target)
    assert.equal(session.files.method, 'find')
    assert.equal(await text(session.connection, { program: 'echo', args: ['only this'] }), 'only this\n')
  })

  test('runs nothing for a user who may only transfer files, and says so', async () => {
    await using bare = await startSshd({ config: 'ForceCommand internal-sftp' })
    await using session = await openFiles(bare.target)
    const error = await failure(text(session.connection, { program: 'pg_dump', args: [] }))
    assert.equal(error.code, 'remote.no-shell')
    assert.match(error.message, /pg_dump cannot be run there/)
  })
})

function ownSshProcesses(): number[] {
  return descendantsOf(process.pid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'ssh\n'
    } catch {
      return false // because it has ended meanwhile
    }
  })
}

/** Argument lists and environments in which a text stands. */
function processesThatShow(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`])
    .filter((path) => {
      try {
        return readFileSync(path, 'latin1').includes(text)
      } catch {
        return false // because it has ended meanwhile, or is not ours to see
      }
    })
}
