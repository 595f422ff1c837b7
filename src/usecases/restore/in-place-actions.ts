import { AppError, textOf } from '#base'
import { removePaths } from '#engine'
import type { Project } from '#model'
import { bytesOf, canWait, rawPathOf, type Host, type RawPath, type WayBack } from '#sources'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import type { Action, ActionOutcome, Early, Together } from './actions.ts'
import { askHealth } from './ask-health.ts'
import type { FolderPlan, HowToWrite, OpenSnapshot } from './folder-plans.ts'
import { loadDump, loadRoles, swapBack } from './load-databases.ts'
import type { InPlacePlan } from './in-place-plan.ts'
import { fromEngine } from './preview.ts'
import { callIn, type Command, type ProjectCommands } from './project-commands.ts'
import { restoreGit } from './restore-git.ts'
import { takeSafetyBackup } from './safety-backup.ts'
import { tablesIn, type ServerDump } from './server-databases.ts'
import { verifyFirst } from './verify-first.ts'
import { removeElsewhere } from './write-elsewhere.ts'

/**
 * The steps of a restore in place. Nothing is changed before all that will be there was verified, and what is there was saved. The
 * largest folder and the largest dump are verified by being made, beside their places, where they wait; all others are read for it.
 * Files and databases come back beside each other; the project comes up again only when everything before went well.
 */
export function actionsOf(services: Services, plan: InPlacePlan, id: string): (Action | Early | Together)[] {
  const { project, request, backup, host, folders, dumps, commands, git, removals } = plan
  const { snapshot } = backup
  const early = earlyOf(plan)
  const waiting = early.folder && writingEarly(services, project, early.folder)
  const loadings = dumps.map((dump) => loading(services, plan, dump))
  const others = folders.filter((folder) => folder !== early.folder)
  const otherDumps = dumps.filter((dump) => dump !== early.dump)
  return [
    verifying(services, project, snapshot, others, otherDumps),
    {
      early: [
        ...(waiting ? [waiting] : []),
        ...loadings.flatMap((steps, nth) => (dumps[nth] === early.dump ? steps : [])),
      ],
    },
    ...(request.safety ? [saving(services, plan, id)] : []),
    ...commandsBefore(project, host, commands),
    {
      together: [
        [
          ...(waiting ? [waiting] : []),
          ...(git ? [makingGit(services, project, snapshot)] : []),
          ...writingFolders(services, project, others, waiting ? 'waiting' : git ? 'earlier' : undefined),
          ...removing(project, host, removals),
        ],
        loadings.flat(),
      ],
    },
    ...commandsAfter(project, host, commands),
  ]
}

/** What is made early: the largest of those that can wait. Whoever goes on with a restore finds some of it in its place. */
function earlyOf({ folders, dumps, git, request, resumes }: InPlacePlan): {
  readonly folder?: FolderPlan
  readonly dump?: ServerDump
} {
  if (resumes) return {}
  const isWhole = ({ plan }: FolderPlan): boolean => plan.findings.every(({ severity }) => severity !== 'damage')
  // Because git makes the folder of the project, and what else comes into it.
  const [folder] = folders
    .filter((one) => !git && one.canWait && isWhole(one))
    .toSorted((a, b) => b.plan.bytes - a.plan.bytes)
  const [dump] = dumps
    .filter((one) => request.tables.length === 0 && canWait(one.target.kind, one.report.method) && !needsRoles(one))
    .toSorted((a, b) => b.artifact.bytes - a.artifact.bytes)
  return { ...(folder && { folder }), ...(dump && { dump }) }
}

export function verifying(
  services: Services,
  project: Project,
  snapshot: OpenSnapshot,
  folders: readonly FolderPlan[],
  dumps: readonly ServerDump[],
): Action {
  return {
    kind: 'verify',
    about: snapshot.id.slice(0, 8),
    isRepeated: true,
    perform: async (_, signal) => {
      const plans = folders.map(({ plan }) => plan)
      const paths = dumps.flatMap(({ artifact, globals }) => [
        artifact.path,
        ...(globals === undefined ? [] : [globals]),
      ])
      await verifyFirst(services, project, snapshot, { plans, dumps: [...new Set(paths)] }, signal)
      return {}
    },
  }
}

function saving(services: Services, { project, request, host, folders }: InPlacePlan, restore: string): Action {
  return {
    kind: 'safety',
    about: 'backup',
    perform: async (_, signal) => {
      const plans = folders.map(({ plan }) => plan)
      const isWhole = request.only.length + request.paths.length === 0
      const { safety, findings } = await takeSafetyBackup(services, project, { restore, host, plans, isWhole }, signal)
      if (safety) await services.catalog.restoreJournals.setSafety(restore, safety)
      return { findings }
    },
  }
}

