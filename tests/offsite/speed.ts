import { spawn } from 'node:child_process'
import { createHash, randomFillSync } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { createSftp, type Backend, type FileRef } from '#engine'
import { emptyPlace } from '../e2e/place.ts'
import { needs } from '../needs.ts'
import { temporaryFolder } from '../remote/place.ts'
import { startSshd } from '../remote/sshd.ts'
import { FaultProxy } from './proxy.ts'
import { makeScene, skip as skipS3 } from './s3-scene.ts'
import { freshPath, makeHomeFolder, socketFolder } from './sftp-place.ts'

/** Two ways to do the same work; each leaves everything as it was. */
interface Contest {
  /** @returns seconds. */
  ours(): Promise<number>
  theirs(): Promise<number>
}

export interface Comparison {
  readonly title: string
  readonly theirs: string
  /** Our time in shares of theirs. */
  readonly most: number
  readonly skip: string | false
  readonly prepare: (undo: AsyncDisposableStack) => Promise<Contest>
}

export interface Pair {
  /** Seconds. */
  readonly ours: number
  readonly theirs: number
}

const packBytes = 16 * 1024 * 1024
const packs = 64
export const megabytes = (packs * packBytes) / 1e6

export const comparisons: readonly Comparison[] = [
  {
    title: 'upload over SFTP',
    theirs: 'sftp put',
    most: 1.2,
    skip: needs('sshd', 'ssh'),
    prepare: prepareSftp,
  },
  {
    title: 'upload over SFTP with 50 ms a round trip',
    theirs: 'the same with none',
    most: 1 / 0.6,
    skip: needs('sshd', 'ssh'),
    prepare: prepareLatency,
  },
  {
    title: 'upload to S3',
    theirs: 'PutObject of the SDK, as many at once',
    most: 1.3,
    skip: skipS3,
    prepare: prepareS3,
  },
  {
    title: 'copy between two local vaults',
    theirs: 'restic copy',
    most: 1,
    skip: needs('restic'),
    prepare: prepareCopy,
  },
]

/** Runs both in turns, because what else a machine does changes from minute to minute. */
export async function compare({ prepare }: Comparison, rounds: number): Promise<Pair[]> {
  await using undo = new AsyncDisposableStack()
  const contest = await prepare(undo)
  const pairs: Pair[] = []
  for (let round = 0; round < rounds; round++) {
    const first = round % 2 === 0 ? await contest.ours() : await contest.theirs()
    const second = round % 2 === 0 ? await contest.theirs() : await contest.ours()
    pairs.push(round % 2 === 0 ? { ours: first, theirs: second } : { ours: second, theirs: first })
  }
  return pairs
}

/** The middle of our times in shares of theirs. */
export function medianRatio(pairs: readonly Pair[]): number {
  return median(pairs.map(({ ours, theirs }) => ours / theirs))
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}

function makePacks(): Uint8Array[] {
  return Array.from({ length: packs }, () => randomFillSync(new Uint8Array(packBytes)))
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}

/** Does something with each of the items, so many at once. */
async function forEach<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) await work(items[next++]!)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

interface Pack {
  readonly ref: FileRef
  readonly body: Uint8Array
}

function named(bodies: readonly Uint8Array[]): Pack[] {
  const nameOf = (body: Uint8Array): string => createHash('sha256').update(body).digest('hex')
  return bodies.map((body) => ({ ref: { type: 'pack', name: nameOf(body) }, body }))
}

/** As many at once as the backend bears. */
async function saveAll(backend: Backend, all: readonly Pack[]): Promise<number> {
  return await timed(() => forEach(all, backend.connections, ({ ref, body }) => backend.save(ref, body)))
}

async function performed(program: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], ...(env && { env }) })
  const [code] = await once(child, 'close')
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
}

async function prepareSftp(undo: AsyncDisposableStack): Promise<Contest> {
  const sshd = undo.use(await startSshd())
  const source = undo.use(temporaryFolder('packs'))
  const sockets = undo.use(socketFolder())
  const all = named(makePacks())
  for (const { ref, body } of all) writeFileSync(join(source.path, ref.name), body)
  const { knownHosts, identity } = sshd.target
  const hosts = ['-o', `UserKnownHostsFile=${knownHosts}`, '-o', 'GlobalKnownHostsFile=none']
  const login = ['-F', sshd.settings, '-i', identity, '-P', String(sshd.port), ...hosts]
  return {
    ours: async () => {
      const path = freshPath(sshd)
      await using backend = await createSftp({ target: sshd.target, path, folder: sockets.path })
      const seconds = await saveAll(backend, all)
      rmSync(path, { recursive: true })
      return seconds
    },
    theirs: async () => {
      const to = makeHomeFolder(sshd, 'put')
      const batch = join(sshd.folder, 'batch')
      writeFileSync(batch, `put ${source.path}/* ${to}/\n`)
      const args = ['-q', '-b', batch, ...login, `${sshd.user.name}@127.0.0.1`]
      const seconds = await timed(() => performed('sftp', args))
      rmSync(to, { recursive: true })
      return seconds
    },
  }
}

