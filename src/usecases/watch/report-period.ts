import { vaultsOf, type Project, type RunStatus } from '#model'
import type { Services } from '../services.ts'
import { listVaults, type VaultState } from '../vaults/list-vaults.ts'
import type { PlaceServices } from '../vaults/open-place.ts'

export const reportPeriods = ['day', 'week', 'month'] as const
export type ReportPeriod = (typeof reportPeriods)[number]

/** What happened, and how full the vaults are. Moments are milliseconds since 1970, UTC. */
export interface PeriodReport {
  readonly period: ReportPeriod
  readonly from: number
  readonly to: number
  readonly projects: readonly ProjectReport[]
  readonly vaults: readonly VaultState[]
}

/** What happened to one project; sizes in bytes. */
export interface ProjectReport {
  readonly project: string
  readonly runs: Readonly<Record<RunStatus, number>>
  readonly bytesRead: number
  readonly bytesAdded: number
  readonly copies: readonly CopiesReport[]
  readonly verifications: { readonly sound: number; readonly damaged: number; readonly failed: number }
  /** The newest backup in the vault that runs write to; absent when there is none. */
  readonly newestAt?: number
}

export interface CopiesReport {
  readonly vault: string
  readonly complete: number
  readonly failed: number
  readonly snapshots: number
  readonly bytesAdded: number
}

/** Sums up the last day, week or month, by the calendar of the organisation. It asks no vault. */
export async function reportPeriod(
  services: PlaceServices & Pick<Services, 'catalog' | 'progress'>,
  projects: readonly Project[],
  period: ReportPeriod,
  signal: AbortSignal,
): Promise<PeriodReport> {
  const { clock, configuration } = services
  const to = clock.now()
  const now = Temporal.Instant.fromEpochMilliseconds(Math.trunc(to)).toZonedDateTimeISO(configuration.timezone)
  const from = now.subtract({ [`${period}s`]: 1 }).epochMilliseconds
  const reports: ProjectReport[] = []
  for (const project of projects) reports.push(await reportProject(services, project, from))
  return { period, from, to, projects: reports, vaults: await listVaults(services, 'never', signal) }
}

async function reportProject(
  { catalog, configuration }: Pick<Services, 'catalog' | 'configuration'>,
  project: Project,
  since: number,
): Promise<ProjectReport> {
  const about = { project: project.name, since }
  const runs = await catalog.runs.list(about)
  const copies = await catalog.copies.list(about)
  const verifications = await catalog.verifications.list(about)
  const [newest] = await catalog.snapshots.list({ project: project.name, vault: project.vault })
  const count = (status: RunStatus): number => runs.filter((run) => run.status === status).length
  const verified = (status: string): number => verifications.filter((one) => one.status === status).length
  return {
    project: project.name,
    runs: {
      running: count('running'),
      complete: count('complete'),
      incomplete: count('incomplete'),
      failed: count('failed'),
      cancelled: count('cancelled'),
    },
    bytesRead: sum(runs.map(({ bytesRead }) => bytesRead)),
    bytesAdded: sum(runs.map(({ bytesAdded }) => bytesAdded)),
    copies: vaultsOf(configuration, project)
      .slice(1)
      .map(({ name: vault }) => {
        const own = copies.filter(({ to }) => to === vault)
        return {
          vault,
          complete: own.filter(({ status }) => status === 'complete').length,
          failed: own.filter(({ status }) => status === 'failed').length,
          snapshots: sum(own.map(({ snapshots }) => snapshots)),
          bytesAdded: sum(own.map(({ bytesAdded }) => bytesAdded)),
        }
      }),
    verifications: { sound: verified('sound'), damaged: verified('damaged'), failed: verified('failed') },
    ...(newest && { newestAt: newest.time }),
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
