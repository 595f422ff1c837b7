import { placeOf } from '../placement.ts'
import { rawPathOf, shownPath, type RawPath } from '../raw-path.ts'
import { listed, type DumpContext, type SourceType } from '../source.ts'
import { readStable } from './read-stable.ts'

export interface JsonOptions {
  /** The project's folder, absolute. */
  readonly path: string
  /** Absolute. */
  readonly databases: readonly RawPath[]
  /** Whether they are databases, to be counted in the manifest, or just files that may be written to at the moment. */
  readonly counted: boolean
}

/** JSON files that an application writes to while it runs: read until they are whole, at their own place. */
export const jsonSource: SourceType<JsonOptions> = {
  describe: ({ databases, counted }) => {
    if (counted) {
      return { takes: listed(databases, (path) => `JSON database ${path}, read until it is whole`), leavesOut: [] }
    }
    const takes = databases.length === 0 ? [] : [`${databases.length} JSON files that changed lately, read until whole`]
    return { takes, leavesOut: [] }
  },

  async *dump({ path, databases, counted }, context) {
    for (const database of databases) {
      const place = placeOf(rawPathOf(path), database)
      yield {
        kind: 'replace',
        path: database,
        content: {
          kind: 'stream',
          open: (signal) => streamJson({ database, place: counted ? place : undefined }, context, signal),
        },
      }
    }
  },
}

async function* streamJson(
  { database, place }: { readonly database: RawPath; readonly place: RawPath | undefined },
  context: DumpContext,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const { bytes, state, document } = await readStable(context.host, database, signal)
  if (state === 'unsettled') {
    const text =
      'It was being written to for seconds and was never a whole JSON document; it is kept as it was read last'
    context.report({ subject: shownPath(database), severity: 'warning', text })
  }
  if (place !== undefined && document !== undefined) {
    context.record({ path: place, kind: 'json', rows: countRecords(document), facts: {} })
  }
  yield bytes
}

/**
 * How much a document holds: the length of a list (`records`); of each list or map in a map of such (by its name); or
 * the number of keys (`records`).
 */
export function countRecords(document: unknown): Record<string, number> {
  if (Array.isArray(document)) return { records: document.length }
  if (document === null || typeof document !== 'object') return { records: 1 }
  const entries = Object.entries(document)
  const isMapOfLists = entries.length > 0 && entries.every(([, value]) => Array.isArray(value))
  if (!isMapOfLists) return { records: entries.length }
  return Object.fromEntries(entries.map(([name, list]) => [name, (list as unknown[]).length]))
}
