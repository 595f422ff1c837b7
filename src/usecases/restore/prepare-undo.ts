import { randomHex } from '#base'
import { getVault, type Artifact, type Project, type RestoreJournal, type RestoreStep } from '#model'
import { placeOf, rawPathOf, shownPath, type Host, type RawPath, type WayBack } from '#sources'
import { openHost } from '../backup/open-host.ts'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import { performActions, type Action } from './actions.ts'
import { planInPlace, type FolderPlan, type ProjectPlace } from './folder-plans.ts'
import { commandsAfter, commandsBefore, removing, verifying, writingFolders } from './in-place-actions.ts'
import { holdsPath, pathsOf } from './layout.ts'
import { loadDump, swapBack } from './load-databases.ts'
import { includedPaths, openBackup, type OpenBackup } from './open-backup.ts'
import { performJournal } from './perform-journal.ts'
import { estimate, examplesOf, findingsOf, previewFolders } from './preview.ts'
import { commandsOf, type ProjectCommands } from './project-commands.ts'
import { wishOf, type PreparedRestore, type RestorePreview, type RestoreRequest } from './request.ts'
import { readPlannedChanges, type PlannedChanges } from './safety-backup.ts'
import { findServerDumps, type ServerDump } from './server-databases.ts'

export interface UndoTask {
  /** What is taken back, and what it was asked for. */
  readonly journal: RestoreJournal
  readonly request: RestoreRequest
  /** An undoing that was cut off or failed, and is gone on with. */
  readonly resumes?: RestoreJournal
}

/** A database that goes back. */
interface DatabaseBack {
  readonly dump: ServerDump
  readonly wayBack: WayBack
  /** It is in the safety backup too. */
  readonly isSaved: boolean
}

interface UndoPlan {
  readonly project: Project
  readonly task: UndoTask
  readonly host: Host
  /** The safety backup; where there was nothing to save, the backup that was restored. */
  readonly backup: OpenBackup
  readonly folders: readonly FolderPlan[]
  /** Of the backup that was restored: what of it may still lie beside its place. */
  readonly waited: readonly FolderPlan[]
  readonly databases: readonly DatabaseBack[]
  /** What the restore made, absolute. */
  readonly removals: readonly RawPath[]
  readonly commands: ProjectCommands
}

