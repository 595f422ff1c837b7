import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

import { collect, Secret, systemClock } from '#base'
import type { StreamContent } from '#engine'
import { isPostgresqlInstalled, startPostgresql, type PostgresqlServer } from '#sandbox'
import { dumpSource, loadDatabase, type Host, type PostgresqlOptions, type ServerAddress } from '#sources'
import { recordingContext, temporaryFolder, type RecordingContext } from '#sources/testing'

export const skip = !isPostgresqlInstalled() && 'needs the package postgresql'

/** Strange enough for password files, connection strings, shells and URLs; nothing may show it. */
export const password = `canary-5c1e: "q' \\ #$(x)=%41é`

/** The SQL that the documents give for the backup role, with this password in the place of theirs. */
export function documentedGrants(): string {
  const text = readFileSync(new URL('../../docs/operate/postgresql.md', import.meta.url), 'utf8')
  const sql = /```sql\n(create role bewaar[^]*?)```/.exec(text)?.[1]
  assert.ok(sql, 'docs/operate/postgresql.md gives the rights of the backup role')
  const literal = `'${password.replaceAll("'", "''")}'`
  return sql.replace(`'a long random password'`, () => literal)
}

/** A server with the backup role of the documents, and what is needed to dump from it and load into it. */
export interface Scene extends AsyncDisposable {
  readonly server: PostgresqlServer
  readonly context: RecordingContext
  /** Of the backup role, by TCP and with its password. */
  readonly address: ServerAddress
  /** Of the superuser, by the socket. */
  readonly administrator: ServerAddress
  /** A folder for what a test needs on disk. */
  readonly folder: string
  /** Dumps as the engine does: tries again when the source says so, and keeps nothing of what failed. */
  dump(database: string, options?: DumpOptions, signal?: AbortSignal): Promise<Buffer>
  open(database: string, options?: DumpOptions): Promise<StreamContent>
  dumpGlobals(database: string, options?: DumpOptions): Promise<Buffer>
  /** Makes an empty database and loads a dump into it, as the superuser. */
  load(dump: Uint8Array, database: string, options?: LoadOptions): Promise<void>
}

export interface DumpOptions extends Partial<PostgresqlOptions> {
  readonly host?: Host
}

export interface LoadOptions {
  readonly format?: 'plain' | 'custom'
  /** What follows CREATE DATABASE. */
  readonly settings?: string
}

export async function makeScene(settings: Readonly<Record<string, string>> = {}): Promise<Scene> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startPostgresql({ settings }))
  const folder = stack.use(await temporaryFolder())
  const context = recordingContext(folder.path)
  await server.run(documentedGrants())
  const address = { host: '127.0.0.1', port: server.port, user: 'bewaar', password: new Secret(password) }
  const administrator = { socket: server.socketFolder, port: server.port, user: server.superuser }

  const contents = async (database: string, { host, ...options }: DumpOptions): Promise<StreamContent[]> => {
    const databases = [{ name: database, at: 'database/dump.sql' }]
    const all: PostgresqlOptions = { connection: address, databases, format: 'plain', ...options }
    const source = { kind: 'postgresql', options: all } as const
    const parts = await Array.fromAsync(dumpSource(source, { ...context, ...(host && { host }) }))
    return parts.map((part) => {
      assert.ok(part.kind === 'content' && part.content.kind === 'stream')
      return part.content
    })
  }
  const open = async (database: string, options: DumpOptions = {}): Promise<StreamContent> =>
    (await contents(database, options))[0]!
  const staying = stack.move()
  return {
    server,
    context,
    address,
    administrator,
    folder: folder.path,
    open,
    dump: async (database, options, signal) => readContent(await open(database, options), signal),
    dumpGlobals: async (database, options) =>
      readContent((await contents(database, { globals: 'database/globals.sql', ...options }))[1]!),
    async load(dump, database, { format = 'plain', settings = '' } = {}) {
      await server.run(`create database ${quoteName(database)} ${settings}`)
      const target = { kind: 'postgresql', host: context.host, connection: administrator, database } as const
      const loading = { temporaryFolder: folder.path, clock: systemClock, progress: () => {} }
      const { method } = await loadDatabase(target, inPieces(dump), { format, replace: false }, loading)
      assert.equal(method, 'fill')
    },
    [Symbol.asyncDispose]: () => staying[Symbol.asyncDispose](),
  }
}

/** Bytes in pieces of a size that no line knows of. */
export async function* inPieces(bytes: Uint8Array, size = 65521): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

export async function readContent(content: StreamContent, signal?: AbortSignal): Promise<Buffer> {
  assert.equal(content.onFailure, 'abort')
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

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
