import { rawPathOf } from '../raw-path.ts'
import type { DumpContext } from '../source.ts'
import { findClient, fittingClient, type Client } from './client.ts'
import { clientCall, quoteValue, type Target } from './connection.ts'
import { PlainWatcher } from './count-copy.ts'
import { inspectPostgresql, type Inspection } from './inspect.ts'
import { explain, watched } from './watched.ts'

/** What was learnt of a server by whoever asked it before. */
export interface Asked {
  readonly client: Client
  readonly seen: Pick<Inspection, 'version' | 'readsRolePasswords'>
}

/**
 * Roles, their memberships and tablespaces of a server, as `pg_dumpall` gives them. They are small: a dump of a database
 * fetches them beside its own, so that nothing waits for them afterwards.
 */
export class Globals {
  readonly #target: Target
  readonly #at: string
  readonly #context: DumpContext
  #asked: Asked | undefined
  #fetching: Promise<readonly Uint8Array[]> | undefined
  #stop = new AbortController()

  /** @param target - any database of the server: roles can be seen from each. @param at - their path in the snapshot. */
  constructor(target: Target, at: string, context: DumpContext) {
    this.#target = target
    this.#at = at
    this.#context = context
  }

  /** Begins to fetch them, unless that was begun; what comes of it says `stream`. */
  begin(asked: Asked, signal?: AbortSignal): void {
    if (this.#fetching) return
    this.#asked = asked
    const stop = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    this.#fetching = Array.fromAsync(this.#read(asked, stop))
    this.#fetching.catch(() => {}) // because `stream` says it
  }

  /** Nobody wants them any more, or not yet. */
  async cancel(): Promise<void> {
    this.#stop.abort()
    await this.#fetching?.catch(() => {}) // because it was to fail
    this.#fetching = undefined
    this.#stop = new AbortController()
  }

  /** @throws `source.dump-incomplete`, and what keeps the server from being asked. */
  async *stream(signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    if (!this.#fetching) this.begin(await this.#ask(signal), signal)
    const pieces = await this.#fetching!
    const { client, seen } = this.#asked!
    if (!seen.readsRolePasswords) {
      const text = 'Roles are kept without their passwords, because the backup user may not read pg_authid'
      this.#context.report({ subject: this.#at, severity: 'notice', text })
    }
    yield* pieces
    const rolePasswords = seen.readsRolePasswords ? 'yes' : 'no'
    this.#context.record({
      path: rawPathOf(this.#at),
      kind: 'globals',
      facts: { server: seen.version, client: client.version, rolePasswords },
    })
  }

  async #ask(signal?: AbortSignal): Promise<Asked> {
    const { host } = this.#context
    const asking = await findClient(host, signal)
    const seen = await inspectPostgresql(host, asking, this.#target, [], signal)
    return { client: await fittingClient(host, asking, seen.version, signal), seen }
  }

  async *#read({ client, seen }: Asked, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const args = ['--globals-only', `--database=dbname=${quoteValue(this.#target.database)}`]
    if (!seen.readsRolePasswords) args.push('--no-role-passwords')
    const call = clientCall(this.#target, client.program('pg_dumpall'), args)
    try {
      yield* watched(this.#context.host, call, new PlainWatcher('globals'), signal)
    } catch (thrown) {
      throw explain(thrown, this.#target)
    }
  }
}
