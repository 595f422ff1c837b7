import type { Host } from '../host/host.ts'
import { loadError } from '../load-errors.ts'
import type { Client } from './client.ts'
import { clientCall, loadFault, type Target } from './connection.ts'

/** Where something is asked or done, and by which programs. */
export interface Scene extends Target {
  readonly host: Host
  readonly client: Client
}

const options = ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set=ON_ERROR_STOP=1']

/**
 * Asks for one JSON value.
 *
 * @param question - SQL that gives one row of one column.
 * @throws `source.database-missing`, `source.server-unreachable`; `source.load-failed` when there is no answer.
 */
export async function askJson<T>(scene: Scene, question: string, signal?: AbortSignal): Promise<T> {
  // A search path of its own, because tables of the database could otherwise stand in for those of the catalog.
  const before = `begin read only; set local search_path = pg_catalog; set local statement_timeout = '600s'`
  const args = [...options, `--command=${before}; ${question}; commit`]
  try {
    return JSON.parse(await scene.host.run(clientCall(scene, scene.client.program('psql'), args), signal)) as T
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw loadFault(thrown, scene)
    const reason = 'the server did not say what it holds'
    throw loadError('source.load-failed', { database: scene.database, reason }, thrown)
  }
}

/** Runs statements, each by itself, up to the first that fails. @throws `source.load-failed`. */
export async function execute(scene: Scene, statements: readonly string[], signal?: AbortSignal): Promise<void> {
  const args = [...options, ...statements.map((statement) => `--command=${statement}`)]
  try {
    await scene.host.run(clientCall(scene, scene.client.program('psql'), args), signal)
  } catch (thrown) {
    throw loadFault(thrown, scene)
  }
}

export function quotedName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/** A text as SQL writes it, whatever the server takes a backslash for. */
export function quotedText(text: string): string {
  const doubled = text.replaceAll("'", "''")
  return doubled.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}
