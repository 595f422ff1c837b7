import { systemClock, type Clock } from '#base'
import type { Host } from '../host/host.ts'
import type { RawPath } from '../raw-path.ts'

/** JSON files that tools write or read; they hold settings and no records. */
const toolFiles = new RegExp(
  `^(?:${[
    '(?:package|composer|bower|deno|bun|turbo|nx|lerna|vercel|now|app|angular|firebase|netlify|renovate|biome|components)',
    '(?:package-lock|npm-shrinkwrap|composer-lock|pnpm-lock|deno-lock)',
    '[tj]sconfig(?:\\..+)?',
    '\\..+',
    '.+\\.(?:schema|config|code-workspace|webmanifest|map|test|spec|stories|snap)',
    '(?:manifest|openapi|swagger|nodemon|nest-cli|tslint|typedoc|babel|ecosystem|project|settings|launch|tasks)',
  ].join('|')})\\.json$`,
  'i',
)

/** Bytes: a larger file is no database of this kind, and would have to be held in memory. */
const sizeLimit = 64 * 1024 * 1024
/** How many files are read with care; beyond it, those that changed last. */
const countLimit = 2000

/** JSON files that may hold an application's data, by their names. */
export function mayHoldRecords(names: readonly RawPath[]): RawPath[] {
  return names.filter((name) => /\.json$/i.test(name) && !toolFiles.test(name))
}

/**
 * Chooses the files that are read with care. Paths are absolute.
 *
 * @param changedWithinMs - only those that were written to so recently.
 */
export async function chooseJson(
  host: Host,
  candidates: readonly RawPath[],
  changedWithinMs = Infinity,
  clock: Clock = systemClock,
): Promise<RawPath[]> {
  const oldest = clock.now() - changedWithinMs
  const files: { path: RawPath; changed: number }[] = []
  for (const path of candidates) {
    const status = await host.findStatus(path)
    const changed = Number((status?.mtimeNs ?? 0n) / 1_000_000n)
    if (status?.kind === 'file' && status.size <= sizeLimit && changed >= oldest) files.push({ path, changed })
  }
  if (files.length > countLimit) files.sort((a, b) => b.changed - a.changed).length = countLimit
  return files.map(({ path }) => path).sort()
}
