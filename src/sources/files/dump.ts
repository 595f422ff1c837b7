import { isAbsolute, resolve } from 'node:path'

import type { EntryKind } from '#engine'
import { placeOf } from '../placement.ts'
import { foldersAbove, rawPathOf, relativeTo, shownPath, type RawPath } from '../raw-path.ts'
import type { DumpContext, SourcePart, SourceType } from '../source.ts'
import { matchPatterns, matchWanted } from './pattern.ts'

export interface FilesOptions {
  /** The project's folder, absolute. */
  readonly path: string
  /** What to take: files, folders or patterns from the project's folder, or absolute ones. Absent: everything. */
  readonly wanted?: readonly string[]
  /** Taken although `wanted` does not name them: databases that were found. Relative to the project's folder. */
  readonly besides?: readonly RawPath[]
  /** Patterns, see `matchPatterns`. */
  readonly leaveOut: readonly string[]
}

/** Files and folders as they lie on disk, with their metadata. */
export const filesSource: SourceType<FilesOptions> = {
  describe: ({ path, wanted, leaveOut }) => ({
    takes: wanted ? wanted.map((entry) => resolve(path, entry)) : [`everything in ${path}`],
    leavesOut: [...(wanted ? [`everything else in ${path}`] : []), ...leaveOut],
  }),

  async *dump(options, context) {
    const { within, outside } = sorted(options)
    if (within === undefined || within.length > 0 || (options.besides?.length ?? 0) > 0)
      yield projectPart(options, within, context)
    for (const entry of outside) yield* outsideParts(entry, options, context)
    await reportMissing(options, within ?? [], context)
  },
}

/** Splits what is wanted into what lies in the project's folder (undefined: all of it) and what does not. */
function sorted({ path, wanted }: FilesOptions): { within: string[] | undefined; outside: string[] } {
  if (!wanted) return { within: undefined, outside: [] }
  const within: string[] = []
  const outside: string[] = []
  for (const entry of wanted) {
    const absolute = isAbsolute(entry) ? resolve(entry) : resolve(path, entry)
    const inside = relativeTo(resolve(path), absolute)
    if (absolute === resolve(path)) return { within: undefined, outside }
    if (inside === undefined) outside.push(absolute)
    else within.push(inside)
  }
  return { within, outside }
}

function projectPart(
  { path, besides, leaveOut }: FilesOptions,
  within: string[] | undefined,
  { host }: DumpContext,
): SourcePart {
  const unwanted = matchPatterns(leaveOut)
  const part = { at: 'files', path: rawPathOf(path) }
  if (!within) return host.folderPart({ ...part, leaveOut: unwanted })
  const wanted = matchWanted(within)
  const also = new Set(besides)
  const aboveThem = new Set((besides ?? []).flatMap((found) => [...foldersAbove(found)]))
  return host.folderPart({
    ...part,
    leaveOut: (relative: RawPath, kind: EntryKind) => {
      if (also.has(relative) || aboveThem.has(relative)) return false
      if (unwanted(relative, kind)) return true
      return !wanted.inside(relative) && !(kind === 'dir' && wanted.above(relative))
    },
  })
}

async function* outsideParts(
  absolute: string,
  { path, leaveOut }: FilesOptions,
  context: DumpContext,
): AsyncGenerator<SourcePart, void, void> {
  const raw = rawPathOf(absolute)
  const status = await context.host.findStatus(raw)
  const at = shownPath(placeOf(rawPathOf(resolve(path)), raw))
  if (!status) {
    context.report({ subject: absolute, severity: 'warning', text: 'It is not there, or its folder cannot be read' })
  } else if (status.kind === 'dir') {
    yield context.host.folderPart({ at, path: raw, leaveOut: matchPatterns(leaveOut) })
  } else {
    yield context.host.filePart(at, raw)
  }
}

/** A configured path that is not there is said, because a misspelt one would otherwise be left out without a word. */
async function reportMissing(options: FilesOptions, within: readonly string[], context: DumpContext): Promise<void> {
  for (const entry of within) {
    if (/[*?[]/.test(entry)) continue
    const path = resolve(options.path, entry)
    if (await context.host.findStatus(rawPathOf(path))) continue
    const text = 'The configuration names it under `files`, but it is not there'
    context.report({ subject: path, severity: 'warning', text })
  }
}