/**
 * Each folder is planned anew once an earlier step has made folders, because a plan holds for the target as it was seen.
 *
 * @param touchedBy - what has before these.
 */
export function writingFolders(
  services: Services,
  project: Project,
  folders: readonly FolderPlan[],
  touchedBy?: HowToWrite['changedBy'],
): Action[] {
  let changedBy = touchedBy
  return folders.map((folder): Action => ({
    ...namedFor(folder),
    perform: async (_, signal) => {
      const outcome = await writeFolder(services, project, folder, { ...(changedBy && { changedBy }) }, signal)
      if (folder.plan.counts.folders > 0) changedBy ??= 'earlier'
      return outcome
    },
  }))
}

/** All of it is verified and lies ready before anything changes; when it may not take its place, it is removed. */
function writingEarly(services: Services, project: Project, folder: FolderPlan): Action {
  return {
    ...namedFor(folder),
    perform: async ({ mayChange, takenBack }, signal) => {
      let hasTurn = false
      const beforeChange: HowToWrite['beforeChange'] = async (findings) => {
        const damage = findings.filter(({ severity }) => severity === 'damage')
        const [first] = damage.map(({ path, text }) => `${path} ${text}`)
        if (first !== undefined) throw usecaseError('restore.damaged', { count: damage.length, first })
        await mayChange()
        hasTurn = true
      }
      try {
        return await writeFolder(services, project, folder, { beforeChange }, signal)
      } catch (thrown) {
        if (!hasTurn) takenBack()
        throw thrown
      }
    },
  }
}

function namedFor({ what, target }: FolderPlan): Pick<Action, 'about' | 'kind'> {
  return { kind: 'files', about: what === 'files' ? target : `${what} in ${target}` }
}

async function writeFolder(
  services: Services,
  project: Project,
  folder: FolderPlan,
  how: Omit<HowToWrite, 'progress'>,
  signal: AbortSignal,
): Promise<ActionOutcome> {
  const label = `${project.name}: restoring ${folder.what}`
  const progress = (done: number, total: number): void => services.progress({ label, unit: 'bytes', done, total })
  const { files, bytes, findings } = await folder.write({ ...how, progress }, signal)
  return { files, bytes, findings: fromEngine(findings, { project: project.name }) }
}

/** Before the files, because they bring the times of the folder that .git is made in. */
function makingGit(services: Services, project: Project, snapshot: OpenSnapshot): Action {
  return {
    kind: 'git',
    about: project.path,
    perform: async (_, signal) => ({ findings: await restoreGit(services, project, snapshot, signal) }),
  }
}

/** @param paths - absolute. */
export function removing(project: Project, host: Host, paths: readonly RawPath[]): Action[] {
  if (host.kind === 'ssh') return paths.length > 0 ? [removingElsewhere(project, host, paths)] : []
  const home = `${rawPathOf(project.path)}/`
  const inside = paths.filter((path) => path.startsWith(home)).map((path) => path.slice(home.length))
  const outside = paths.filter((path) => !path.startsWith(home)).map((path) => path.slice(1))
  return [
    ...(inside.length > 0 ? [removingBelow(project, project.path, inside)] : []),
    ...(outside.length > 0 ? [removingBelow(project, '/', outside)] : []),
  ]
}

export function removingBelow(project: Project, target: string, paths: readonly RawPath[]): Action {
  return {
    kind: 'remove',
    about: target,
    perform: async (_, signal) => {
      const { failed } = await removePaths(target, paths.map(bytesOf), signal)
      return {
        findings: failed.map(({ path, text }) => ({ project: project.name, subject: path, severity: 'warning', text })),
      }
    },
  }
}

function removingElsewhere(project: Project, host: Host, paths: readonly RawPath[]): Action {
  return {
    kind: 'remove',
    about: host.place,
    perform: async (_, signal) => {
      const text = 'it could not be removed'
      const left = await removeElsewhere(host, paths, signal)
      return { findings: left.map((subject) => ({ project: project.name, subject, severity: 'warning', text })) }
    },
  }
}

