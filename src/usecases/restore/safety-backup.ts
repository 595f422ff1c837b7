import { AppError, textOf } from '#base'
import type { Part, Repository, RestorePlan } from '#engine'
import { findFile } from '#engine'
import { getVault, type Finding, type Project, type SafetyBackup } from '#model'
import { localHost, rawPathOf } from '#sources'
import { makeSnapshot } from '../backup/run-project.ts'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import { openVault } from '../vaults/open-vault.ts'

/** Where it says in a safety backup what the restore made that was not there before. */
const createdFile = 'restore.json'

/** Paths that a restore makes where nothing was, by the folder that they are below; each byte one character (latin1). */
export type CreatedPaths = Readonly<Record<string, readonly string[]>>

export interface TakenSafety {
  readonly safety?: SafetyBackup
  readonly findings: readonly Finding[]
}

/**
 * Takes a backup of the project as it is before a restore, with a list of what the restore will make. It is tagged `safety`, and no run:
 * it displaces no backup, and nothing restores it but by its id. When a server of databases cannot be dumped, it is taken without.
 *
 * @returns no backup where there is nothing to save. @throws `restore.no-safety`.
 */
export async function takeSafetyBackup(
  services: Services,
  project: Project,
  { restore, plans }: { readonly restore: string; readonly plans: readonly RestorePlan[] },
  signal: AbortSignal,
): Promise<TakenSafety> {
  const isHere = project.on?.kind !== 'ssh'
  if (isHere && !(await localHost('/').findStatus(rawPathOf(project.path)))) {
    const text = 'there was nothing to save: the folder of the project is not there'
    return { findings: [{ project: project.name, subject: 'safety backup', severity: 'notice', text }] }
  }
  const parts = [createdPart(plans)]
  const take = async (leavesServersOut: boolean) => {
    const safety = { tags: ['safety', `restore:${restore}`], parts, leavesServersOut }
    const about = { run: `restore-${restore}`, startedAt: services.clock.now(), safety }
    return await makeSnapshot(services, project, about, signal)
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

function createdPart(plans: readonly RestorePlan[]): Part {
  const created: Record<string, string[]> = {}
  for (const plan of plans) {
    const list = (created[plan.target.toString()] ??= [])
    for (const { path } of plan.changes('create')) list.push(path.toString('latin1'))
  }
  const bytes = Buffer.from(`${JSON.stringify({ created })}\n`)
  return { kind: 'content', at: createdFile, content: { kind: 'bytes', bytes }, mode: 0o600 }
}

/** What the restore made before which this safety backup was taken; nothing when it does not say so. */
export async function readCreated(repository: Repository, tree: string, signal: AbortSignal): Promise<CreatedPaths> {
  try {
    const file = await findFile(repository, tree, createdFile, signal)
    const text = Buffer.concat(await Array.fromAsync(file.open(undefined, signal))).toString()
    return (JSON.parse(text) as { created: CreatedPaths }).created
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === 'restore.path-missing') return {}
    throw thrown
  }
}

/** Opens the vault of a safety backup. */
export function openSafety(services: Services, project: Project, { vault }: SafetyBackup, signal: AbortSignal) {
  return openVault(services, getVault(services.configuration, vault), project.name, signal)
}
