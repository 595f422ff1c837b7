import { randomHex } from '#base'
import {
  describeStanding,
  getProject,
  getVault,
  isOn,
  isUnfinished,
  type Finding,
  type Project,
  type RestoreJournal,
  type Artifact,
} from '#model'
import { plainAddress, rawPathOf, shownPath, type Host, type PlainAddress, type RawPath } from '#sources'
import { openHost } from '../backup/open-host.ts'
import { usecaseError } from '../errors.ts'
import type { Services, TemporaryFolder } from '../services.ts'
import { performActions } from './actions.ts'
import { planInPlace } from './folder-plans.ts'
import { actionsOf } from './in-place-actions.ts'
import type { InPlacePlan } from './in-place-plan.ts'
import { holdsPath } from './layout.ts'
import { includedPaths, openBackup, type OpenBackup } from './open-backup.ts'
import { performJournal } from './perform-journal.ts'
import { planRemovals } from './planned-removals.ts'
import { estimate, examplesOf, findingsOf, previewFolders } from './preview.ts'
import { commandsOf } from './project-commands.ts'
import {
  wishOf,
  type DatabasePreview,
  type PreparedRestore,
  type RestorePreview,
  type RestoreReport,
  type RestoreRequest,
} from './request.ts'
import { isGitMadeAnew } from './restore-git.ts'
import { findServerDumps, isServerDump, tablesIn, type ServerDump, type Settings } from './server-databases.ts'
import { assertWritable } from './write-elsewhere.ts'

export interface InPlaceTask {
  readonly request: RestoreRequest
  /** A restore that was cut off or failed, and is gone on with. */
  readonly resumes?: RestoreJournal
}

