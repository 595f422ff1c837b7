import { dirname, isAbsolute, join } from 'node:path'

import { planRestore, type Repository, type RestorePlan } from '#engine'
import { isWithin, type Project } from '#model'
import { usecaseError } from '../errors.ts'
import { namesIn, type SnapshotLayout } from './layout.ts'

/** One folder that is written to. */
export interface FolderPlan {
  readonly what: string
  readonly target: string
  readonly plan: RestorePlan
  /** The plan anew, for a target that has changed since. */
  readonly planAgain: () => Promise<RestorePlan>
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
  const planAgain = (): Promise<RestorePlan> => planRestore(repository, request, signal)
  return {
    what: 'the snapshot',
    target: to,
    plan: await planAgain(),
    planAgain,
    databases: databasesIn(layout, '', to, include),
  }
}

/** Everything to where it was. Settings first, because the metadata of folders comes with the files. */
export async function planInPlace(
  { repository, id, tree, layout }: OpenSnapshot,
  project: Project,
  include: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<FolderPlan[]> {
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
    const request = {
      tree,
      strip,
      target,
      existing: 'overwrite',
      keepFolders,
      sweep: true,
      ...(!whole && { include: below }),
    } as const
    const planAgain = (): Promise<RestorePlan> => planRestore(repository, request, signal)
    const databases = databasesIn(layout, `${strip}/`, target, below)
    plans.push({ what, target, plan: await planAgain(), planAgain, databases })
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
