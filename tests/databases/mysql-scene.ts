import assert from 'node:assert/strict'
import { inspect } from 'node:util'

import { collect, Secret, systemClock } from '#base'
import type { ContentPart } from '#engine'
import { isMariadbInstalled, startMariadb, type MariadbServer } from '#sandbox'
import {
  dumpSources,
  loadDatabase,
  type LoadResult,
  type MysqlOptions,
  type ProgramCall,
  type ServerAddress,
} from '#sources'
import { recordingContext, temporaryFolder, type RecordingContext } from '#sources/testing'

export const skip = !isMariadbInstalled() && 'needs the package mariadb-server'

/** What the documents say the backup user is granted, for a database of this name as it stands in a GRANT. */
export function documentedGrants(database: string): string {
  return `grant select, show view, trigger, event on ${database}.* to 'bewaar'@'localhost', 'bewaar'@'127.0.0.1';
    grant select on mysql.* to 'bewaar'@'localhost', 'bewaar'@'127.0.0.1';`
}

/** Strange enough for option files, shells and URLs. */
export const password = `canary-7f3a "q' #;\\n\\\\ $(x)=%41é`

/** A server with a user that has exactly the documented grants. */
export interface Scene extends AsyncDisposable {
  readonly server: MariadbServer
  readonly context: RecordingContext
  /** Of the backup user. */
  readonly address: ServerAddress
  /** Of the superuser. */
  readonly administrator: ServerAddress
  /** Makes an empty database that the backup user may read. */
  createDatabase(name: string, settings?: string): Promise<void>
  /** @param environment - what the programs find on the host in addition: `PATH`, `HOME` … */
  part(
    name: string,
    options?: Partial<MysqlOptions>,
    environment?: Readonly<Record<string, string>>,
  ): Promise<ContentPart>
  /** Dumps as the engine does: tries again when the source says so, and keeps nothing of what failed. */
  dump(name: string, options?: Partial<MysqlOptions>, signal?: AbortSignal): Promise<Buffer>
  dumpGrants(address?: ServerAddress): Promise<Buffer>
  /** Loads a dump into an empty database, as the superuser. */
  load(dump: Uint8Array | AsyncIterable<Uint8Array>, database: string): Promise<LoadResult>
}

export async function makeScene(settings: Readonly<Record<string, string>> = {}): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startMariadb({ settings }))
  const folder = stack.use(await temporaryFolder())
  const context = recordingContext(folder.path)
  const literal = `'${password.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
  for (const host of ['localhost', '127.0.0.1'])
    await server.run(`create user bewaar@'${host}' identified by ${literal}`)
  const address = { socket: server.socket, user: 'bewaar', password: new Secret(password) }
  const administrator = { socket: server.socket, user: server.superuser }
  const part: Scene['part'] = async (name, options, environment = {}) => {
    const [found] = await partsOf(withEnvironment(context, environment), {
      connection: address,
      databases: [{ name, at: 'database/dump.sql' }],
      driver: 'mariadb',
      ...options,
    })
    return found!
  }
  const stayingOpen = stack.move()
  return {
    server,
    context,
    address,
    administrator,
    async createDatabase(name, how = '') {
      const quoted = `\`${name.replaceAll('`', '``')}\``
      const escaped = quoted.replace(/[_%\\]/g, (char) => `\\${char}`)
      await server.run(`create database ${quoted} ${how}; ${documentedGrants(escaped)}`)
    },
    part,
    dump: async (name, options, signal) => readPart(await part(name, options), signal),
    async dumpGrants(connection = address) {
      const [found] = await partsOf(context, {
        connection,
        databases: [],
        driver: 'mariadb',
        grants: 'database/globals.sql',
      })
      return readPart(found!)
    },
    load(dump, database) {
      const target = { kind: 'mysql', host: context.host, connection: administrator, database } as const
      const loading = { temporaryFolder: folder.path, clock: systemClock, progress: () => {} }
      const stream = dump instanceof Uint8Array ? inPieces(dump) : dump
      return loadDatabase(target, stream, { format: 'plain', replace: false }, loading)
    },
    [Symbol.asyncDispose]: () => stayingOpen[Symbol.asyncDispose](),
  }
}

function withEnvironment(context: RecordingContext, environment: Readonly<Record<string, string>>): RecordingContext {
  const { host } = context
  const there = (call: ProgramCall): ProgramCall => ({ ...call, environment: { ...call.environment, ...environment } })
  return {
    ...context,
    host: {
      ...host,
      stream: (call, signal) => host.stream(there(call), signal),
      run: (call, signal) => host.run(there(call), signal),
    },
  }
}

/** Whether a value shows nothing of the backup user's password, however deep one looks. */
export function isPrivate(value: unknown): boolean {
  return !inspect(value, { depth: 20, showHidden: true }).includes('canary-7f3a')
}

async function partsOf(context: RecordingContext, options: MysqlOptions): Promise<ContentPart[]> {
  const parts = await dumpSources('/nonexistent', [{ kind: 'mysql', options }], context)
  return parts.filter((part) => part.kind === 'content')
}

/** Bytes in pieces of a size that no line knows of. */
export async function* inPieces(bytes: Uint8Array, size = 65521): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function readPart({ content }: ContentPart, signal?: AbortSignal): Promise<Buffer> {
  assert.ok(content.kind === 'stream')
  for (let attempt = 1; ; attempt++) {
    try {
      return Buffer.from(await collect(content.open(signal)))
    } catch (thrown) {
      if (!(await content.retry?.(thrown, attempt))) throw thrown
    }
  }
}

/** What the last dump recorded. */
export function lastArtifact({ context }: Scene): RecordingContext['artifacts'][number] {
  return context.artifacts.at(-1)!
}