async function prepareLatency(undo: AsyncDisposableStack): Promise<Contest> {
  const sshd = undo.use(await startSshd())
  const sockets = undo.use(socketFolder())
  const proxy = undo.use(await FaultProxy.start(sshd.port))
  const knownHosts = join(sshd.folder, 'known_hosts_of_the_proxy')
  writeFileSync(knownHosts, `[127.0.0.1]:${proxy.port} ${readFileSync(join(sshd.folder, 'host.pub'), 'utf8')}`)
  const target = { ...sshd.target, port: proxy.port, knownHosts }
  const all = named(makePacks())
  const saveWith = async (delayMs: number): Promise<number> => {
    proxy.delayMs = delayMs
    const path = freshPath(sshd)
    await using backend = await createSftp({ target, path, folder: sockets.path })
    const seconds = await saveAll(backend, all)
    rmSync(path, { recursive: true })
    return seconds
  }
  return { ours: () => saveWith(25), theirs: () => saveWith(0) }
}

async function prepareS3(undo: AsyncDisposableStack): Promise<Contest> {
  const scene = undo.use(await makeScene())
  const bucket = await scene.makeBucket('plain')
  const all = named(makePacks())
  const backend = undo.use(await scene.open(bucket))
  // because the server keeps the bytes of what was removed for hours, and has room for a few rounds only
  const makeRoom = () => scene.server.administrate('gc', 'process', '--include-all')
  return {
    ours: async () => {
      const seconds = await saveAll(backend, all)
      await forEach(all, 8, ({ ref }) => backend.remove(ref))
      await makeRoom()
      return seconds
    },
    theirs: async () => {
      const place = ({ ref }: Pack) => ({ Bucket: bucket, Key: `plain/${ref.name}` })
      const put = (pack: Pack) => scene.owner.putObject({ ...place(pack), Body: pack.body })
      const seconds = await timed(() => forEach(all, backend.connections, put))
      await forEach(all, 8, (pack) => scene.owner.deleteObject(place(pack)))
      await makeRoom()
      return seconds
    },
  }
}

/** Half of the data can be compressed, as in a project. */
async function prepareCopy(undo: AsyncDisposableStack): Promise<Contest> {
  const place = undo.use(await emptyPlace())
  const vault = (name: string): string => `${name}: { location: ./${name}, password: { file: ./password } }`
  await place.write('password', 'secret of the vaults', 0o600)
  await place.write(
    'bewaar.yaml',
    `state: ./state
vaults: { ${vault('from')}, ${vault('to')} }
projects:
  data:
    { type: generic, path: ./data, schedule: daily 03:00, vault: from, copies: [{ to: to, schedule: monthly 1 06:00 }] }
`,
  )
  for (const [nth, bytes] of makePacks().entries()) {
    if (nth % 2 === 0) bytes.subarray(0, packBytes / 2).fill(nth)
    await place.write(`data/${nth}`, bytes)
  }
  const bewaar = async (...args: string[]): Promise<void> => {
    const { code, out, err } = await place.bewaar(...args)
    if (code !== 0) throw new Error(`bewaar ${args.join(' ')}: ${out}${err}`)
  }
  await bewaar('init')
  await bewaar('run')
  const changing = ['to', 'state']
  for (const name of changing) cpSync(place.at(name), place.at(`${name}-before`), { recursive: true })
  const reset = (): void => {
    for (const name of [...changing, 'cache']) rmSync(place.at(name), { recursive: true, force: true })
    for (const name of changing) cpSync(place.at(`${name}-before`), place.at(name), { recursive: true })
  }
  const password = place.at('password')
  const env = { ...place.environment(), RESTIC_CACHE_DIR: place.at('cache') }
  const from = ['--from-repo', place.at('from/data'), '--from-password-file', password]
  const restic = ['--quiet', '--repo', place.at('to/data'), '--password-file', password, 'copy', ...from]
  return {
    ours: async () => {
      reset()
      // which reads back all that it sent, as restic does not
      return await timed(() => bewaar('copy'))
    },
    theirs: async () => {
      reset()
      return await timed(() => performed('restic', restic, env))
    },
  }
}
