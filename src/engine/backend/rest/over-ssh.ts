import { startDuplex, systemCode, type DuplexProgram, type ProgramEnd } from '#base'
import { explainEnd, lastLines, placeOf, sshArguments, sshEnvironment, type SshTarget } from '#remote'
import { backendError } from '../errors.ts'
import type { Backend } from '../backend.ts'
import { Http2Transport } from './http2.ts'
import { defaultConnections, defaultStallMs } from './rest.ts'
import { createRestOver, restOver, type RestPlace } from './rest-backend.ts'
import { WayEnded, type Transport } from './transport.ts'

export interface RestOverSshOptions {
  readonly target: SshTarget
  /** The repository below what the server shows: names parted by `/`. Default: all that it shows is one repository. */
  readonly path?: string
  /** Operations at once; all share one login. Default: 5. */
  readonly connections?: number
  /** How long a transfer may stand still. Default: 120 s. */
  readonly stallMs?: number
}

/**
 * Opens a repository behind `rclone serve restic --stdio`, which the server's `authorized_keys` forces upon our key: the
 * REST protocol over HTTP/2, over the input and output of one ssh. What we ask the server to run is of no effect.
 *
 * It logs in with the first operation, and again with the next one when the connection was lost.
 *
 * @throws `backend.request-invalid` for a path that is none; `remote.name` for a host or a user that is none.
 */
export async function openRestOverSsh(options: RestOverSshOptions): Promise<Backend> {
  return restOver(...wayTo(options))
}

/** The same, after the server has made the place. @throws as the operations of a backend. */
export async function createRestOverSsh(options: RestOverSshOptions, signal?: AbortSignal): Promise<Backend> {
  return await createRestOver(...wayTo(options), signal)
}

/** The server, and where the repository is behind it. @throws as {@link openRestOverSsh}. */
export function wayTo(options: RestOverSshOptions): [Transport, RestPlace] {
  const { target, path = '', connections = defaultConnections, stallMs = defaultStallMs } = options
  const ssh = placeOf(target).replace(/^ssh:/, 'rest+ssh:')
  const place = `${ssh}/${path}`
  const names = path.split('/').filter((name) => name !== '')
  if (names.some((name) => !/^[\w.-]+$/.test(name) || /^\.+$/.test(name))) {
    throw backendError('backend.request-invalid', { what: `a repository in ${JSON.stringify(path)}`, place: ssh })
  }
  // A login of its own: what the key is bound to answers each session, and no other session can share it.
  const args = sshArguments(target, ['-o', 'ControlPath=none'], [ofNoEffect])
  const start = (): DuplexProgram => startDuplex('ssh', args, { env: sshEnvironment() })
  return [
    new Http2Transport({ start, explain: (end) => explain(target, end), stallMs }),
    { place, path: ['', ...names, ''].join('/'), connections, headers: {} },
  ]
}

/** Where no command is forced upon the key this ends at once, in place of a shell that would read files as commands. */
const ofNoEffect = 'true'

/** ssh itself ends with 255; anything else is how the program there ended. */
function explain(target: SshTarget, end: ProgramEnd): Error {
  const { code, signal, stderr, error } = end
  if (systemCode(error) === 'ENOENT') return new WayEnded('the program ssh is not installed', true)
  const words = lastLines(stderr)
  if (code === 0) return new WayEnded('its key is not bound to `rclone serve restic --stdio` in authorized_keys', true)
  if (code === 255 || code === null) {
    const explained = explainEnd(target, end)
    if (explained.kind !== 'unavailable') return explained
    return new WayEnded(words || (signal ? `ssh was ended by ${signal}` : 'ssh was closed from the other side'), false)
  }
  // because 126 and 127 are a shell's word for a program that is not there
  return new WayEnded(`the program there ended with exit code ${code}: ${words}`, code === 126 || code === 127)
}