/** How a restore is taken back. @throws `restore.no-way-back`; what keeps vaults and servers from being read. */
export async function prepareUndo(
  services: Services,
  project: Project,
  task: UndoTask,
  signal: AbortSignal,
): Promise<PreparedRestore> {
  await using guard = new AsyncDisposableStack()
  const { journal } = task
  const temporary = guard.use(await services.temporaryFolder())
  const host = guard.use(await openHost(services, project, temporary, signal))
  const { safety } = journal
  if (!safety && !journal.wish.safety && hasWrittenFiles(journal)) {
    const reason = 'it was made without a safety backup'
    throw usecaseError('restore.no-way-back', { restore: journal.id, project: project.name, reason })
  }
  const wanted = safety && {
    wanted: { kind: 'snapshot', id: safety.snapshot } as const,
    vault: getVault(services.configuration, safety.vault),
  }
  const backup = guard.use(await openBackup(services, project, wanted ?? task.request, signal))
  const plan = await planUndo(services, project, task, { backup, host, temporary }, signal)
  const preview = await previewOf(services, plan)
  const held = guard.move()
  return {
    preview,
    perform: async (stop) => {
      const id = task.resumes?.id ?? `r-${randomHex(4)}`
      const about = { id, preview, wish: wishOf(task.request), startedAt: services.clock.now(), undoes: journal.id }
      const perform = (signal: AbortSignal) => performActions(services, project, id, actionsOf(services, plan), signal)
      const report = await performJournal(services, project, about, perform, stop)
      await services.catalog.restoreJournals.end(journal.id, 'undone')
      return report
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  }
}

async function planUndo(
  services: Services,
  project: Project,
  task: UndoTask,
  { backup, host, temporary }: ProjectPlace & { readonly backup: OpenBackup },
  signal: AbortSignal,
): Promise<UndoPlan> {
  const { journal, request } = task
  const { snapshot } = backup
  const wroteFiles = hasWrittenFiles(journal)
  const hasWaited = !wroteFiles && journal.steps.some(({ kind }) => kind === 'files')
  const changes: PlannedChanges = journal.safety
    ? await readPlannedChanges(snapshot.repository, snapshot.tree, signal)
    : { created: [], overwritten: [] }
  const include = hasWaited
    ? includedPaths(request, snapshot.layout, snapshot, project)
    : wroteFiles
      ? await includedBefore(request, changes, backup, project, signal)
      : []
  // Of what was not there before, nothing is written: the plan tells what the restore has made.
  const planned =
    include?.length === 0 ? [] : await planInPlace(snapshot, project, include, { host, temporary }, signal)
  const removals = journal.safety ? changes.created : planned.flatMap((folder) => [...everythingIn(folder)])
  const steps = journal.steps.filter(({ kind, wayBack }) => kind === 'database' && wayBack !== undefined)
  const isDown = journal.steps.some(({ kind }) => kind === 'before')
  return {
    project,
    task,
    host,
    backup,
    folders: journal.safety ? planned : [],
    waited: journal.safety ? [] : planned,
    databases: await findDatabases(services, project, steps, { backup, host, journal }, signal),
    removals: wroteFiles ? removals : [],
    commands: journal.safety
      ? await commandsOf(project, host, { holds: async () => false, wasDown: isDown })
      : { before: [], after: [], up: [], isByType: { before: true, after: true } },
  }
}

/** Whether files may be others than before. Until the safety backup was taken, or found needless, they only lay beside their places. */
function hasWrittenFiles({ steps, wish }: RestoreJournal): boolean {
  const isPast = !wish.safety || steps.some(({ kind, state }) => kind === 'safety' && state === 'done')
  return isPast && steps.some(({ kind }) => kind === 'files' || kind === 'remove')
}

/** Of what was asked for, what was there before; undefined: everything. */
async function includedBefore(
  { only, paths }: RestoreRequest,
  { overwritten }: PlannedChanges,
  { snapshot }: OpenBackup,
  project: Project,
  signal: AbortSignal,
): Promise<string[] | undefined> {
  if (only.length === 0 && paths.length === 0) return undefined
  const { repository, tree, layout } = snapshot
  const included = only.flatMap((part) => pathsOf(part, layout))
  for (const path of includedPaths({ only: [], paths, tables: [] }, layout, snapshot, project) ?? []) {
    if (await holdsPath(repository, tree, path, signal)) included.push(path)
  }
  // Because a file that is broken is in the safety backup as a file, and no longer as the database or the settings that it was.
  for (const path of overwritten) {
    for (const place of placesFor(project, path)) {
      const isIncluded = included.some((one) => place === one || place.startsWith(`${one}/`))
      if (!isIncluded && (await holdsPath(repository, tree, place, signal))) included.push(place)
    }
  }
  return included
}

/** Where a backup may hold a file of the project. */
function placesFor({ path: home }: Project, absolute: RawPath): string[] {
  const project = rawPathOf(home)
  const place = shownPath(placeOf(project, absolute))
  const isInside = absolute.startsWith(`${project}/`)
  return isInside ? [place, place.replace(/^files/, 'config')] : [place]
}

function* everythingIn({ plan, target }: FolderPlan): Generator<RawPath, void, void> {
  for (const { path } of plan.changes()) yield `${rawPathOf(target)}/${path.toString('latin1')}`
}

async function findDatabases(
  services: Services,
  project: Project,
  steps: readonly RestoreStep[],
  given: { readonly backup: OpenBackup; readonly host: Host; readonly journal: RestoreJournal },
  signal: AbortSignal,
): Promise<DatabaseBack[]> {
  const { backup, host, journal } = given
  const { snapshot } = backup
  const saved = journal.safety ? (snapshot.layout.manifest?.artifacts ?? []) : []
  const artifacts = steps.map(({ about }): Artifact => {
    return saved.find(({ path }) => path === about) ?? { path: about, kind: '', bytes: 0 }
  })
  const dumps = await findServerDumps(
    services,
    project,
    artifacts.map((artifact) => ({ artifact, snapshot })),
    { host, settings: [snapshot, 'project'] },
    signal,
  )
  return dumps.map((dump) => ({
    dump,
    wayBack: JSON.parse(steps.find(({ about }) => about === dump.artifact.path)!.wayBack!) as WayBack,
    isSaved: saved.includes(dump.artifact),
  }))
}

async function previewOf(services: Services, plan: UndoPlan): Promise<RestorePreview> {
  const { project, task, backup, folders, databases, removals, commands } = plan
  const { chosen, snapshot } = backup
  const { journal, resumes } = task
  const about = { vault: chosen.vault.name, project: project.name }
  const { health } = project.restore
  const bytes = folders.reduce((sum, folder) => sum + folder.plan.bytes, 0)
  return {
    ...about,
    because: journal.safety ? `it is the safety backup of restore ${journal.id}` : 'there was nothing to save then',
    snapshot: snapshot.id,
    time: chosen.snapshot.time,
    inPlace: true,
    ...(plan.host.kind === 'ssh' && { place: plan.host.place }),
    steps: previewFolders(folders),
    databases: databases.map(({ dump, wayBack }) => ({
      name: dump.name,
      path: dump.artifact.path,
      server: dump.server,
      version: dump.report.version,
      ...(dump.report.exists && { now: { tables: dump.report.tables, bytes: dump.report.sizeBytes } }),
      method: dump.report.method ?? 'over',
      bytes: dump.artifact.bytes,
      roles: [],
      isDone: resumes?.steps.some((step) => step.about === dump.artifact.path && step.state === 'done') ?? false,
      isSwappedBack: wayBack.how !== 'none',
    })),
    tables: [],
    commands: { before: commands.before, after: [...commands.after, ...commands.up] },
    ...(health !== undefined && { health }),
    git: false,
    overwrites: true,
    examples: examplesOf(folders, 'overwrite'),
    removals: removals.slice(0, 10).map((path) => Buffer.from(path, 'latin1').toString()),
    ...(await estimate(services, project, bytes)),
    ...(resumes && { resumes: resumes.id }),
    undoes: journal.id,
    standing: [],
    findings: [...backup.findings, ...findingsOf(folders, about)],
    troubles: chosen.troubles,
  }
}

/** Databases first, because what serves the others may be among the files. */
function actionsOf(services: Services, plan: UndoPlan): Action[] {
  const { project, host, backup, folders, databases, removals, commands } = plan
  const { snapshot } = backup
  const dumps = databases.flatMap(({ dump, wayBack, isSaved }) => (wayBack.how === 'none' && isSaved ? [dump] : []))
  return [
    ...(folders.length + dumps.length > 0 ? [verifying(services, project, snapshot, folders, dumps)] : []),
    ...commandsBefore(project, host, commands),
    ...databases.map((database) => goingBack(services, plan, database)),
    ...plan.waited.map(clearing),
    // Before the files, because they bring the times of the folders that something is removed from.
    ...removing(project, host, removals),
    ...writingFolders(services, project, folders, removals.length > 0 ? 'earlier' : undefined),
    ...commandsAfter(project, host, commands),
  ]
}

function clearing({ target, what, clear }: FolderPlan): Action {
  return {
    kind: 'remove',
    about: `what waited of ${what} in ${target}`,
    perform: async () => {
      await clear()
      return {}
    },
  }
}

function goingBack(services: Services, plan: UndoPlan, { dump, wayBack, isSaved }: DatabaseBack): Action {
  const { project, task, backup } = plan
  return {
    kind: 'database',
    about: dump.artifact.path,
    perform: async ({ keep }, signal) => {
      if (await swapBack(dump.target, wayBack, signal)) return { text: 'as the server had kept it' }
      if (!isSaved) {
        const reason = `nothing has kept the database ${dump.name} as it was`
        throw usecaseError('restore.no-way-back', { restore: task.journal.id, project: project.name, reason })
      }
      return await loadDump(services, project, dump, { snapshot: backup.snapshot, tables: [], keep }, signal)
    },
  }
}
