import { setImmediate } from 'node:timers/promises'

import { systemCode } from '#base'
import type { PathMatcher } from './files/pattern.ts'
import type { Host, HostEntry } from './host/host.ts'
import { bytesOf, rawPathOf, type RawPath } from './raw-path.ts'
import { sourceError } from './errors.ts'

/** What one look through a project's folder found. Paths are relative to it. */
export interface Survey {
  /** Files by the name of the question that chose them; a file may be in several lists. */
  readonly found: Readonly<Record<string, readonly RawPath[]>>
  /** Folders that were not entered because of the patterns. */
  readonly leftOut: readonly RawPath[]
}

/** Chooses files by their names, of all the files of one folder. */
export type Question = (names: readonly RawPath[]) => readonly RawPath[]

/** Folders read before others get a turn. */
const folderBatch = 64

/**
 * Looks through a folder once and gives the files that each question chose, sorted. Links are not followed, and no
 * file is opened.
 *
 * A folder that cannot be read is passed over: the archive meets it too, and reports it.
 *
 * @throws `source.missing` when `path` itself is not a folder that can be read.
 */
export async function survey(
  host: Host,
  path: string,
  leaveOut: PathMatcher,
  questions: Readonly<Record<string, Question>>,
  signal?: AbortSignal,
): Promise<Survey> {
  const found = Object.fromEntries(Object.keys(questions).map((key): [string, RawPath[]] => [key, []]))
  const leftOut: RawPath[] = []
  const root = rawPathOf(path)
  const waiting: RawPath[] = ['']
  for (let count = 0; waiting.length > 0; count++) {
    if (count % folderBatch === 0) {
      await setImmediate()
      signal?.throwIfAborted()
    }
    const folder = waiting.pop()!
    const files: RawPath[] = []
    const start = folder === '' ? '' : `${folder}/`
    for (const entry of await entriesOf(host, root, folder)) {
      if (entry.kind === 'file') files.push(entry.name)
      else if (entry.kind !== 'dir') continue
      else if (leaveOut(start + entry.name, 'dir')) leftOut.push(start + entry.name)
      else waiting.push(start + entry.name)
    }
    for (const [key, question] of Object.entries(questions)) {
      for (const name of question(files)) {
        if (!leaveOut(start + name, 'file')) found[key]!.push(start + name)
      }
    }
  }
  for (const list of [...Object.values(found), leftOut]) list.sort()
  return { found, leftOut }
}

async function entriesOf(host: Host, root: RawPath, folder: RawPath): Promise<readonly HostEntry[]> {
  try {
    return await host.list(folder === '' ? root : `${root.replace(/\/$/, '')}/${folder}`)
  } catch (thrown) {
    const reason = systemCode(thrown)
    if (reason === undefined) throw thrown
    if (folder === '') throw sourceError('source.missing', { path: bytesOf(root).toString() }, thrown)
    return []
  }
}
