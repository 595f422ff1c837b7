import { randomHex } from '#base'
import type { Scene } from './ask.ts'
import { clientCall, loadFault } from './connection.ts'
import { demandRestrictable } from './plain-dump.ts'

/** Statements around a dump, each with its semicolon. */
export interface Around {
  readonly before: readonly string[]
  readonly after: readonly string[]
  /** Asked when the dump has passed and before what comes after it. @throws what keeps it from being taken. */
  readonly check: () => Promise<void> | void
}

/**
 * Plays SQL into a database by `psql`, which is told first to take no command of its own from it: a word of chance, that the
 * SQL cannot know, would have to end that. It stops at the first statement that fails.
 *
 * Inside of a transaction nothing of it stays unless all of it came, because the last word is ours.
 *
 * @throws `source.load-failed` with the server's words; `source.client-unsafe`; what the stream or `check` throws.
 */
export async function play(
  scene: Scene,
  sql: AsyncIterable<Uint8Array>,
  around: Around,
  signal?: AbortSignal,
): Promise<void> {
  demandRestrictable(scene.client, scene.host)
  const args = ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set=ON_ERROR_STOP=1', '--file=-']
  const call = clientCall(scene, scene.client.program('psql'), args)
  try {
    // because functions that the dump calls answer with rows
    for await (const _ of scene.host.stream({ ...call, input: script(sql, around) }, signal));
  } catch (thrown) {
    throw loadFault(thrown, scene)
  }
}

async function* script(
  sql: AsyncIterable<Uint8Array>,
  { before, after, check }: Around,
): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(`\\restrict ${randomHex(24)}\n${before.map((statement) => `${statement}\n`).join('')}`)
  yield* sql
  await check()
  yield Buffer.from(`\n${after.map((statement) => `${statement}\n`).join('')}`)
}
