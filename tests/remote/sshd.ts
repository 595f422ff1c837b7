import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, connect } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import type { SshTarget } from '#remote'

/** An OpenSSH server of one test, on loopback, with keys and a user of its own. */
export interface TestSshd extends AsyncDisposable {
  readonly port: number
  /** For what the test makes; removed in the end. */
  readonly folder: string
  /** Home of the user there. */
  readonly home: string
  readonly user: { readonly name: string; readonly uid: number; readonly gid: number }
  /** Logs in as the user, and knows the server's key. */
  readonly target: SshTarget & { readonly identity: string; readonly knownHosts: string }
  /** Process ids of the connections that are open, the processes that serve them among it. */
  sessions(): number[]
  /** Ends it at once with all its sessions. */
  stop(): Promise<void>
  /** Starts it again after `stop`, on the same port. */
  restart(): Promise<void>
  /** What `-F` is given: none of the settings of this machine. */
  readonly settings: string
}

export interface SshdOptions {
  /** Lines for sshd_config, such as a `Match` block; `{user}` is the user's name. */
  readonly config?: string
  /** Options before the key in authorized_keys. */
  readonly keyOptions?: string
  /** What serves SFTP; empty for nothing. */
  readonly subsystem?: string
  /** Who logs in, when it is there already; its home is used. */
  readonly user?: string
  /** Default: /bin/sh. */
  readonly shell?: string
  /** Default: one that is free. */
  readonly port?: number
}

/**
 * Starts sshd. As root, the user is a system user made for this server, with no right but those of everybody, and removed
 * in the end; else it is whoever runs the test.
 */
export async function startSshd({
  config = '',
  keyOptions = '',
  subsystem = 'internal-sftp',
  shell = '/bin/sh',
  user: existing,
  port: wanted,
}: SshdOptions = {}): Promise<TestSshd> {
  await using undo = new AsyncDisposableStack()
  const folder = mkdtempSync(join(tmpdir(), 'bewaar-sshd-'))
  undo.defer(() => rmSync(folder, { recursive: true, force: true }))
  spawnSync('chmod', ['755', folder])
  const isRoot = process.getuid?.() === 0
  const home = existing === undefined ? join(folder, 'home') : homeOf(existing)
  const makesUser = isRoot && existing === undefined
  const user = makesUser ? makeUser(home, shell) : accountOf(existing ?? userInfo().username)
  if (makesUser) undo.defer(() => void spawnSync('userdel', ['--force', user.name]))

  const port = wanted ?? (await freePort())
  for (const name of ['host', 'identity']) {
    run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)])
  }
  mkdirSync(join(home, '.ssh'), { recursive: true, mode: 0o700 })
  const authorized = join(home, '.ssh', 'authorized_keys')
  writeFileSync(authorized, `${keyOptions} ${readFileSync(join(folder, 'identity.pub'), 'utf8')}`.trimStart(), {
    mode: 0o600,
  })
  for (const path of [home, join(home, '.ssh'), authorized]) chownSync(path, user.uid, user.gid)
  const knownHosts = join(folder, 'known_hosts')
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${readFileSync(join(folder, 'host.pub'), 'utf8')}`)
  const settings = join(folder, 'ssh_config')
  writeFileSync(settings, '')

  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${join(folder, 'host')}`,
    'PidFile none',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    `AuthorizedKeysFile ${isRoot ? '.ssh/authorized_keys' : authorized}`,
    ...(isRoot ? [] : ['StrictModes no']),
    ...(subsystem === '' ? [] : [`Subsystem sftp ${subsystem}`]),
    config.replaceAll('{user}', user.name),
  ]
  writeFileSync(join(folder, 'sshd_config'), `${lines.join('\n')}\n`)
  if (isRoot) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  let log = ''
  const start = (): { pid: number; ended: Promise<void> } => {
    const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'sshd_config')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    server.stderr.on('data', (bytes: Buffer) => (log += bytes.toString()))
    return { pid: server.pid!, ended: new Promise<void>((resolve) => server.on('close', () => resolve())) }
  }
  let running: ReturnType<typeof start> | undefined = start()
  const sessions = (): number[] => (running ? descendantsOf(running.pid) : [])
  const stop = async (): Promise<void> => {
    if (!running) return
    for (const pid of [...sessions(), running.pid]) endProcess(pid)
    await running.ended
    running = undefined
  }
  undo.defer(stop)
  await listening(port, () => log)

  const stack = undo.move()
  return {
    port,
    folder,
    home,
    user,
    settings,
    target: { host: '127.0.0.1', port, user: user.name, identity: join(folder, 'identity'), knownHosts, settings },
    sessions,
    stop,
    restart: async () => {
      running = start()
      await listening(port, () => log)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function makeUser(home: string, shell: string): { name: string; uid: number; gid: number } {
  const name = `bewaar-${randomBytes(4).toString('hex')}`
  // because a locked account is let in by PAM alone, and `*` locks only the password
  const shape = ['--system', '--user-group', '--home-dir', home, '--shell', shell, '--password', '*']
  run('useradd', [...shape, name])
  return accountOf(name)
}

function accountOf(name: string): { name: string; uid: number; gid: number } {
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(run('id', [flag, name])))
  return { name, uid: uid!, gid: gid! }
}

function homeOf(name: string): string {
  return run('getent', ['passwd', name]).split(':')[5]!
}

export function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? stderr}`)
  return stdout
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function listening(port: number, log: () => string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (open) return
    await pause(50)
  }
  throw new Error(`sshd does not listen: ${log()}`)
}

/** Children, and theirs, as /proc tells. */
export function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((text) => /^\d+$/.test(text))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1')
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]))
    } catch {
      continue // because it has ended meanwhile
    }
  }
  const below = (of: number): number[] =>
    [...parents].filter(([, parent]) => parent === of).flatMap(([child]) => [child, ...below(child)])
  return below(pid)
}

export function endProcess(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal)
  } catch {
    // because it has ended meanwhile
  }
}
