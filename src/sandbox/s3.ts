import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { collect, randomBytes, randomHex, runProgram, Secret, streamProgram, systemClock, textOf } from '#base'
import { asAccount, findAccount, giveTo, type Account } from './account.ts'
import { sandboxError } from './errors.ts'
import { waitUntil } from './processes.ts'

/** An S3 server of one test: the gateway of Ceph over a store in memory, with versions and Object Lock that hold. */
export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:port`, for addresses in path style. */
  readonly endpoint: string
  readonly port: number
  readonly region: string
  /** Of a user who may do everything with buckets of their own. */
  readonly accessKey: Secret
  readonly secretKey: Secret
  /** As the server says it: `16.2.15`. */
  readonly version: string
  /** Runs `radosgw-admin`: users, keys, quotas. @returns what it writes, which is JSON mostly. */
  administrate(...args: string[]): Promise<string>
  /** Ends the gateway at once, as a power cut does. What it stored stays. */
  stop(): Promise<void>
  /** Starts the gateway again after `stop`, on the same port. */
  restart(): Promise<void>
}

const patienceMs = 60_000
const region = 'us-east-1'
const userName = 'bewaar'
const programs = ['radosgw', 'radosgw-admin', 'ceph', 'ceph-mon', 'ceph-osd', 'monmaptool'] as const

/** True when the programs of the server are on this machine. */
export function isS3Installed(): boolean {
  return programs.every((program) => findProgram(program) !== undefined)
}

/**
 * Starts an S3 server that nobody else can know, without a bucket. It answers when this returns. Memory: about 180 MB,
 * and what is stored; 4 GiB fit.
 *
 * @throws `sandbox.missing`; `sandbox.unstartable` with the server's own words.
 */
export async function startS3(signal?: AbortSignal): Promise<S3Server> {
  const missing = programs.find((program) => findProgram(program) === undefined)
  if (missing !== undefined) {
    throw sandboxError('sandbox.missing', { server: 'Ceph', package: 'radosgw, ceph-mon or ceph-osd' })
  }
  for (let attempt = 1; ; attempt++) {
    const cluster = new Cluster()
    try {
      await cluster.start(signal)
      return cluster
    } catch (thrown) {
      await cluster[Symbol.asyncDispose]()
      signal?.throwIfAborted()
      // because a port is free until somebody else is quicker
      if (attempt === 3 || !/in use|bind|did not answer/i.test(textOf(thrown))) throw thrown
    }
  }
}

interface Daemon {
  readonly name: string
  readonly stop: AbortController
  /** Settles when it has ended; never rejects. */
  readonly ended: Promise<void>
  /** What it said last, once it has ended. */
  lastWords?: string
}

class Cluster implements S3Server {
  readonly port: number
  readonly endpoint: string
  readonly region = region
  readonly accessKey = new Secret(randomHex(10))
  readonly secretKey = new Secret(randomHex(20))
  version = ''
  readonly #account: Account | undefined = findAccount(['ceph', 'nobody'])
  readonly #folder = mkdtempSync('/tmp/bewaar-s3-')
  readonly #monitorPort: number
  readonly #daemons: Daemon[] = []

  constructor() {
    const taken = new Set(listeningPorts())
    this.port = choosePort(taken)
    this.#monitorPort = choosePort(taken.add(this.port))
    this.endpoint = `http://127.0.0.1:${this.port}`
  }

  /** A cluster of one monitor and one store, and the gateway on top of them. */
  async start(signal?: AbortSignal): Promise<void> {
    const folder = this.#folder
    const [clusterId, storeId] = [uuid(), uuid()]
    giveTo(this.#account, folder)
    for (const name of ['mon', 'osd', 'rgw', 'run', 'log']) this.#makeFolder(name)
    this.#write('ceph.conf', configurationOf(folder, clusterId, this.port, this.#monitorPort))
    this.#write('keyring', keyring())
    const address = `[v2:127.0.0.1:${this.#monitorPort}]`
    await this.#run('monmaptool', ['--create', '--addv', 'a', address, '--fsid', clusterId, 'monmap'], signal)
    await this.#run('ceph-mon', ['--mkfs', '-i', 'a', '--monmap', 'monmap', '--keyring', 'keyring'], signal)
    this.#launch('ceph-mon', ['-i', 'a'])
    await this.#run('ceph', ['--connect-timeout', '30', 'osd', 'new', storeId], signal)
    await this.#run('ceph-osd', ['-i', '0', '--mkfs', '--osd-uuid', storeId], signal)
    this.#launch('ceph-osd', ['-i', '0'])
    await this.restart()
    this.version = /version (\S+)/.exec(await this.#run('radosgw', ['--version'], signal))?.[1]?.split('+')[0] ?? ''
    const keys = ['--access-key', this.accessKey.reveal(), '--secret-key', this.secretKey.reveal()]
    await this.administrate('user', 'create', '--uid', userName, '--display-name', userName, ...keys)
  }

  administrate(...args: string[]): Promise<string> {
    return this.#run('radosgw-admin', args)
  }

  async stop(): Promise<void> {
    await this.#end(this.#daemons.filter(({ name }) => name === 'radosgw'))
  }

  async restart(): Promise<void> {
    const gateway = this.#launch('radosgw', ['-n', 'client.admin'])
    const hasEnded = (): boolean => this.#daemons.some(({ lastWords }) => lastWords !== undefined)
    const answers = await waitUntil(() => hasEnded() || listeningPorts().includes(this.port), patienceMs)
    const ended = this.#daemons.find(({ lastWords }) => lastWords !== undefined)
    if (!answers || ended) throw this.#unstartable((ended ?? gateway).lastWords ?? 'it did not answer in time')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end([...this.#daemons])
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  #launch(name: (typeof programs)[number], args: readonly string[]): Daemon {
    const call = asAccount(this.#account, findProgram(name)!, ['-f', ...args], 'KILL')
    const stop = new AbortController()
    const output = streamProgram(call.program, call.args, this.#surroundings(), stop.signal)
    const daemon: Daemon = {
      name,
      stop,
      ended: collect(output).then(
        () => void (daemon.lastWords = `${name} ended by itself`),
        (thrown: unknown) => void (daemon.lastWords = textOf(thrown)),
      ),
    }
    this.#daemons.push(daemon)
    return daemon
  }

  async #end(daemons: readonly Daemon[]): Promise<void> {
    for (const daemon of daemons) daemon.stop.abort()
    await Promise.all(daemons.map(({ ended }) => ended))
    for (const daemon of daemons) this.#daemons.splice(this.#daemons.indexOf(daemon), 1)
  }

  async #run(name: (typeof programs)[number], args: readonly string[], signal?: AbortSignal): Promise<string> {
    const call = asAccount(this.#account, findProgram(name)!, args, 'KILL')
    try {
      return await runProgram(call.program, call.args, this.#surroundings(), signal)
    } catch (thrown) {
      signal?.throwIfAborted()
      throw this.#unstartable(textOf(thrown))
    }
  }

  #surroundings(): { readonly cwd: string; readonly env: NodeJS.ProcessEnv } {
    const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC', CEPH_CONF: join(this.#folder, 'ceph.conf') }
    return { cwd: this.#folder, env }
  }

  #makeFolder(name: string): void {
    mkdirSync(join(this.#folder, name))
    giveTo(this.#account, join(this.#folder, name))
  }

  #write(name: string, text: string): void {
    writeFileSync(join(this.#folder, name), text, { mode: 0o600 })
    giveTo(this.#account, join(this.#folder, name))
  }

  #unstartable(reason: string): Error {
    const account = this.#account?.name ?? 'that runs this'
    return sandboxError('sandbox.unstartable', { server: 'Ceph', reason, account, folder: this.#folder })
  }
}

/**
 * One copy of everything, kept in memory. The two lines of `paxos` make the monitor decide at once instead of once a second,
 * which is most of the time that a cluster takes to come up.
 */
function configurationOf(folder: string, clusterId: string, port: number, monitorPort: number): string {
  return `[global]
fsid = ${clusterId}
mon initial members = a
mon host = [v2:127.0.0.1:${monitorPort}]
public addr = 127.0.0.1
ms bind msgr1 = false
auth allow insecure global id reclaim = true
paxos propose interval = 0.02
paxos min wait = 0.01
mon allow pool size one = true
mon max pg per osd = 1000
mon data = ${folder}/mon/a
mon data avail warn = 1
mon data avail crit = 1
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
osd crush initial weight = 1
osd objectstore = memstore
memstore device bytes = ${4 * 1024 ** 3}
osd data = ${folder}/osd
osd max object name len = 256
osd max object namespace len = 64
run dir = ${folder}/run
admin socket =
chdir = ${folder}
log file = ${folder}/log/$name.log
pid file =
keyring = ${folder}/keyring
rgw frontends = beast endpoint=127.0.0.1:${port} tcp_nodelay=1
rgw data = ${folder}/rgw
rgw dns name = localhost
rgw enable usage log = false
rgw thread pool size = 32
rgw bucket quota ttl = 0
`
}

/** The key of each daemon, with what it may do. */
function keyring(): string {
  return `[mon.]
key = ${cephKey()}
caps mon = "allow *"
[client.admin]
key = ${cephKey()}
caps mon = "allow *"
caps osd = "allow *"
[osd.0]
key = ${cephKey()}
caps mon = "allow profile osd"
caps osd = "allow *"
`
}

/** Source: Ceph, `CryptoKey::encode`: type (1 is AES), seconds and nanoseconds of its making, length, bytes. */
function cephKey(): string {
  const head = Buffer.alloc(12)
  head.writeUInt16LE(1, 0)
  head.writeUInt32LE(Math.floor(systemClock.now() / 1000), 2)
  head.writeUInt16LE(16, 10)
  return Buffer.concat([head, randomBytes(16)]).toString('base64')
}

function uuid(): string {
  return randomHex(16).replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, '$1-$2-4$3-8$4-$5')
}

/** Below the ports that systems hand out to clients by themselves. */
function choosePort(taken: ReadonlySet<number>): number {
  for (;;) {
    const port = 15_000 + (Buffer.from(randomBytes(2)).readUInt16BE() % 15_000)
    if (!taken.has(port)) return port
  }
}

/** TCP ports on which somebody listens, whatever the address. */
function listeningPorts(): number[] {
  const lines = readFileSync('/proc/net/tcp', 'latin1').split('\n')
  return lines.flatMap((line) => {
    const [, port] = /^\s*\d+: [0-9A-F]{8}:([0-9A-F]{4}) \S+ 0A /.exec(line) ?? []
    return port === undefined ? [] : [Number.parseInt(port, 16)]
  })
}

function findProgram(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/usr/sbin']
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}
