import { dirname, isAbsolute, join } from 'node:path'

import { performRestore, planRestore, removeLeftBehind, type PerformOptions, type Repository } from '#engine'
import { isWithin, type Project } from '#model'
import { removeJournals, type Host } from '#sources'
import { usecaseError } from '../errors.ts'
import type { TemporaryFolder } from '../services.ts'
import { namesIn, type SnapshotLayout } from './layout.ts'
import type { PlannedWrites, WrittenFolder } from './planned-writes.ts'
import { WritesElsewhere, writeElsewhere } from './write-elsewhere.ts'

/** One folder that is written to. */
export interface FolderPlan {
  readonly what: string
  readonly target: string
  readonly plan: PlannedWrites
  /** Whether all of it can lie beside its place until it may take that: nothing has to go first, and there is room for both. */
  readonly canWait: boolean
  readonly write: (how: HowToWrite, signal: AbortSignal) => Promise<WrittenFolder>
  /** Removes what restores that were killed have left beside it. */
  readonly clear: () => Promise<void>
  /** Databases that this puts in place, absolute. */
  readonly databases: readonly string[]
}

export interface HowToWrite {
  /** What may have changed the target since it was planned: an earlier step, or one that left everything ready beside its place. */
  readonly changedBy?: 'earlier' | 'waiting'
  readonly progress: (bytes: number, total: number) => void
  /** As `performRestore` has it; only when it `canWait`. */
  readonly beforeChange?: PerformOptions['beforeChange']
}

/** A snapshot that is open for reading. */
export interface OpenSnapshot {
  readonly repository: Repository
  /** Full id. */
  readonly id: string
  /** Hex id of its tree. */
  readonly tree: string
  readonly layout: SnapshotLayout
}

/** Everything as the snapshot holds it, into one folder. */
export async function planInto(
  { repository, tree, layout }: OpenSnapshot,
  to: string,
  options: { readonly include: readonly string[] | undefined; readonly delete: boolean },
  signal: AbortSignal,
): Promise<FolderPlan> {
  const { include } = options
  const request = {
    tree,
    target: to,
    existing: 'overwrite',
    sweep: true,
    delete: options.delete,
    ...(include && { include }),
  } as const
  const databases = databasesIn(layout, '', to, include)
  return await planHere(repository, request, { what: 'the snapshot', target: to, databases }, signal)
}

/** On this machine. */
async function planHere(
  repository: Repository,
  request: Parameters<typeof planRestore>[1],
  about: Pick<FolderPlan, 'databases' | 'target' | 'what'>,
  signal: AbortSignal,
): Promise<FolderPlan> {
  const first = await planRestore(repository, request, signal)
  return {
    ...about,
    plan: first,
    canWait: first.canWait(),
    write: async ({ changedBy, progress, beforeChange }, stop) => {
      // Because a plan holds for the target as it was seen; and what waits looks like what a killed restore has left.
      const again = { ...request, ...(changedBy === 'waiting' && { sweep: false }) }
      const plan = changedBy ? await planRestore(repository, again, stop) : first
      const removeLogs = (): void => about.databases.forEach(removeJournals)
      if (!beforeChange) removeLogs()
      const options: PerformOptions = {
        progress: (now) => progress(now.bytes, now.totalBytes),
        ...(beforeChange && { beforeChange: (findings) => beforeChange(findings).then(removeLogs) }),
      }
      return await performRestore(repository, plan, options, stop)
    },
    clear: async () => await removeLeftBehind(first),
  }
}

/** Where a project is. */
export interface ProjectPlace {
  readonly host: Host
  readonly temporary: TemporaryFolder
}

