import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  createRest,
  createRestOverSsh,
  createSftp,
  openLocal,
  openRest,
  openRestOverSsh,
  openSftp,
  type Backend,
} from '#engine'
import { startSshd, type TestSshd } from '../remote/sshd.ts'
import { restartRclone, startRclone } from './rest-server.ts'
import { socketFolder, targetBehind } from './sftp-place.ts'

/** How long a place of these tests may be silent. */
const stallMs = 3000
/** Over HTTP a transfer may stand still for twice as long as an operation, as by default. */
const httpStallMs = 2 * stallMs
/** Because an operation may have to log in first, and rclone to begin. */
const loginStallMs = 4000
/** Because each login that stalls counts as one that has begun. */
const patientSshd = 'MaxStartups 200'

/** One server with repositories, and how they are reached through a proxy and past it. */
export interface FaultPlace extends AsyncDisposable {
  /** Port of the server on loopback. */
  readonly port: number
  /** How long an operation may make no progress. */
  readonly stallMs: number
  /** Whether a connection that breaks may leave a part of a file there for good, which nobody may remove: see rest.md. */
  readonly keepsParts: boolean
  /** Opens a repository as a vault does. @param port - that of the server, or of a proxy before it. */
  connect(verb: 'open' | 'create', port: number, repository: string): Promise<Backend>
  /** What the server has stored, past the proxy and by other means than `connect`. */
  direct(repository: string): Promise<Backend>
  /** Ends the server at once, with all that it was busy with. */
  stop(): Promise<void>
  /** Starts it again after `stop`, on the same port. */
  restart(): Promise<void>
  /** Where stock restic finds a repository, and what it needs to know in its environment. */
  restic(repository: string): { readonly at: string; readonly env: NodeJS.ProcessEnv }
}

/** `sftp-bare`: of a server without any extension that we use. */
export type PlaceKind = 'sftp' | 'sftp-bare' | 'rest' | 'rest-ssh' | 's3'

/** Starts a server of its own. */
export function startPlace(kind: PlaceKind): Promise<FaultPlace> {
  switch (kind) {
    case 'sftp':
      return startSftpPlace()
    case 'sftp-bare':
      return startSftpPlace('internal-sftp -P hardlink,fsync,posix-rename,statvfs,limits')
    case 'rest':
      return startRestPlace()
    case 'rest-ssh':
      return startRestSshPlace()
    case 's3':
      return startS3Place()
    default:
      return kind satisfies never
  }
}

export interface SshFaultPlace extends FaultPlace {
  readonly sshd: TestSshd
}

export interface SftpFaultPlace extends SshFaultPlace {
  /** Where a repository lies there. */
  pathOf(repository: string): string
}

/** @param subsystem - what serves SFTP. */
export async function startSftpPlace(subsystem = 'internal-sftp'): Promise<SftpFaultPlace> {
  await using undo = new AsyncDisposableStack()
  const server = undo.use(await startSshd({ config: patientSshd, subsystem }))
  const sockets = undo.use(socketFolder())
  const pathOf = (repository: string): string => join(server.home, 'backups', repository)
  const stack = undo.move()
  return {
    sshd: server,
    pathOf,
    port: server.port,
    stallMs,
    keepsParts: false,
    connect: (verb, port, repository) => {
      const target = targetBehind(server, port)
      const place = { target, path: pathOf(repository), folder: sockets.path, stallMs }
      return { open: openSftp, create: createSftp }[verb](place)
    },
    direct: (repository) => openLocal(pathOf(repository)),
    restic: (repository) => ({ at: pathOf(repository), env: {} }),
    stop: () => server.stop(),
    restart: () => server.restart(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function startRestPlace(): Promise<FaultPlace> {
  await using undo = new AsyncDisposableStack()
  const server = undo.use(await startRclone())
  let running: AsyncDisposable = server
  undo.defer(() => running[Symbol.asyncDispose]())
  const stack = undo.move()
  return {
    port: Number(new URL(server.url).port),
    stallMs,
    keepsParts: false,
    connect: (verb, port, repository) =>
      ({ open: openRest, create: createRest })[verb]({
        url: `http://127.0.0.1:${port}/${repository}/`,
        stallMs: httpStallMs,
      }),
    direct: (repository) => openLocal(join(server.folder, repository)),
    restic: (repository) => ({ at: join(server.folder, repository), env: {} }),
    stop: async () => {
      process.kill(server.pid, 'SIGKILL')
    },
    restart: async () => {
      running = await restartRclone(server)
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

/** Of the line that people are told to write. */
const document = readFileSync(new URL('../../docs/operate/rest.md', import.meta.url), 'utf8')
const forcedRclone = /^(restrict,command="[^"]*") ssh-ed25519 /m.exec(document)![1]!

/** Its server only appends. */
export async function startRestSshPlace(): Promise<SshFaultPlace> {
  await using undo = new AsyncDisposableStack()
  const sshd = undo.use(await startSshd({ keyOptions: forcedRclone, config: patientSshd }))
  const pathOf = (repository: string): string => join(sshd.home, 'backups', repository)
  const stack = undo.move()
  return {
    sshd,
    port: sshd.port,
    stallMs: loginStallMs,
    keepsParts: true,
    connect: (verb, port, repository) => {
      const options = { target: targetBehind(sshd, port), path: repository, stallMs: 2 * loginStallMs }
      return { open: openRestOverSsh, create: createRestOverSsh }[verb](options)
    },
    direct: (repository) => openLocal(pathOf(repository)),
    restic: (repository) => ({ at: pathOf(repository), env: {} }),
    stop: () => sshd.stop(),
    restart: () => sshd.restart(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

async function startS3Place(): Promise<FaultPlace> {
  // because the SDK takes its time, and only this place needs it
  const { createS3, makeScene, openS3 } = await import('./s3-scene.ts')
  await using undo = new AsyncDisposableStack()
  const scene = undo.use(await makeScene())
  const bucket = await scene.makeBucket('plain')
  const { accessKey, secretKey, endpoint } = scene.server
  const stack = undo.move()
  return {
    port: scene.server.port,
    stallMs,
    keepsParts: false,
    connect: (verb, port, prefix) =>
      ({ open: openS3, create: createS3 })[verb](
        scene.options(bucket, { endpoint: `http://127.0.0.1:${port}`, prefix, stallMs: httpStallMs }),
      ),
    direct: (prefix) => scene.open(bucket, { prefix }),
    restic: (prefix) => ({
      at: `s3:${endpoint}/${bucket}/${prefix}`,
      env: { AWS_ACCESS_KEY_ID: accessKey.reveal(), AWS_SECRET_ACCESS_KEY: secretKey.reveal() },
    }),
    stop: () => scene.server.stop(),
    restart: () => scene.server.restart(),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}
