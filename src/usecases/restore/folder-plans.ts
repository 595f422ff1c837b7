import { dirname, isAbsolute, join } from 'node:path'

import { performRestore, planRestore, type Repository } from '#engine'
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
  /** @param isChanged - the target may have changed since it was planned. */
  readonly write: (
    isChanged: boolean,
    progress: (bytes: number, total: number) => void,
    signal: AbortSignal,
  ) => Promise<WrittenFolder>
  /** Databases that this puts in place, absolute. */
  readonly databases: readonly string[]
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
    write: async (isChanged, progress, stop) => {
      // Because a plan holds for the target as it was seen.
      const plan = isChanged ? await planRestore(repository, request, stop) : first
      for (const database of about.databases) removeJournals(database)
      const told = { progress: (now: { bytes: number; totalBytes: number }) => progress(now.bytes, now.totalBytes) }
      return await performRestore(repository, plan, told, stop)
    },
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
    const write: FolderPlan['write'] = (_, progress, stop) =>
      writeElsewhere(folder, writes, (bytes) => progress(bytes, writes.bytes), stop)
    plans.push({ ...about, plan: writes, write })
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