function loading(services: Services, plan: InPlacePlan, dump: ServerDump): Action[] {
  const { project, request, backup } = plan
  const { snapshot } = backup
  const { artifact, report } = dump
  const roles: Action = {
    kind: 'roles',
    about: artifact.path,
    perform: async (_, signal) => ({
      findings: await loadRoles(project, dump, { snapshot, passwords: request.rolePasswords }, signal),
    }),
  }
  const database: Action = {
    kind: 'database',
    about: artifact.path,
    perform: async ({ keep, known, mayChange, takenBack }, signal) => {
      // Because a second load would keep, as what was there before, what the first one has put there.
      if (known) await swapBack(dump.target, known, signal)
      const tables = tablesIn(artifact, request.tables)
      if (tables.length > 0 || !canWait(dump.target.kind, report.method)) {
        return await loadDump(services, project, dump, { snapshot, tables, keep }, signal)
      }
      let hasTurn = false
      let wayBack: WayBack | undefined
      const options = {
        keep: (way: WayBack): Promise<void> => keep((wayBack = way)),
        beforeSwap: async (): Promise<void> => {
          await mayChange()
          hasTurn = true
        },
      }
      try {
        return await loadDump(services, project, dump, { snapshot, tables, ...options }, signal)
      } catch (thrown) {
        if (hasTurn) throw thrown
        if (!wayBack || (await isCleared(dump, wayBack))) takenBack()
        throw isOfVault(thrown) ? usecaseError('restore.damaged', { count: 1, first: textOf(thrown) }, thrown) : thrown
      }
    },
  }
  return needsRoles(dump) ? [roles, database] : [database]
}

/** How long a server is asked to remove what was loaded beside, when the restore is stopped. */
const clearMs = 60_000

/** Removes what waited. @returns false when the server does not let it: whoever undoes the restore tries again. */
async function isCleared({ target }: ServerDump, wayBack: WayBack): Promise<boolean> {
  try {
    return await swapBack(target, wayBack, AbortSignal.timeout(clearMs))
  } catch {
    return false
  }
}

function needsRoles({ globals, report }: ServerDump): boolean {
  return globals !== undefined && report.missing.roles.length > 0
}

/** What the vault holds is not what was backed up. */
function isOfVault(thrown: unknown): boolean {
  return thrown instanceof AppError && thrown.kind === 'damaged'
}

export function commandsBefore(project: Project, host: Host, { before, isByType }: ProjectCommands): Action[] {
  return before.map((command) => ({
    kind: 'before',
    about: command.join(' '),
    perform: async (_, signal) => {
      const isOurs = isByType.before
      try {
        await host.run(await callIn(project.path, host, command, isOurs), signal)
        return {}
      } catch (thrown) {
        signal.throwIfAborted()
        if (!isOurs) throw failed(command, thrown)
        // Because an application that is broken cannot be taken down, and that is why it is restored.
        const text = `it did not work, and the restore went on: ${textOf(thrown)}`
        return { findings: [{ project: project.name, subject: command.join(' '), severity: 'notice', text }] }
      }
    },
  }))
}

export function commandsAfter(project: Project, host: Host, { after, up, isByType }: ProjectCommands): Action[] {
  const { health } = project.restore
  const run = (kind: 'after' | 'up') => {
    return (command: Command): Action => ({
      kind,
      about: command.join(' '),
      perform: (_, signal) => runCommand(project, host, { command, isOurs: isByType.after }, signal),
    })
  }
  const asking: Action = {
    kind: 'health',
    about: health ?? '',
    isRepeated: true,
    perform: async (_, signal) => {
      try {
        await askHealth(health!, signal)
        return {}
      } catch (thrown) {
        if (!(thrown instanceof AppError) || thrown.code !== 'restore.unhealthy') throw thrown
        return { findings: [{ project: project.name, subject: 'health', severity: 'warning', text: thrown.message }] }
      }
    },
  }
  return [...after.map(run('after')), ...up.map(run('up')), ...(health === undefined ? [] : [asking])]
}

async function runCommand(
  project: Project,
  host: Host,
  { command, isOurs }: { readonly command: Command; readonly isOurs: boolean },
  signal: AbortSignal,
): Promise<ActionOutcome> {
  try {
    await host.run(await callIn(project.path, host, command, isOurs), signal)
    return {}
  } catch (thrown) {
    signal.throwIfAborted()
    const isMissing = thrown instanceof AppError && thrown.code === 'program.missing'
    if (!isOurs || !isMissing) throw failed(command, thrown)
    const text = `it was not run, because ${command[0]} is not installed here`
    return { text, findings: [{ project: project.name, subject: command.join(' '), severity: 'warning', text }] }
  }
}

function failed(command: Command, thrown: unknown): Error {
  return usecaseError('restore.command-failed', { command: command.join(' '), reason: textOf(thrown) }, thrown)
}
