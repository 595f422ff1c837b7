import { AppError, textOf } from '#base'
import type { EntryKind, Part, PlannedChange, Repository } from '#engine'
import { findFile } from '#engine'
import { getVault, type Finding, type Project, type SafetyBackup } from '#model'
import { rawPathOf, type Host, type RawPath } from '#sources'
import { makeSnapshot } from '../backup/run-project.ts'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import { openVault } from '../vaults/open-vault.ts'
import type { PlannedWrites } from './planned-writes.ts'

/** Where it says in a safety backup what the restore is about to do. */
const changesFile = 'restore.json'

/** What the restore has made beside its place by then. */
const waiting = '.bewaar-????????????????????????.part'

/** Paths by the folder that they are below; each byte one character (latin1). */
type PathsByFolder = Readonly<Record<string, readonly string[]>>

/** What a restore was about to do to files, absolute. */
export interface PlannedChanges {
  /** Made where nothing was, and folders made where something else was. */
  readonly created: readonly RawPath[]
  /** Of a restore of parts or paths alone: what was there, and was replaced. */
  readonly overwritten: readonly RawPath[]
}

export interface TakenSafety {
  readonly safety?: SafetyBackup
  readonly findings: readonly Finding[]
}

/**
 * Takes a backup of the project as it is before a restore, with a list of what the restore will make. What the restore replaces is in
 * it, also where the configuration leaves it out. It is tagged `safety`, and no run: it displaces no backup, and nothing restores it
 * but by its id. When a server of databases cannot be dumped, it is taken without.
 *
 * @returns no backup where there is nothing to save. @throws `restore.no-safety`.
 */
export async function takeSafetyBackup(
  services: Services,
  project: Project,
  {
    restore,
    host,
    plans,
    isWhole,
  }: {
    readonly restore: string
    readonly host: Host
    readonly plans: readonly PlannedWrites[]
    readonly isWhole: boolean
  },
  signal: AbortSignal,
): Promise<TakenSafety> {
  if (!(await host.findStatus(rawPathOf(project.path)))) {
    const text = 'there was nothing to save: the folder of the project is not there'
    return { findings: [{ project: project.name, subject: 'safety backup', severity: 'notice', text }] }
  }
  const parts = [changesPart(plans, isWhole)]
  const also = (): Iterable<TouchedPath> => touchedBy(plans)
  const take = async (leavesServersOut: boolean) => {
    const safety = { tags: ['safety', `restore:${restore}`], parts, also, leavesServersOut }
    const about = { run: `restore-${restore}`, startedAt: services.clock.now(), safety }
    return await makeSnapshot(services, { ...project, leaveOut: [...project.leaveOut, waiting] }, about, signal)
  }
  const without: string[] = []
  let made
  try {
    made = await take(false)
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    try {
      made = await take(true)
    } catch {
      signal.throwIfAborted()
      throw usecaseError('restore.no-safety', { project: project.name, reason: textOf(thrown) }, thrown)
    }
    without.push(`databases on servers (${textOf(thrown)})`)
  }
  for (const { severity, subject } of made.findings) if (severity !== 'notice') without.push(subject)
  const said = without.map((what): Finding => {
    const text = `it is not in the safety backup, or not as it should be: ${what}`
    return { project: project.name, subject: 'safety backup', severity: 'notice', text }
  })
  return { safety: { vault: project.vault, snapshot: made.result.snapshot, without }, findings: said }
}

function changesPart(plans: readonly PlannedWrites[], isWhole: boolean): Part {
  const pathsOf = (isMeant: (change: PlannedChange) => boolean): PathsByFolder => {
    const byFolder: Record<string, string[]> = {}
    for (const plan of plans) {
      const list = (byFolder[plan.target.toString()] ??= [])
      for (const change of plan.changes()) if (isMeant(change)) list.push(change.path.toString('latin1'))
    }
    return byFolder
  }
  const isOverwritten = ({ change }: PlannedChange): boolean => change === 'overwrite'
  // Because a folder that replaces a file is in the way of that file later.
  const isMade = (planned: PlannedChange): boolean =>
    planned.change === 'create' || (isOverwritten(planned) && planned.type === 'dir')
  const changes = { created: pathsOf(isMade), ...(!isWhole && { overwritten: pathsOf(isOverwritten) }) }
  const bytes = Buffer.from(`${JSON.stringify(changes)}\n`)
  return { kind: 'content', at: changesFile, content: { kind: 'bytes', bytes }, mode: 0o600 }
}

interface TouchedPath {
  readonly path: RawPath
  readonly kind: EntryKind
}

/** What is there and gets other bytes or other metadata. */
function* touchedBy(plans: readonly PlannedWrites[]): Generator<TouchedPath, void, void> {
  for (const plan of plans) {
    const target = rawPathOf(plan.target.toString())
    for (const { change, path, type } of plan.changes()) {
      if (change !== 'overwrite' && change !== 'unchanged') continue
      yield { path: `${target}/${path.toString('latin1')}`, kind: type }
    }
  }
}

/** What the restore was about to do before which this safety backup was taken; nothing when it does not say so. */
export async function readPlannedChanges(
  repository: Repository,
  tree: string,
  signal: AbortSignal,
): Promise<PlannedChanges> {
  const absolute = (paths: PathsByFolder = {}): RawPath[] =>
    Object.entries(paths).flatMap(([target, list]) => list.map((path) => `${rawPathOf(target)}/${path}`))
  try {
    const file = await findFile(repository, tree, changesFile, signal)
    const text = Buffer.concat(await Array.fromAsync(file.open(undefined, signal))).toString()
    const { created, overwritten } = JSON.parse(text) as { created: PathsByFolder; overwritten?: PathsByFolder }
    return { created: absolute(created), overwritten: absolute(overwritten) }
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'restore.path-missing') return { created: [], overwritten: [] }
    throw thrown
  }
}

/** Opens the vault of a safety backup. */
export function openSafety(services: Services, project: Project, { vault }: SafetyBackup, signal: AbortSignal) {
  return openVault(services, getVault(services.configuration, vault), project.name, signal)
}
