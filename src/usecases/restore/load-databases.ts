import { AppError } from '#base'
import type { Finding, Project } from '#model'
import { loadDatabase, loadGlobals, undoLoad, type LoadResult, type LoadTarget, type WayBack } from '#sources'
import type { Services } from '../services.ts'
import type { OpenSnapshot } from './folder-plans.ts'
import { formatOf, openDump, type ServerDump } from './server-databases.ts'

/** What loading one database came to. */
export interface LoadedDatabase {
  readonly bytes: number
  readonly rows: number
  readonly findings: readonly Finding[]
  readonly wayBack: WayBack
}

/**
 * Loads one dump in the place of what is there.
 *
 * @param keep - told how to go back before the first change.
 */
export async function loadDump(
  services: Pick<Services, 'clock' | 'progress' | 'temporaryFolder'>,
  project: Project,
  dump: ServerDump,
  options: {
    readonly snapshot: OpenSnapshot
    readonly tables: readonly string[]
    readonly keep: (wayBack: WayBack) => Promise<void>
    /** Awaited before it takes the place of what is there, where the load can wait. */
    readonly beforeSwap?: () => Promise<void>
  },
  signal: AbortSignal,
): Promise<LoadedDatabase> {
  const { artifact, name, target } = dump
  await using temporary = await services.temporaryFolder()
  let done = 0
  const progress = (bytes: number): void => {
    done += bytes
    const about = { label: `${project.name}: loading ${name}`, unit: 'bytes' } as const
    services.progress({ ...about, done, total: artifact.bytes })
  }
  const { facts, rows } = artifact
  const owner = facts?.['owner']
  const result: LoadResult = await loadDatabase(
    target,
    await openDump(options.snapshot, artifact, signal),
    {
      format: formatOf(artifact),
      replace: true,
      ...(options.tables.length > 0 && { tables: options.tables }),
      ...(typeof owner === 'string' && owner !== '' && { owner }),
      ...(rows && { rows }),
      ...(facts && { facts }),
    },
    {
      temporaryFolder: temporary.path,
      clock: services.clock,
      progress,
      onWayBack: options.keep,
      ...(options.beforeSwap && { beforeSwap: options.beforeSwap }),
    },
    signal,
  )
  return {
    bytes: result.bytes,
    rows: Object.values(result.rows).reduce((sum, count) => sum + count, 0),
    findings: result.findings.map((finding) => ({ project: project.name, ...finding })),
    wayBack: result.wayBack,
  }
}

/** Makes the roles or users that a dump needs and the server has not; passwords only when asked. */
export async function loadRoles(
  project: Project,
  dump: ServerDump,
  options: { readonly snapshot: OpenSnapshot; readonly passwords: boolean },
  signal: AbortSignal,
): Promise<Finding[]> {
  const { roles } = dump.report.missing
  const { findings } = await loadGlobals(
    dump.target,
    await openDump(options.snapshot, globalsOf(dump, options.snapshot), signal),
    { passwords: options.passwords, only: roles },
    signal,
  )
  return findings.map((finding) => ({ project: project.name, ...finding }))
}

function globalsOf({ globals }: ServerDump, { layout }: OpenSnapshot): { path: string; sha256?: string } {
  return layout.manifest!.artifacts.find(({ path }) => path === globals)!
}

/** Brings back what the server kept. @returns false when only a safety backup leads back. */
export async function swapBack(target: LoadTarget, wayBack: WayBack, signal: AbortSignal): Promise<boolean> {
  try {
    await undoLoad(target, wayBack, signal)
    return true
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'source.no-way-back') return false
    throw thrown
  }
}

/** Under which name the server keeps what was there; undefined when it keeps nothing. */
export function keptBy(wayBack: WayBack): string | undefined {
  return wayBack.how === 'swap' || wayBack.how === 'tables' ? wayBack.before : undefined
}
