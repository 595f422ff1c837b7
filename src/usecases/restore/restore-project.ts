import { dirname, isAbsolute, join } from 'node:path'

import { AppError, randomHex, textOf } from '#base'
import { check, performRestore, planRestore, type Repository, type RestorePlan, type RestoreResult } from '#engine'
import {
  formatHost,
  isWithin,
  type Finding,
  type KnownSnapshot,
  type Project,
  type RestoreRecord,
  type Vault,
} from '#model'
import { loadGit, localHost, rawPathOf, removeJournals } from '#sources'
import { usecaseError } from '../errors.ts'
import { whoOf, type Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault, type OpenedVault } from '../vaults/open-vault.ts'
import { chooseBackup, type Wanted } from './choose-backup.ts'
import { namesIn, pathsOf, readLayout, type RestorablePart, type SnapshotLayout } from './layout.ts'

export interface RestoreRequest {
  readonly wanted: Wanted
  readonly vault?: Vault | undefined
  /** A folder that gets the snapshot as it is. Absent: everything goes back to its own place. */
  readonly to?: string | undefined
  /** Parts of the project; all of them when the list is empty. */
  readonly only: readonly RestorablePart[]
  /** Paths in the snapshot, or relative to the project's folder; everything when the list is empty. */
  readonly paths: readonly string[]
}

/** What a restore would do, for a person to agree to. */
export interface RestorePreview {
  readonly project: string
  readonly vault: string
  readonly snapshot: string
  /** Milliseconds since 1970. */
  readonly time: number
  readonly inPlace: boolean
  readonly steps: readonly {
    readonly what: string
    readonly target: string
    readonly created: number
    readonly overwritten: number
    readonly unchanged: number
    readonly bytes: number
  }[]
  /** Whether `.git` is made anew, because the project has lost it. */
  readonly git: boolean
  /** Whether something that is there now will not be there afterwards. */
  readonly overwrites: boolean
  /** Files that will be overwritten, the first of them. */
  readonly examples: readonly string[]
  readonly findings: readonly Finding[]
  /** Vaults that could not be looked at. */
  readonly troubles: readonly { readonly vault: string; readonly error: unknown }[]
}

export interface RestoreReport extends RestorePreview {
  readonly status: 'complete' | 'incomplete'
  readonly files: number
  readonly bytes: number
  readonly seconds: number
}

/** A plan that holds its repository locked until it is performed or dropped. */
export interface PreparedRestore extends AsyncDisposable {
  readonly preview: RestorePreview
  perform(signal: AbortSignal): Promise<RestoreReport>
}

interface Step {
  readonly what: string
  readonly plan: RestorePlan
  /** The plan anew, for a target that has changed since. */
  readonly planAgain: () => Promise<RestorePlan>
  /** Databases that this step puts in place, absolute. */
  readonly databases: readonly string[]
}

type Needed = PlaceServices & Pick<Services, 'catalog' | 'hostname' | 'progress' | 'username'>

const examplesShown = 10

/**
 * Finds out what restoring a project would do; nothing is changed before `perform` is called.
 *
 * @throws `restore.no-backup`; `restore.layout-unknown` for a snapshot of another program without `to`;
 * `restore.path-missing`; what keeps the vault from being read.
 */
