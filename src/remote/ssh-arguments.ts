import { remoteError } from './errors.ts'

/** A server and how to log in there. What is absent is as the user's settings of ssh say. */
export interface SshTarget {
  /** A name of the network, or one that the settings of ssh know. */
  readonly host: string
  readonly user?: string
  readonly port?: number
  /** File of the private key, absolute: no other key is tried. */
  readonly identity?: string
  /** File of the host keys that are trusted, absolute: no other file is believed. */
  readonly knownHosts?: string
  /** File of settings in place of the user's and the machine's, absolute. */
  readonly settings?: string
}

/** For people: `ssh://backup@web2:2222`. */
export function placeOf({ host, user, port }: SshTarget): string {
  return `ssh://${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}`
}

/** Nobody is asked anything, only a known host is spoken with, and nothing is forwarded. */
const fixedOptions = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'UpdateHostKeys=no',
  'ControlPersist=no',
  'ConnectTimeout=30',
  'ServerAliveInterval=15',
  'ServerAliveCountMax=4',
  'ForwardAgent=no',
  'ForwardX11=no',
  'ClearAllForwardings=yes',
  'PermitLocalCommand=no',
  'RemoteCommand=none',
  'RequestTTY=no',
  'EscapeChar=none',
  'LogLevel=ERROR',
]
/** What ssh is given of our own environment; the rest may hold secrets that are not its own. */
const passedOn = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'LANG', 'SSH_AUTH_SOCK', 'KRB5CCNAME'] as const
/** So that a jump host, which is another ssh with the user's settings alone, asks nobody either. */
const askNobody = { SSH_ASKPASS: '/bin/false', SSH_ASKPASS_REQUIRE: 'force' }

/**
 * The arguments of the system's `ssh` for one session.
 *
 * @param options - more of them, which the fixed ones go before.
 * @param command - what the server is asked to run, as the user's shell there reads it.
 * @throws `remote.name` for a host or a user that ssh could take for something else.
 */
export function sshArguments(target: SshTarget, options: readonly string[], command: readonly string[]): string[] {
  const fixed = fixedOptions.flatMap((option) => ['-o', option])
  return ['-T', ...fixed, ...options, ...loginArguments(target), '--', target.host, ...command]
}

/** The whole environment of the system's `ssh`. */
export function sshEnvironment(): NodeJS.ProcessEnv {
  return { ...Object.fromEntries(passedOn.map((name) => [name, process.env[name]])), ...askNobody }
}

function loginArguments({ host, user, port, identity, knownHosts, settings }: SshTarget): string[] {
  for (const name of [host, user ?? 'user']) {
    if (!/^[\w.:%@[\]][\w.:%@[\]-]*$/.test(name)) throw remoteError('remote.name', { name: JSON.stringify(name) })
  }
  return [
    ...(settings === undefined ? [] : ['-F', settings]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(identity === undefined ? [] : ['-o', `IdentityFile=${settingOf(identity)}`, '-o', 'IdentitiesOnly=yes']),
    ...(knownHosts === undefined
      ? []
      : ['-o', `UserKnownHostsFile=${settingOf(knownHosts)}`, '-o', 'GlobalKnownHostsFile=none']),
  ]
}

/** A path as ssh_config(5) reads it: in quotes, percent signs doubled. */
function settingOf(path: string): string {
  return `"${path.replaceAll('%', '%%').replaceAll(/["\\]/g, String.raw`\$&`)}"`
}

/** The last words of standard error, on one line. */
export function lastLines(stderr: string): string {
  return stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .slice(-3)
    .join('; ')
}