/** A restore of everything to its own place: verified, saved before, written down step by step. */
export async function prepareInPlace(
  services: Services,
  project: Project,
  { request, resumes }: InPlaceTask,
  signal: AbortSignal,
): Promise<PreparedRestore> {
  await using guard = new AsyncDisposableStack()
  const temporary = guard.use(await services.temporaryFolder())
  const host = guard.use(await openHost(services, project, temporary, signal))
  const backup = guard.use(await openBackup(services, project, request, signal))
  const settings: Settings[] = ['project', backup.snapshot]
  const safety = resumes?.safety
  if (safety) {
    // Because the settings that lie there now may be those of the backup already.
    const vault = getVault(services.configuration, safety.vault)
    const wanted = { wanted: { kind: 'snapshot', id: safety.snapshot }, vault } as const
    settings.unshift(guard.use(await openBackup(services, project, wanted, signal)).snapshot)
  }
  const plan = await planAll(services, project, request, { backup, host, temporary, settings, resumes }, signal)
  const preview = await previewOf(services, plan)
  const held = guard.move()
  return {
    preview,
    perform: (stop) => performInPlace(services, plan, preview, stop),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

async function planAll(
  services: Services,
  project: Project,
  request: RestoreRequest,
  given: {
    readonly backup: OpenBackup
    readonly host: Host
    readonly temporary: TemporaryFolder
    readonly settings: readonly Settings[]
    readonly resumes: RestoreJournal | undefined
  },
  signal: AbortSignal,
): Promise<InPlacePlan> {
  const { backup, host, temporary, settings, resumes } = given
  const { snapshot } = backup
  const include = includedPaths(request, snapshot.layout, snapshot, project)
  const isWanted = (path: string): boolean => include?.some((one) => path === one || path.startsWith(`${one}/`)) ?? true
  const artifacts = snapshot.layout.manifest?.artifacts ?? []
  const wanted = artifacts.filter((one) => isServerDump(one) && isWanted(one.path) && isOfTables(one, request.tables))
  const table = request.tables.find((name) => !wanted.some((one) => tablesIn(one, [name]).length > 0))
  if (table !== undefined) {
    throw usecaseError('restore.no-table', { snapshot: snapshot.id.slice(0, 8), project: project.name, table })
  }
  const folders =
    request.tables.length > 0 ? [] : await planInPlace(snapshot, project, include, { host, temporary }, signal)
  if (host.kind === 'ssh' && folders.length > 0) await assertWritable(project, host, signal)
  const git = folders.length > 0 && host.kind !== 'ssh' && (await isGitMadeAnew(snapshot, project, include))
  if (folders.length + wanted.length === 0 && !git) {
    throw usecaseError('restore.no-place', { paths: request.paths.join(', ') })
  }
  const dumps = await findServerDumps(
    services,
    project,
    wanted.map((artifact) => ({ artifact, snapshot })),
    { host, settings },
    signal,
  )
  const isMoved = request.toHost && !isOn(getProject(services.configuration, project.name), request.toHost)
  for (const { name, server, target } of isMoved ? dumps : []) {
    if (isElsewhere(plainAddress(target.connection))) {
      throw usecaseError('restore.same-server', { database: name, server, place: host.place })
    }
  }
  for (const { name, server, report } of request.tables.length > 0 ? [] : dumps) {
    if (report.method === undefined)
      throw usecaseError('restore.no-right', { login: report.login, database: name, server })
  }
  const removals = request.delete ? await planRemovals(services, project, snapshot, { host, temporary }, signal) : []
  const inside = removals.filter((path) => isWanted(placeIn(project, path)))
  const holds = (path: string): Promise<boolean> => holdsPath(snapshot.repository, snapshot.tree, path, signal)
  const wasDown = resumes?.steps.some(({ kind }) => kind === 'before') ?? false
  const commands = await commandsOf(project, host, { holds, wasDown })
  return {
    project,
    request,
    backup,
    host,
    folders,
    dumps,
    commands: folders.length + dumps.length > 0 ? commands : { ...commands, before: [], after: [], up: [] },
    git,
    removals: inside,
    ...(resumes && { resumes }),
  }
}

/** A server of its own, which is the same one wherever the project is. */
function isElsewhere({ host, socket }: PlainAddress): boolean {
  return socket === undefined && host !== undefined && !/^(?:localhost|127\.[\d.]+|\[?::1\]?)$/.test(host)
}

function isOfTables(artifact: Artifact, tables: readonly string[]): boolean {
  return tables.length === 0 || tablesIn(artifact, tables).length > 0
}

function placeIn({ path }: Project, absolute: RawPath): string {
  const inside = absolute.startsWith(`${rawPathOf(path)}/`)
  return shownPath(inside ? `files/${absolute.slice(rawPathOf(path).length + 1)}` : `files/+${absolute.slice(1)}`)
}

async function previewOf(services: Services, plan: InPlacePlan): Promise<RestorePreview> {
  const { project, request, backup, folders, dumps, commands, git, removals, resumes } = plan
  const { chosen, snapshot } = backup
  const about = { vault: chosen.vault.name, project: project.name }
  const bytes = [...folders.map((one) => one.plan.bytes), ...dumps.map(({ artifact }) => artifact.bytes)]
  const databases = dumps.map((dump) => previewDatabase(dump, plan))
  const counts = folders.map((one) => one.plan.counts)
  const [last] = await services.catalog.restoreJournals.list({ project: project.name, limit: 1 })
  const { health } = project.restore
  const missing = databases.flatMap(({ path, missingExtensions }) =>
    missingExtensions.map((name): Finding => {
      const text = `the server has no extension ${name}, which the dump needs: install it first`
      return { project: project.name, subject: path, severity: 'warning', text }
    }),
  )
  return {
    ...about,
    because: chosen.because,
    snapshot: snapshot.id,
    time: chosen.snapshot.time,
    inPlace: true,
    ...(plan.host.kind === 'ssh' && { place: plan.host.place }),
    steps: previewFolders(folders),
    databases,
    tables: request.tables,
    commands: { before: commands.before, after: [...commands.after, ...commands.up] },
    ...(health !== undefined && { health }),
    ...(request.safety && !resumes?.safety && { safetyVault: project.vault }),
    git,
    overwrites:
      counts.some(({ overwritten, removed }) => overwritten + removed > 0) ||
      removals.length > 0 ||
      dumps.some(({ report }) => report.exists && !report.isEmpty),
    examples: examplesOf(folders, 'overwrite'),
    removals: removals.slice(0, 10).map(shownPath),
    ...(await estimate(
      services,
      project,
      bytes.reduce((sum, one) => sum + one, 0),
    )),
    ...(resumes && { resumes: resumes.id }),
    standing: last && isUnfinished(last) && last.id !== resumes?.id ? describeStanding(last) : [],
    findings: [...backup.findings, ...findingsOf(folders, about), ...missing],
    troubles: chosen.troubles,
  }
}

function previewDatabase(
  { artifact, name, server, globals, report }: ServerDump,
  { request, resumes }: InPlacePlan,
): DatabasePreview & { readonly missingExtensions: readonly string[] } {
  return {
    name,
    path: artifact.path,
    server,
    version: report.version,
    ...(report.exists && { now: { tables: report.tables, bytes: report.sizeBytes } }),
    method: request.tables.length > 0 ? 'tables' : report.method!,
    bytes: artifact.bytes,
    roles: globals === undefined ? [] : report.missing.roles,
    isDone: resumes?.steps.some((step) => step.about === artifact.path && step.state === 'done') ?? false,
    isSwappedBack: false,
    missingExtensions: report.missing.extensions,
  }
}

/** Does it, as this process, in the journal. */
async function performInPlace(
  services: Services,
  plan: InPlacePlan,
  preview: RestorePreview,
  signal: AbortSignal,
): Promise<RestoreReport> {
  const { project, request, resumes } = plan
  const id = resumes?.id ?? `r-${randomHex(4)}`
  return await performJournal(
    services,
    project,
    { id, preview, wish: wishOf(request), startedAt: resumes?.startedAt ?? services.clock.now() },
    async (stop) => {
      if (resumes) for (const folder of plan.folders) await folder.clear()
      return await performActions(services, project, id, actionsOf(services, plan, id), stop)
    },
    signal,
  )
}
