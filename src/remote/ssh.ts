import {
  randomHex,
  startDuplex,
  subprocessError,
  systemCode,
  type AppError,
  type DuplexProgram,
  type ProgramEnd,
} from '#base'
import { remoteError } from './errors.ts'
import type { SftpOptions } from './sftp-exchange.ts'
import { SftpClient } from './sftp.ts'
import { shellArgument } from './shell-words.ts'
import { lastLines, placeOf, sshArguments, sshEnvironment, type SshTarget } from './ssh-arguments.ts'

export interface SshOptions {
  /** Absolute, mode 0700: holds the socket by which everything shares one login. The caller removes it. */
  readonly folder: string
  /** Default: 60 s. */
  readonly stallMs?: number
}

interface Login extends Required<SshOptions> {
  /** In the folder. */
  readonly socket: string
  readonly master: DuplexProgram
}

const defaultStallMs = 60_000
/** What a login is waited for at the least: a busy server takes its time for the keys. */
const shortestLoginMs = 10_000

/**
 * One login on another server, by the system's `ssh`: host keys are strict, nobody is asked anything, and the user's
 * settings hold (names, jump hosts, agent). SFTP is its first session; each program is a further one through its socket,
 * so that the key is used once.
 *
 * @see SshConnection.open for what it throws.
 */
export class SshConnection implements AsyncDisposable {
  /** For people: `ssh://backup@web2`. */
  readonly place: string
  readonly sftp: SftpClient
  /** What is waited for an answer. */
  readonly stallMs: number
  readonly #target: SshTarget
  readonly #folder: string
  readonly #socket: string
  readonly #master: DuplexProgram
  readonly #sessions = new Set<DuplexProgram>()
  readonly #clients = new Set<SftpClient>()

  private constructor(target: SshTarget, login: Login, sftp: SftpClient) {
    this.place = placeOf(target)
    this.sftp = sftp
    this.stallMs = login.stallMs
    this.#target = target
    this.#folder = login.folder
    this.#socket = login.socket
    this.#master = login.master
  }

  /**
   * Logs in and begins SFTP. When `signal` is aborted, the connection ends and so does every call.
   *
   * @throws `remote.host-key`, `remote.denied`, `remote.unreachable`, `remote.no-sftp`, `remote.stalled`, `remote.name`;
   * `program.missing` when there is no ssh here.
   */
  static async open(target: SshTarget, options: SshOptions, signal?: AbortSignal): Promise<SshConnection> {
    signal?.throwIfAborted()
    const { folder, stallMs = defaultStallMs } = options
    // because ssh is started in the folder, the name is short: the path of a socket has at most 108 bytes
    const socket = `m${randomHex(4)}`
    const share = ['-o', 'ControlMaster=yes', '-o', `ControlPath=${socket}`]
    const master = startSsh(target, folder, [...share, '-s'], ['sftp'], signal)
    try {
      const greetingMs = Math.max(stallMs, shortestLoginMs)
      const sftp = await SftpClient.open(master, { ...sftpOptions(target, master, stallMs, signal), greetingMs })
      return new SshConnection(target, { folder, stallMs, socket, master }, sftp)
    } catch (thrown) {
      await master[Symbol.asyncDispose]()
      throw thrown
    }
  }

