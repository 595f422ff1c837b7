import {
  closeSync,
  createReadStream,
  existsSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  unlinkSync,
  writeSync,
  type Dirent,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'

import {
  collect,
  feedProgram,
  isStream,
  randomHex,
  startDuplex,
  streamProgram,
  subprocessError,
  systemCode,
  type ProgramOptions,
  type Secret,
} from '#base'
import { listFolder, type EntryKind } from '#engine'
import { bytesOf } from '../raw-path.ts'
import type { Host, HostStatus, ProgramCall } from './host.ts'

/** What a program here is given of our own environment; the rest may hold secrets that are not its own. */
const passedOn = ['PATH', 'HOME', 'USER', 'LOGNAME', 'TMPDIR', 'TZ', 'LANG'] as const
/** Memory that looks like a disk, where there is one: a secret in it never reaches a disk. */
const sharedMemory = '/dev/shm'

/**
 * This machine.
 *
 * @param temporaryFolder - where a file may lie for a moment; absolute.
 */
export function localHost(temporaryFolder: string): Host {
  const stream = (call: ProgramCall, signal?: AbortSignal): AsyncIterable<Uint8Array> =>
    streamLocally(call, temporaryFolder, signal)
  return {
    kind: 'local',
    place: 'this machine',
    findings: [],
    stream,
    run: async (call, signal) => Buffer.from(await collect(stream(call, signal))).toString(),
    findText: async (path) => attempt(() => readFileSync(bytesOf(path), 'utf8')),
    findHead: async (path, length) => attempt(() => readHead(bytesOf(path), length)),
    kindAt: async (path) => attempt(() => kindOf(statSync(bytesOf(path)))),
    findStatus: async (path) => attempt(() => statusOf(bytesOf(path))),
    list: async (folder) => {
      const path = bytesOf(folder)
      const entries = (): Dirent[] => readdirSync(path, { withFileTypes: true, encoding: 'latin1' })
      return listFolder(path) ?? entries().map((entry) => ({ name: entry.name, kind: kindOf(entry) }))
    },
    read: (path, signal) =>
      createReadStream(bytesOf(path), { highWaterMark: 1 << 20, ...(signal && { signal }) }) as AsyncIterable<Buffer>,
    folderPart: ({ path, ...folder }) => ({ kind: 'folder', ...folder, path: bytesOf(path) }),
    filePart: (at, path) => ({ kind: 'file', at, path: bytesOf(path) }),
    [Symbol.asyncDispose]: async () => {},
  }
}

async function* streamLocally(
  { program, args, cwd, environment, secretFile, input, isPassedOn }: ProgramCall,
  temporaryFolder: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const env = Object.fromEntries(passedOn.flatMap((name) => [[name, process.env[name]] as const]))
  const options = {
    env: { ...env, ...environment },
    ...(cwd !== undefined && { cwd }),
    ...(isPassedOn && { isLong: true }),
  }
  const run = (given: ProgramOptions): AsyncIterable<Uint8Array> => {
    if (input !== undefined && isStream(input)) return streamFed(program, args, input, given, signal)
    return streamProgram(program, args, { ...given, ...(input !== undefined && { input }) }, signal)
  }
  if (!secretFile) {
    yield* run(options)
    return
  }
  const descriptor = openNameless(secretFile, existsSync(sharedMemory) ? sharedMemory : temporaryFolder)
  try {
    yield* run({ ...options, descriptors: [descriptor] })
  } finally {
    closeSync(descriptor)
  }
}

async function* streamFed(
  program: string,
  args: readonly string[],
  input: AsyncIterable<Uint8Array>,
  options: ProgramOptions,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  signal?.throwIfAborted()
  await using running = startDuplex(program, args, options, signal)
  const feeding = feedProgram(running, input)
  yield* running.output
  const end = await running.ended
  const fault = await feeding
  signal?.throwIfAborted()
  if (fault) throw fault.thrown
  if (end.error && systemCode(end.error) === 'ENOENT') throw subprocessError('program.missing', { program }, end.error)
  if (end.code === 0) return
  const how = end.signal ? `was ended by ${end.signal}` : `ended with exit code ${end.code}`
  const stderr = end.error?.message ?? (end.stderr.trim() || 'it gave no reason')
  throw subprocessError('program.failed', { program, outcome: end.error ? 'did not start' : how, stderr }, end.error)
}

/** A file that has no name any more; whoever has the descriptor can open it through /dev/fd. */
function openNameless(text: Secret, folder: string): number {
  const path = join(folder, `.bewaar-${randomHex(12)}`)
  const descriptor = openSync(path, 'wx+', 0o600)
  unlinkSync(path)
  writeSync(descriptor, text.reveal())
  return descriptor
}

/** Undefined for what the system refuses: whoever reads it next says why. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (thrown) {
    if (systemCode(thrown) === undefined) throw thrown
    return undefined
  }
}

function readHead(path: Buffer, length: number): Uint8Array {
  const descriptor = openSync(path, 'r')
  try {
    const head = Buffer.alloc(length)
    return head.subarray(0, readSync(descriptor, head))
  } finally {
    closeSync(descriptor)
  }
}

function statusOf(path: Buffer): HostStatus {
  const status = lstatSync(path, { bigint: true })
  const { size, mtimeNs, ctimeNs, ino, uid, gid } = status
  const kind = kindOf(status)
  return { kind, size: Number(size), mtimeNs, ctimeNs, inode: ino, uid: Number(uid), gid: Number(gid) }
}

function kindOf(
  entry: Pick<Stats | Dirent, 'isFile' | 'isDirectory' | 'isSymbolicLink' | 'isFIFO' | 'isSocket' | 'isBlockDevice'>,
): EntryKind {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'dir'
  if (entry.isSymbolicLink()) return 'symlink'
  if (entry.isFIFO()) return 'fifo'
  if (entry.isSocket()) return 'socket'
  return entry.isBlockDevice() ? 'dev' : 'chardev'
}
