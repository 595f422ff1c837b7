import { lastSlot, type KnownSnapshot, type Project } from '#model'
import type { Services } from '../services.ts'
import { findLeftOut } from './left-out.ts'

type Needed = Pick<Services, 'catalog' | 'clock' | 'configuration'>

/**
 * The vaults of a project whose copy is due, as the catalog tells: those whose slot has come since their last complete copy,
 * and of those that get a copy after each run, the ones whose last copy was not completed or that lack a snapshot. A vault
 * to which a copy is being made, and vaults that a run will bring up to date at its end, are not among them.
 */
export async function findDueCopies(services: Needed, project: Project): Promise<string[]> {
  const { catalog, clock, configuration } = services
  const now = clock.now()
  await catalog.copies.closeAbandoned(now)
  const open = new Set((await catalog.copies.open({ project: project.name })).map(({ to }) => to))
  const [latestRun] = await catalog.runs.list({ project: project.name, limit: 1 })
  const due: string[] = []
  for (const { to, schedule } of project.copies) {
    if (open.has(to)) continue
    const about = { project: project.name, from: project.vault, to, limit: 1 }
    if (schedule) {
      const slot = lastSlot(schedule, now, configuration.timezone)
      const [complete] = await catalog.copies.list({ ...about, status: 'complete' })
      if (slot !== undefined && (!complete || complete.startedAt < slot)) due.push(to)
    } else if (latestRun?.status !== 'running') {
      const [latest] = await catalog.copies.list(about)
      const isFailed = latest !== undefined && latest.status !== 'complete'
      if (isFailed || (await lacksSnapshots(services, project, to))) due.push(to)
    }
  }
  return due
}

async function lacksSnapshots(services: Needed, project: Project, to: string): Promise<boolean> {
  const { catalog } = services
  const leftOut = await findLeftOut(services, project, project.vault, to)
  const inVault = (vault: string): Promise<KnownSnapshot[]> => catalog.snapshots.list({ project: project.name, vault })
  const there = new Set((await inVault(to)).map(identityOf))
  return (await inVault(project.vault)).some((one) => !there.has(identityOf(one)) && !leftOut.has(one.id))
}

/** A copy has another id than its original, and the same run and time. */
function identityOf({ run, time }: KnownSnapshot): string {
  return `${run ?? ''} ${time}`
}
