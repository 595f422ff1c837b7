import { getVault, type Finding, type Project, type Run } from '#model'
import type { Services } from '../services.ts'
import { lookInto } from '../vaults/known-snapshots.ts'
import type { PlaceServices } from '../vaults/open-place.ts'

/**
 * Finds the snapshot of a run that was killed after it was stored and before the catalog knew, and enters it, so that no slot is
 * backed up twice. What the run had found is lost with its process, so that it counts as incomplete.
 *
 * @param slot - the one that the run was made for.
 * @returns undefined when there is no such run, or its vault does not answer.
 */
export async function recoverRun(
  services: PlaceServices & Pick<Services, 'catalog'>,
  project: Project,
  slot: number,
  signal: AbortSignal,
): Promise<Run | undefined> {
  const { catalog, clock, configuration } = services
  const runs = await catalog.runs.list({ project: project.name, since: slot })
  const killed = runs.filter((run) => run.slot === slot && run.status === 'failed' && run.snapshot === undefined)
  if (killed.length === 0) return undefined
  const { snapshots } = await lookInto(services, getVault(configuration, project.vault), project, signal)
  for (const run of killed) {
    const stored = snapshots.find((snapshot) => snapshot.run === run.id)
    if (!stored) continue
    const text = 'The process of this run was killed after its backup was stored; what it left out is not known'
    const finding: Finding = { project: project.name, subject: 'run', severity: 'warning', text }
    const found = {
      snapshot: stored.id,
      endedAt: stored.time,
      files: stored.files,
      bytesAdded: stored.added ?? 0,
      findings: [finding],
    }
    await catalog.runs.recover(run.id, found)
    const entry = { kind: 'backup', level: 'warning', text, project: project.name, run: run.id } as const
    await catalog.log.add({ time: clock.now(), ...entry })
    return { ...run, ...found, status: 'incomplete' }
  }
  return undefined
}
