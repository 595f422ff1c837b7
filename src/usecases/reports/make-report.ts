import {
  chooseIncidents,
  localVaults,
  readBackDays,
  sumProject,
  sumTotals,
  vaultsOf,
  type Project,
  type ProjectReport,
  type Report,
  type ReportPeriod,
  type Span,
  type VaultReport,
} from '#model'
import type { Services } from '../services.ts'
import { stateOf } from '../vaults/list-vaults.ts'
import { checkHealth, type HealthReport } from '../watch/check-health.ts'

export type ReportServices = Pick<Services, 'catalog' | 'clock' | 'configuration'>

export interface ReportRequest {
  /** The projects that it is about; vaults and incidents that belong to none of them are in it all the same. */
  readonly projects: readonly Project[]
  readonly period: ReportPeriod
  /** What it covers; see spanOf of the model. */
  readonly span: Span
}

const dayMs = 24 * 60 * 60 * 1000
/** More than a month has of one project. */
const mostCleanups = 1000

/** Sums up what happened in a span of time and how things are, by what the catalog knows: no vault is asked. */
export async function makeReport(services: ReportServices, request: ReportRequest): Promise<Report> {
  const { catalog, clock, configuration } = services
  const { projects, period, span } = request
  const at = clock.now()
  const reports: ProjectReport[] = []
  for (const health of await checkHealth(services, projects)) {
    reports.push(
      await reportProject(
        services,
        projects.find(({ name }) => name === health.project)!,
        health,
        span,
        at,
      ),
    )
  }
  const vaults = await reportVaults(services)
  const isAbout = (project: string | undefined): boolean =>
    project === undefined || reports.some((report) => report.project === project) || !isKnown(project)
  const isKnown = (project: string): boolean => configuration.projects.some(({ name }) => name === project)
  const incidents = await catalog.incidents.list({ since: span.from })
  return {
    period,
    span,
    at,
    projects: reports,
    vaults,
    incidents: chooseIncidents(
      incidents.filter(({ project }) => isAbout(project)),
      span,
    ),
    totals: sumTotals(reports, vaults),
  }
}

async function reportProject(
  { catalog, configuration }: ReportServices,
  project: Project,
  health: HealthReport,
  span: Span,
  now: number,
): Promise<ProjectReport> {
  const about = { project: project.name }
  const first = await catalog.runs.first(project.name)
  const latest = await catalog.runs.list({ ...about, limit: 10 })
  const lastRun = latest.find(({ status }) => status !== 'running' && status !== 'cancelled')
  const vaults = vaultsOf(configuration, project).map(({ name }) => name)
  const snapshots = await catalog.snapshots.list({ ...about, kind: 'backup' })
  const facts = {
    project,
    health,
    vaults,
    runs: await catalog.runs.list({ ...about, since: span.from }),
    ...(first && { firstRunAt: first.startedAt }),
    ...(lastRun && { lastRun }),
    // because a vault that the configuration no longer names may be gone
    snapshots: snapshots.filter(({ vault }) => vaults.includes(vault)),
    copies: await catalog.copies.list({ ...about, since: span.from }),
    cleanups: await catalog.cleanups.list({ ...about, limit: mostCleanups }),
    verifications: await catalog.verifications.list({
      ...about,
      since: Math.min(span.from, now - readBackDays * dayMs),
    }),
  }
  return sumProject(facts, span, now, configuration.timezone)
}

async function reportVaults(services: ReportServices): Promise<VaultReport[]> {
  const { vaults } = services.configuration
  const local = localVaults(services.configuration)
  const reports: VaultReport[] = []
  for (const vault of vaults) {
    const { measured, pricePerMonth } = await stateOf(services, vault)
    const { usedBytes, freeBytes, growthBytesPerDay, fullAt } = measured?.capacity ?? {}
    reports.push({
      vault: vault.name,
      isLocal: local.has(vault.name),
      ...(measured && { measuredAt: measured.at }),
      ...(usedBytes !== undefined && { usedBytes }),
      ...(freeBytes !== undefined && { freeBytes }),
      ...(growthBytesPerDay !== undefined && { growthBytesPerDay }),
      ...(fullAt !== undefined && { fullAt }),
      ...(vault.price &&
        pricePerMonth !== undefined && { price: { perMonth: pricePerMonth, currency: vault.price.currency } }),
    })
  }
  return reports
}
