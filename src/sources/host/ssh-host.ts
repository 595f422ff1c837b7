import { collect } from '#base'
import { RemoteFiles, SshConnection, streamThere, type SshTarget } from '#remote'
import type { RawPath } from '../raw-path.ts'
import type { SourceFinding } from '../finding.ts'
import type { Host, ProgramCall } from './host.ts'

export interface SshHostOptions {
  /** Absolute, mode 0700, of this run alone; the caller removes it after the host. */
  readonly temporaryFolder: string
  /** Default: 60 s without an answer. */
  readonly stallMs?: number
}

/** Another server. */
export interface SshHost extends Host {
  /** What a run should know of how the server can be read. */
  readonly findings: readonly SourceFinding[]
}

/** Bytes of a settings file that is read as text. */
const largestText = 16 * 1024 * 1024

/**
 * Logs in on another server; everything shares this login, and ends with it or when `signal` is aborted.
 *
 * @throws errors of `remote`: `remote.host-key`, `remote.denied`, `remote.unreachable` …
 */
export async function openSshHost(
  target: SshTarget,
  { temporaryFolder, stallMs }: SshHostOptions,
  signal?: AbortSignal,
): Promise<SshHost> {
  const options = { folder: temporaryFolder, ...(stallMs !== undefined && { stallMs }) }
  const connection = await SshConnection.open(target, options, signal)
  try {
    return sshHost(connection, await RemoteFiles.open(connection, signal))
  } catch (thrown) {
    await connection[Symbol.asyncDispose]()
    throw thrown
  }
}

function sshHost(connection: SshConnection, files: RemoteFiles): SshHost {
  const stream = (call: ProgramCall, signal?: AbortSignal): AsyncIterable<Uint8Array> =>
    streamThere(connection, call, signal)
  return {
    kind: 'ssh',
    place: connection.place,
    findings: findingsOf(connection, files),
    stream,
    run: async (call, signal) => Buffer.from(await collect(stream(call, signal))).toString(),
    findText: (path) => attempt(() => readText(files, path)),
    findHead: (path, length) => attempt(() => collect(files.open(path, length))),
    kindAt: (path) => attempt(async () => (await connection.sftp.stat(path)).type),
    findStatus: async (path) => {
      const [status] = await files.status([path])
      return status instanceof Error || !status ? undefined : { ...status, kind: status.type }
    },
    list: async (folder) => {
      const entries = await files.list(folder)
      return entries.map(({ name, type }) => ({ name: Buffer.from(name).toString('latin1'), kind: type }))
    },
    read: (path, signal) => files.open(path, undefined, signal),
    folderPart: (folder) => ({ kind: 'remote-folder', reader: files, ...folder }),
    filePart: (at, path) => ({ kind: 'remote-file', reader: files, at, path }),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}

/** ssh takes a key from a file only; this one leaves with the folder. */
function findingsOf({ place }: SshConnection, { method }: RemoteFiles): SourceFinding[] {
  if (method === 'find') return []
  const text =
    'Programs cannot be run there, or GNU find is missing: files are listed over SFTP alone, so that size and time of change, in whole seconds, tell which are read again, and names of owners are not known'
  return [{ subject: place, severity: 'notice', text }]
}

async function readText(files: RemoteFiles, path: RawPath): Promise<string | undefined> {
  const bytes = await collect(files.open(path, largestText + 1))
  return bytes.length > largestText ? undefined : Buffer.from(bytes).toString()
}

/** Undefined for what the system there refuses: whoever reads it next says why. */
async function attempt<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (thrown) {
    if (!(thrown instanceof Error && 'syscall' in thrown)) throw thrown
    return undefined
  }
}