  /** Starts a line for the user's shell there, as a session of its own; it ends with the connection at the latest. */
  start(line: string, signal?: AbortSignal): DuplexProgram {
    const share = ['-o', 'ControlMaster=no', '-o', `ControlPath=${this.#socket}`]
    const session = startSsh(this.#target, this.#folder, share, [line], signal)
    this.#sessions.add(session)
    void session.ended.then(() => this.#sessions.delete(session))
    return session
  }

  /**
   * Begins SFTP once more, as a session of its own: what one transfers does not wait for the other. Where the server
   * allows no further session, ssh logs in once more.
   *
   * @throws as {@link SshConnection.open}.
   */
  async openSftp(signal?: AbortSignal): Promise<SftpClient> {
    const share = ['-o', 'ControlMaster=no', '-o', `ControlPath=${this.#socket}`]
    const session = startSsh(this.#target, this.#folder, [...share, '-s'], ['sftp'], signal)
    this.#sessions.add(session)
    void session.ended.then(() => this.#sessions.delete(session))
    try {
      const sftp = await SftpClient.open(session, sftpOptions(this.#target, session, this.stallMs, signal))
      this.#clients.add(sftp)
      return sftp
    } catch (thrown) {
      await session[Symbol.asyncDispose]()
      throw thrown
    }
  }

  /** Why a session ended that ssh itself says has failed. */
  explain(end: ProgramEnd): AppError {
    return explainEnd(this.#target, end)
  }

  /** Why a session is given up. */
  stalled(): AppError {
    return stalledError(this.place, this.stallMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = remoteError('remote.unreachable', { place: this.place, reason: 'it was closed', ssh: '' })
    for (const sftp of [this.sftp, ...this.#clients]) sftp.stop(closed)
    const programs = [...this.#sessions, this.#master]
    await Promise.all(programs.map((program) => program[Symbol.asyncDispose]()))
  }
}

function sftpOptions(target: SshTarget, program: DuplexProgram, stallMs: number, signal?: AbortSignal): SftpOptions {
  const place = placeOf(target)
  return {
    stallMs,
    stalled: () => stalledError(place, stallMs),
    garbled: (reason) => remoteError('remote.garbled', { place, reason }),
    lost: async () => (signal?.aborted ? (signal.reason as Error) : explainEnd(target, await program.ended)),
  }
}

function stalledError(place: string, stallMs: number): AppError {
  return remoteError('remote.stalled', { place, seconds: Math.round(stallMs / 1000) })
}

function startSsh(
  target: SshTarget,
  folder: string,
  options: readonly string[],
  command: readonly string[],
  signal?: AbortSignal,
): DuplexProgram {
  const args = sshArguments(target, options, command)
  return startDuplex('ssh', args, { cwd: folder, env: sshEnvironment() }, signal)
}

/** Why a session of the system's `ssh` ended that ssh itself says has failed. */
export function explainEnd(target: SshTarget, end: ProgramEnd): AppError {
  const { host, user, port } = target
  if (systemCode(end.error) === 'ENOENT') return subprocessError('program.missing', { program: 'ssh' }, end.error)
  const place = placeOf(target)
  const { stderr } = end
  const reason =
    lastLines(stderr) || (end.signal ? `ssh was ended by ${end.signal}` : 'it was closed from the other side')
  const login = user === undefined ? host : `${user}@${host}`
  const ssh = ['ssh', ...(port === undefined ? [] : ['-p', String(port)]), login].join(' ')
  if (/HOST IDENTIFICATION HAS CHANGED|host key is known for|Host key verification failed/i.test(stderr)) {
    return hostKeyError(target, stderr)
  }
  if (/Permission denied|Too many authentication failures|no mutual signature/i.test(stderr)) {
    return remoteError('remote.denied', { place, reason, ssh })
  }
  if (/subsystem request failed/i.test(stderr)) return remoteError('remote.no-sftp', { place, reason })
  return remoteError('remote.unreachable', { place, reason, ssh })
}

/** ssh names the host that it stopped at, which may be a jump host. */
function hostKeyError(target: SshTarget, stderr: string): AppError {
  const { host, port, knownHosts } = target
  const own = port === undefined || port === 22 ? host : `[${host}]:${port}`
  const name =
    /host key is known for (\S+) and|Host key for (\S+) has changed/i.exec(stderr)?.slice(1).find(Boolean) ?? own
  const offending = /Offending .* key in (.*):(\d+)/.exec(stderr)
  const file = offending?.[1] ?? (name === own ? knownHosts : undefined) ?? '~/.ssh/known_hosts'
  const whose = name === own ? 'its host key' : `the host key of ${name}`
  const [, bare = name, itsPort] = /^\[(.*)\]:(\d+)$/.exec(name) ?? []
  return remoteError('remote.host-key', {
    place: placeOf(target),
    reason: /HOST IDENTIFICATION HAS CHANGED/.test(stderr)
      ? `${whose} is not the one in ${file}${offending ? ` (line ${offending[2]})` : ''}: the server was made anew, or somebody else answers in its name`
      : `${whose} is not in ${file}`,
    scan: `ssh-keyscan ${itsPort === undefined ? '' : `-p ${itsPort} `}${bare}`,
    file,
    forget: `ssh-keygen -f ${shellArgument(file)} -R ${shellArgument(name)}`,
  })
}