/** Everything to where it was. Settings first, because the metadata of folders comes with the files. */
export async function planInPlace(
  snapshot: OpenSnapshot,
  project: Project,
  include: readonly string[] | undefined,
  { host, temporary }: ProjectPlace,
  signal: AbortSignal,
): Promise<FolderPlan[]> {
  const { repository, id, tree, layout } = snapshot
  if (!layout.manifest || !layout.top.includes('files')) {
    throw usecaseError('restore.layout-unknown', { snapshot: id.slice(0, 8) })
  }
  const plans: FolderPlan[] = []
  const add = async (
    what: string,
    strip: string,
    target: string,
    wanted: readonly string[] | undefined,
  ): Promise<void> => {
    const below = wanted?.filter((path) => path === strip || path.startsWith(`${strip}/`))
    if (below?.length === 0) return
    const whole = !below || below.includes(strip)
    // Because the settings are a few files of folders whose metadata comes with the files.
    const keepFolders = strip === 'config'
    const databases = databasesIn(layout, `${strip}/`, target, below)
    const about = { what, target, databases }
    const request = { tree, strip, ...(!whole && { include: below }) } as const
    if (host.kind !== 'ssh') {
      const wish = { ...request, target, existing: 'overwrite', keepFolders, sweep: true } as const
      plans.push(await planHere(repository, wish, about, signal))
      return
    }
    const plan = await planRestore(repository, { ...request, target: join(temporary.path, 'none') }, signal)
    const folder = { snapshot, host, strip, keepFolders, target, databases, ...(!whole && { include: below }) }
    const writes = await WritesElsewhere.look(folder, plan)
    const write: FolderPlan['write'] = ({ progress }, stop) =>
      writeElsewhere(folder, writes, (bytes) => progress(bytes, writes.bytes), stop)
    plans.push({ ...about, plan: writes, canWait: false, write, clear: async () => {} })
  }
  if (layout.top.includes('config')) await add('settings and secrets', 'config', project.path, include)
  const outside = placesOutside(project)
  const inside = await withoutOutside(repository, tree, outside, include, signal)
  await add('files', 'files', project.path, inside)
  for (const path of outside) {
    const place = `files/+${path.slice(1)}`
    const [parent, name] = [dirname(place), place.slice(dirname(place).length + 1)]
    const names = await namesIn(repository, tree, parent.split('/'), signal)
    if (!names.some((known) => known.toString() === name)) continue
    const isFolder = (await namesIn(repository, tree, place.split('/'), signal)).length > 0
    if (isFolder) await add(path, place, path, include)
    else await add(path, parent, dirname(path), [place])
  }
  return plans
}

/** What the configuration takes from outside the project's folder; nothing else may be restored there. */
function placesOutside(project: Project): string[] {
  const paths = [
    ...(project.files ?? []),
    ...(project.databases ?? []).flatMap((one) => ('path' in one ? [one.path] : [])),
  ]
  return paths.filter((path) => isAbsolute(path) && !isWithin(path, project.path))
}

/** The files without those that belong elsewhere; undefined when nothing belongs elsewhere and all is wanted. */
async function withoutOutside(
  repository: Repository,
  tree: string,
  outside: readonly string[],
  include: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  if (outside.length === 0) return include
  const tops = new Set(outside.map((path) => `+${path.split('/')[1]!}`))
  if (include && !include.includes('files')) return include.filter((path) => !tops.has(path.split('/')[1] ?? ''))
  const names = await namesIn(repository, tree, ['files'], signal)
  const kept = names.map((name) => name.toString()).filter((name) => !tops.has(name))
  return [...(include ?? []).filter((path) => path !== 'files'), ...kept.map((name) => `files/${name}`)]
}

/** Of the databases below `prefix` those that are wanted, where they will be. */
function databasesIn(
  { manifest }: SnapshotLayout,
  prefix: string,
  target: string,
  include: readonly string[] | undefined,
): string[] {
  const isWanted = (path: string): boolean => include?.some((one) => path === one || path.startsWith(`${one}/`)) ?? true
  const artifacts = manifest?.artifacts ?? []
  return artifacts
    .filter(({ kind, path }) => kind === 'sqlite' && path.startsWith(prefix) && isWanted(path))
    .map(({ path }) => join(target, path.slice(prefix.length)))
}