export async function prepareRestore(
  services: Needed,
  project: Project,
  request: RestoreRequest,
  signal: AbortSignal,
): Promise<PreparedRestore> {
  if (request.to === undefined && project.on) {
    throw usecaseError('restore.elsewhere', { project: project.name, place: formatHost(project.on) })
  }
  const { vault, snapshot, troubles } = await chooseBackup(services, project, request.wanted, request.vault, signal)
  await using guard = new AsyncDisposableStack()
  const opened = guard.use(await openVault(services, vault, project.name, signal))
  const unlock = await opened.repository.lockToRead(signal)
  if (unlock) guard.use(unlock)
  const unreadable = await opened.repository.loadReadableIndex(signal)
  const { snapshot: stored } = await opened.repository.findSnapshot(snapshot.id, signal)
  const layout = await readLayout(opened.repository, stored.tree, signal)
  const include = includedPaths(request, layout, snapshot, project)
  const steps =
    request.to === undefined
      ? await planInPlace(opened.repository, stored.tree, layout, project, include, snapshot, signal)
      : [await planFolder(opened.repository, stored.tree, request.to, include, layout, signal)]
  const git =
    request.to === undefined && (await isGitMadeAnew(opened.repository, stored.tree, layout, project, include))
  if (steps.length === 0 && !git) throw usecaseError('restore.no-place', { paths: request.paths.join(', ') })
  const planned = previewOf(project, vault, snapshot, request, steps, troubles)
  const leftOut = unreadable.map(({ message }) => leftOutIndex(vault, project, message))
  const findings = [...leftOut, ...planned.findings, ...dumpsNotLoaded(layout, request, include, project)]
  const preview = { ...planned, findings, git }
  const held = guard.move()
  return {
    preview,
    perform: (stop) => performSteps(services, project, opened, stored.tree, layout, preview, steps, stop),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

/** What only that file names is not found, and told besides. */
function leftOutIndex({ name }: Vault, project: Project, message: string): Finding {
  const text = `${message}; it was left out, and \`bewaar verify\` tells what that means`
  return { vault: name, project: project.name, subject: 'index', severity: 'warning', text }
}

function includedPaths(
  request: RestoreRequest,
  layout: SnapshotLayout,
  snapshot: KnownSnapshot,
  project: Project,
): string[] | undefined {
  if (request.only.length === 0 && request.paths.length === 0) return undefined
  const parts = request.only.map((part) => {
    const paths = pathsOf(part, layout)
    if (paths.length > 0) return paths
    throw usecaseError('restore.part-missing', { snapshot: snapshot.id.slice(0, 8), part, project: project.name })
  })
  const named = request.paths.map((path) => {
    const clean = path.replace(/^\/+|\/+$/g, '')
    const isOfSnapshot = layout.top.includes(clean.split('/')[0]!) || !layout.top.includes('files')
    return isOfSnapshot ? clean : `files/${clean}`
  })
  return [...parts.flat(), ...named]
}

async function planFolder(
  repository: Repository,
  tree: string,
  to: string,
  include: readonly string[] | undefined,
  layout: SnapshotLayout,
  signal: AbortSignal,
): Promise<Step> {
  const request = { tree, target: to, existing: 'overwrite', ...(include && { include }) } as const
  const planAgain = (): Promise<RestorePlan> => planRestore(repository, request, signal)
  const databases = databasesIn(layout, '', to, include)
  return { what: 'the snapshot', plan: await planAgain(), planAgain, databases }
}

/** Whether the history comes from the bundle: it is wanted, the project has no `.git`, and the files bring none. */
async function isGitMadeAnew(
  repository: Repository,
  tree: string,
  { top }: SnapshotLayout,
  project: Project,
  include: readonly string[] | undefined,
): Promise<boolean> {
  if (!top.includes('git') || (include && !include.includes('git'))) return false
  if (await localHost('/').findStatus(rawPathOf(join(project.path, '.git')))) return false
  const names = await namesIn(repository, tree, ['files'])
  return !names.some((name) => name.toString() === '.git')
}

/** Settings first, because the metadata of folders comes with the files. */
async function planInPlace(
  repository: Repository,
  tree: string,
  layout: SnapshotLayout,
  project: Project,
  include: readonly string[] | undefined,
  snapshot: KnownSnapshot,
  signal: AbortSignal,
): Promise<Step[]> {
  if (!layout.manifest || !layout.top.includes('files')) {
    throw usecaseError('restore.layout-unknown', { snapshot: snapshot.id.slice(0, 8) })
  }
  const steps: Step[] = []
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
      ...(!whole && { include: below }),
    } as const
    const planAgain = (): Promise<RestorePlan> => planRestore(repository, request, signal)
    const databases = databasesIn(layout, `${strip}/`, target, below)
    steps.push({ what, plan: await planAgain(), planAgain, databases })
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
  return steps
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

/** A dump goes back into a server by its own client; until that is done for people, they are told. */
function dumpsNotLoaded(
  { manifest }: SnapshotLayout,
  { to }: RestoreRequest,
  include: readonly string[] | undefined,
  project: Project,
): Finding[] {
  const dumps = manifest?.artifacts.filter(({ kind }) => kind === 'postgresql' || kind === 'mysql') ?? []
  if (to !== undefined || (include && !include.includes('database'))) return []
  const text =
    'a dump is not loaded into its server here; restore it with `--to`, RESTORE.md beside it says how to load it'
  return dumps.map(({ path }) => ({ project: project.name, subject: path, severity: 'warning', text }))
}

function previewOf(
  project: Project,
  vault: Vault,
  snapshot: KnownSnapshot,
  request: RestoreRequest,
  steps: readonly Step[],
  troubles: RestorePreview['troubles'],
): Omit<RestorePreview, 'git'> {
  const examples: string[] = []
  for (const { plan } of steps) {
    for (const { path } of plan.changes('overwrite')) {
      if (examples.length === examplesShown) break
      examples.push(join(plan.target.toString(), path.toString()))
    }
  }
  const about = { vault: vault.name, project: project.name }
  return {
    ...about,
    snapshot: snapshot.id,
    time: snapshot.time,
    inPlace: request.to === undefined,
    steps: steps.map(({ what, plan }) => ({
      what,
      target: plan.target.toString(),
      created: plan.counts.created + plan.counts.folders,
      overwritten: plan.counts.overwritten,
      unchanged: plan.counts.unchanged,
      bytes: plan.bytes,
    })),
    overwrites: steps.some(({ plan }) => plan.counts.overwritten > 0),
    examples,
    findings: steps.flatMap(({ plan }) => plan.findings.map((finding) => fromEngine(finding, about))),
    troubles,
  }
}

async function performSteps(
  services: Needed,
  project: Project,
  { repository, vault }: OpenedVault,
  tree: string,
  layout: SnapshotLayout,
  preview: RestorePreview,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<RestoreReport> {
  const { clock } = services
  const startedAt = clock.now()
  const began = clock.monotonic()
  const results: RestoreResult[] = []
  const about = { vault: vault.name, project: project.name }
  const record = (status: RestoreRecord['status'], findings: readonly Finding[]): Promise<void> =>
    keep(services, preview, startedAt, status, results, findings)
  try {
    if (preview.overwrites) await verifyFirst(services, project, repository, steps, signal)
    // Before the files, because they bring the times of the folder that .git is made in.
    const findings = preview.git ? await restoreGit(services, project, repository, tree, layout, signal) : []
    let hasNewFolders = preview.git
    for (const step of steps) {
      // Because a plan made before says that folders are missing which an earlier step has made.
      const plan: RestorePlan = hasNewFolders ? await step.planAgain() : step.plan
      hasNewFolders ||= plan.counts.folders > 0
      for (const database of step.databases) removeJournals(database)
      const progress = { label: `${project.name}: restoring ${step.what}`, unit: 'bytes' } as const
      const result = await performRestore(
        repository,
        plan,
        { progress: ({ bytes, totalBytes }) => services.progress({ ...progress, done: bytes, total: totalBytes }) },
        signal,
      )
      results.push(result)
    }
    findings.push(...preview.findings.filter(({ subject }) => subject.startsWith('database/')))
    findings.push(...results.flatMap((result) => result.findings.map((finding) => fromEngine(finding, about))))
    const status = findings.some(({ severity }) => severity !== 'notice') ? 'incomplete' : 'complete'
    await record(status, findings)
    return {
      ...preview,
      status,
      findings,
      files: results.reduce((sum, { files }) => sum + files, 0),
      bytes: results.reduce((sum, { bytes }) => sum + bytes, 0),
      seconds: (clock.monotonic() - began) / 1000,
    }
  } catch (thrown) {
    const finding: Finding = { ...about, subject: 'restore', severity: 'warning', text: textOf(thrown) }
    await record(signal.aborted ? 'cancelled' : 'failed', [finding])
    throw thrown
  }
}

/** Before anything is overwritten, every byte that will be written is read and verified. @throws `restore.damaged`. */
async function verifyFirst(
  services: Pick<Services, 'progress'>,
  project: Project,
  repository: Repository,
  steps: readonly Step[],
  signal: AbortSignal,
): Promise<void> {
  const ids = new Set(steps.flatMap(({ plan }) => plan.layout.packs))
  const planned = steps.flatMap(({ plan }) => plan.findings.filter(({ severity }) => severity === 'damage'))
  const { findings } = await check(
    repository,
    {
      packs: { ids },
      onProgress: ({ packs, packsToRead }) =>
        services.progress({ label: `${project.name}: verifying`, done: packs, total: packsToRead, unit: 'items' }),
    },
    signal,
  )
  const damage = findings.filter(({ severity, subject }) => severity === 'damage' && concerns(subject, ids))
  const [first] = [
    ...planned.map(({ path, text }) => `${path} ${text}`),
    ...damage.map(({ subject, text }) => `${subject} ${text}`),
  ]
  if (first !== undefined) throw usecaseError('restore.damaged', { count: planned.length + damage.length, first })
}

/** Damage elsewhere in the repository does not concern this restore. */
function concerns(subject: string, packs: ReadonlySet<string>): boolean {
  const pack = /^pack ([0-9a-f]+)/.exec(subject)?.[1]
  return pack !== undefined && packs.values().some((id) => id.startsWith(pack))
}

/** Makes `.git` anew. */
async function restoreGit(
  services: Pick<Services, 'temporaryFolder'>,
  project: Project,
  repository: Repository,
  tree: string,
  { owner }: SnapshotLayout,
  signal: AbortSignal,
): Promise<Finding[]> {
  await using folder = await services.temporaryFolder()
  const from = join(folder.path, 'git')
  const result = await performRestore(
    repository,
    await planRestore(repository, { tree, strip: 'git', target: from }, signal),
    {},
    signal,
  )
  const about = { project: project.name, subject: 'git' }
  if (result.findings.some(({ severity }) => severity !== 'notice')) {
    return [
      { ...about, severity: 'warning', text: 'the bundle could not be read from the vault, so .git was not made anew' },
    ]
  }
  try {
    await loadGit({ from, to: project.path, owner }, signal)
    return []
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    if (thrown.code === 'source.repository-exists') return []
    return [{ ...about, severity: 'warning', text: `.git was not made anew: ${thrown.message}` }]
  }
}

function fromEngine(
  { severity, path, text }: RestoreResult['findings'][number],
  about: { vault: string; project: string },
): Finding {
  return { ...about, subject: path, severity: severity === 'failed' ? 'warning' : severity, text }
}

async function keep(
  services: Needed,
  { project, vault, snapshot, steps }: RestorePreview,
  startedAt: number,
  status: RestoreRecord['status'],
  results: readonly RestoreResult[],
  findings: readonly Finding[],
): Promise<void> {
  const { catalog, clock } = services
  const endedAt = clock.now()
  const target = steps.at(-1)?.target ?? ''
  await catalog.restores.add({
    id: randomHex(8),
    project,
    vault,
    snapshot,
    target,
    status,
    startedAt,
    endedAt,
    files: results.reduce((sum, { files }) => sum + files, 0),
    bytes: results.reduce((sum, { bytes }) => sum + bytes, 0),
    findings,
    who: whoOf(services),
  })
  const worst = findings.find(({ severity }) => severity !== 'notice')
  const because = worst ? `: ${worst.subject} ${worst.text}` : ''
  const text = `Restore of ${snapshot.slice(0, 8)} from ${vault} to ${target} ${status}${because}`
  const level = status === 'complete' ? 'info' : status === 'incomplete' ? 'warning' : 'error'
  await catalog.log.add({ time: endedAt, kind: 'restore', level, text, project })
}
