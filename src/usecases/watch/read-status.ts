import {
  isFuture,
  type CopyRecord,
  type Incident,
  type Project,
  type Run,
  type VaultHealth,
  type VerificationRecord,
} from '#model'
import type { Services } from '../services.ts'
import { stateOf, type VaultState } from '../vaults/list-vaults.ts'
import { checkHealth, type HealthReport } from './check-health.ts'

/** All that a monitoring system may want to know, as the catalog knows it. */
export interface SystemStatus {
  readonly projects: readonly ProjectStatus[]
  readonly vaults: readonly VaultState[]
  /** The open ones. */
  readonly incidents: readonly Incident[]
}

export interface ProjectStatus {
  readonly health: HealthReport
  /** The latest that has ended, and was not cancelled. */
  readonly lastRun?: Run
  /** The vault that runs write to first. */
  readonly vaults: readonly VaultStatus[]
}

export interface VaultStatus {
  readonly health: VaultHealth
  readonly snapshots: number
  /** The latest that was complete. */
  readonly lastCopy?: CopyRecord
  /** The latest that found nothing wrong. */
  readonly lastVerification?: VerificationRecord
}

type Needed = Pick<Services, 'catalog' | 'clock' | 'configuration'>

const lookedAt = 20

/** Asks no vault. @throws errors of the catalog. */
export async function readStatus(services: Needed): Promise<SystemStatus> {
  const { catalog, configuration } = services
  const reports = await checkHealth(services, configuration.projects)
  const projects: ProjectStatus[] = []
  for (const [index, project] of configuration.projects.entries()) {
    projects.push(await statusOf(services, project, reports[index]!))
  }
  const vaults: VaultState[] = []
  for (const vault of configuration.vaults) vaults.push(await stateOf(services, vault))
  return { projects, vaults, incidents: await catalog.incidents.list({ open: true }) }
}

async function statusOf({ catalog, clock }: Needed, { name }: Project, health: HealthReport): Promise<ProjectStatus> {
  const until = clock.now()
  const runs = await catalog.runs.list({ project: name, until, limit: lookedAt })
  const lastRun = runs.find(({ status }) => status !== 'running' && status !== 'cancelled')
  const vaults: VaultStatus[] = []
  for (const one of health.vaults) {
    const { vault } = one
    const snapshots = await catalog.snapshots.list({ project: name, vault, kind: 'backup' })
    const [lastCopy] = await catalog.copies.list({ project: name, to: vault, status: 'complete', until, limit: 1 })
    const about = { project: name, vault, until, statuses: ['sound'] } as const
    const lastVerification = await catalog.verifications.latest(about)
    vaults.push({
      health: one,
      snapshots: snapshots.filter(({ time }) => !isFuture(time, until)).length,
      ...(lastCopy && { lastCopy }),
      ...(lastVerification && { lastVerification }),
    })
  }
  return { health, ...(lastRun && { lastRun }), vaults }
}
