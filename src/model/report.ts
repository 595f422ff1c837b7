import type { CleanupRecord } from './cleanup-record.ts'
import type { Configuration } from './configuration.ts'
import type { ProjectHealth } from './health.ts'
import type { Incident } from './incident.ts'
import type { Criticality, Project } from './project.ts'
import type { CopyRecord, KnownSnapshot, VerificationRecord } from './record.ts'
import { countScheduled, type Scheduled } from './report-slots.ts'
import type { ReportPeriod, Span } from './report-span.ts'
import { runStatuses, type Run, type RunStatus } from './run.ts'
import type { Vault } from './vault.ts'

/** What happened in a span of time, and how things are at one moment. Moments are milliseconds since 1970, UTC; sizes bytes. */
export interface Report {
  readonly period: ReportPeriod
  readonly span: Span
  /** When it was made: what it says of verdicts, newest backups and storage is of this moment. */
  readonly at: number
  readonly projects: readonly ProjectReport[]
  readonly vaults: readonly VaultReport[]
  /** Those that were opened or resolved in the span or are open, the latest first. */
  readonly incidents: readonly Incident[]
  readonly totals: ReportTotals
}

/** What happened to one project in the span, and how it is. */
export interface ProjectReport {
  readonly project: string
  readonly title: string
  readonly criticality: Criticality
  readonly isPaused: boolean
  readonly verdict: ProjectHealth['verdict']
  readonly reasons: readonly ReportReason[]
  /** In any of its vaults; of those that are as new, in the one that runs write to. Absent when it has none. */
  readonly newest?: { readonly at: number; readonly vault: string; readonly bytes: number }
  readonly oldest?: { readonly at: number; readonly vault: string }
  /** The latest that has ended and was not cancelled, whenever that was. */
  readonly lastRun?: LastRun
  /** Of those that were begun in the span. */
  readonly runs: Readonly<Record<RunStatus, number>>
  readonly scheduled: Scheduled
  /** How long these runs took together. */
  readonly seconds: number
  readonly bytesRead: number
  readonly bytesAdded: number
  /** By how much a backup became larger from the beginning of the span to its end; absent when one of both is not known. */
  readonly growthBytes?: number
  /** In the order of the configuration: the one that runs write to first. */
  readonly places: readonly PlaceReport[]
  readonly verifications: Readonly<Record<'sound' | 'damaged' | 'failed', number>>
  readonly cleanups: CleanupsReport
  /** When a backup last passed a restore test; absent when none ever did. */
  readonly testedAt?: number
}

/** Why a project is not healthy. */
export type ReportReason = ProjectHealth['reasons'][number] & {
  /** Absent when it is about no single vault. */
  readonly vault?: string
}

export interface LastRun {
  readonly status: Exclude<RunStatus, 'running' | 'cancelled'>
  readonly at: number
  readonly seconds: number
  /** Of its findings the gravest, unless that is only good to know. */
  readonly because?: string
}

/** A project in one of its vaults, as it is now. */
export interface PlaceReport {
  readonly vault: string
  readonly backups: number
  /** Absent when there are none. */
  readonly newestAt?: number
  readonly oldestAt?: number
  /** How much was read back in the last 30 days, 0 to 1. */
  readonly readBack: number
  /** Those of the span; absent in the vault that runs write to. */
  readonly copies?: CopiesReport
}

export interface CopiesReport {
  readonly complete: number
  readonly failed: number
  readonly snapshots: number
  readonly bytesAdded: number
}

/** Clean-ups that were begun in the span. */
export interface CleanupsReport {
  readonly complete: number
  readonly failed: number
  readonly freedBytes: number
}

export interface VaultReport {
  readonly vault: string
  /** See {@link localVaults}. */
  readonly isLocal: boolean
  /** When it was measured; absent when it never was. */
  readonly measuredAt?: number
  readonly usedBytes?: number
  readonly freeBytes?: number
  readonly growthBytesPerDay?: number
  readonly fullAt?: number
  readonly price?: { readonly perMonth: number; readonly currency: string }
}

export interface ReportTotals {
  readonly scheduled: Scheduled
  readonly localBytes: number
  readonly offsiteBytes: number
  /** By currency. */
  readonly prices: readonly { readonly perMonth: number; readonly currency: string }[]
}

/** What is known of one project, for {@link sumProject}. Records may reach further back than the span. */
export interface ReportFacts {
  readonly project: Project
  readonly health: ProjectHealth
  /** In the order of the configuration: the one that runs write to first. */
  readonly vaults: readonly string[]
  /** All that were begun in the span or later; newest first. */
  readonly runs: readonly Run[]
  readonly firstRunAt?: number
  readonly lastRun?: Run
  /** All that are known. */
  readonly snapshots: readonly KnownSnapshot[]
  /** Those begun in the span, or later. */
  readonly copies: readonly CopyRecord[]
  /** Those begun in the span, or in the last 30 days. */
  readonly verifications: readonly VerificationRecord[]
  /** Those begun in the span, or at other times. */
  readonly cleanups: readonly CleanupRecord[]
}

export const readBackDays = 30
const dayMs = 24 * 60 * 60 * 1000

/** Sums up one project. @param now - the moment of the report. */
export function sumProject(facts: ReportFacts, span: Span, now: number, timezone: string): ProjectReport {
  const { project, health, lastRun, snapshots } = facts
  const { name, title, criticality, paused } = project
  const runs = facts.runs.filter(({ startedAt }) => isIn(span, startedAt))
  const [newest, oldest] = [newestOf(snapshots, project.vault), oldestOf(snapshots)]
  const growth = growthOf(
    snapshots.filter(({ vault }) => vault === project.vault),
    span,
  )
  const tested = snapshots.flatMap(({ testedAt }) => (testedAt === undefined ? [] : [testedAt]))
  return {
    project: name,
    title,
    criticality,
    isPaused: paused,
    verdict: health.verdict,
    reasons: [
      ...health.reasons,
      ...health.vaults.flatMap(({ vault, reasons }) => reasons.map((reason) => ({ ...reason, vault }))),
    ],
    ...(newest && { newest: { at: newest.time, vault: newest.vault, bytes: newest.bytes } }),
    ...(oldest && { oldest: { at: oldest.time, vault: oldest.vault } }),
    ...(lastRun && lastRunOf(lastRun)),
    runs: countRuns(runs),
    scheduled: paused ? { due: 0, succeeded: 0 } : countScheduled(project.schedule, facts, span, now, timezone),
    seconds: sum(runs.map((run) => secondsOf(run))),
    bytesRead: sum(runs.map(({ bytesRead }) => bytesRead)),
    bytesAdded: sum(runs.map(({ bytesAdded }) => bytesAdded)),
    ...(growth !== undefined && { growthBytes: growth }),
    places: facts.vaults.map((vault, index) => sumPlace(vault, facts, now, index === 0 ? undefined : span)),
    verifications: countVerifications(facts.verifications.filter(({ startedAt }) => isIn(span, startedAt))),
    cleanups: countCleanups(facts.cleanups.filter(({ startedAt }) => isIn(span, startedAt))),
    ...(tested.length > 0 && { testedAt: Math.max(...tested) }),
  }
}

/** What all projects and vaults come to. */
export function sumTotals(projects: readonly ProjectReport[], vaults: readonly VaultReport[]): ReportTotals {
  const used = (isLocal: boolean): number =>
    sum(vaults.filter((vault) => vault.isLocal === isLocal).map(({ usedBytes }) => usedBytes ?? 0))
  const prices = Map.groupBy(
    vaults.flatMap(({ price }) => (price ? [price] : [])),
    ({ currency }) => currency,
  )
  return {
    scheduled: {
      due: sum(projects.map(({ scheduled }) => scheduled.due)),
      succeeded: sum(projects.map(({ scheduled }) => scheduled.succeeded)),
    },
    localBytes: used(true),
    offsiteBytes: used(false),
    prices: [...prices].map(([currency, all]) => ({ currency, perMonth: sum(all.map(({ perMonth }) => perMonth)) })),
  }
}

/** Those that belong into a report: opened or resolved in its span, or open; the latest first. */
export function chooseIncidents(incidents: readonly Incident[], span: Span): Incident[] {
  return incidents
    .filter(({ openedAt, resolvedAt }) => resolvedAt === undefined || isIn(span, openedAt) || isIn(span, resolvedAt))
    .toSorted((a, b) => b.openedAt - a.openedAt)
}

/** The projects that need somebody, the most critical first. */
export function troubledProjects({ projects }: Pick<Report, 'projects'>): ProjectReport[] {
  return projects
    .filter(({ verdict }) => verdict !== 'healthy')
    .toSorted((a, b) => gravity[a.criticality] - gravity[b.criticality])
}

/** Open incidents that no project of the report tells about: of a vault, the clock, a channel. */
export function otherTroubles({ projects, incidents }: Pick<Report, 'projects' | 'incidents'>): Incident[] {
  const told = new Set(troubledProjects({ projects }).map(({ project }) => project))
  return incidents.filter(
    ({ resolvedAt, project }) => resolvedAt === undefined && (project === undefined || !told.has(project)),
  )
}

/** Those that are healthy, though a verification of the span found damage: another one was sound since. */
export function onceDamaged({ projects }: Pick<Report, 'projects'>): ProjectReport[] {
  return projects.filter(({ verdict, verifications }) => verdict === 'healthy' && verifications.damaged > 0)
}

/** Whether nobody has to look at anything. */
export function isAllWell(report: Pick<Report, 'projects' | 'incidents'>): boolean {
  const troubles = [...troubledProjects(report), ...otherTroubles(report), ...onceDamaged(report)]
  return report.projects.length > 0 && troubles.length === 0
}

/**
 * The vaults that burn together with this machine: those in a folder of it, unless they are said to be at another site than
 * the vaults that runs write to; and those that are said to be at the same.
 */
export function localVaults({ vaults, projects }: Pick<Configuration, 'vaults' | 'projects'>): Set<string> {
  const siteOf = ({ place }: Vault): string | undefined => place?.site?.trim().toLowerCase()
  const isHere = ({ location }: Vault): boolean => location.kind === 'local'
  const written = vaults.filter((vault) => isHere(vault) && projects.some((project) => project.vault === vault.name))
  const sites = new Set(written.map(siteOf).filter((site) => site !== undefined))
  const local = vaults.filter((vault) => {
    const site = siteOf(vault)
    return site === undefined || sites.size === 0 ? isHere(vault) : sites.has(site)
  })
  return new Set(local.map(({ name }) => name))
}

const gravity: Readonly<Record<Criticality, number>> = { critical: 0, high: 1, medium: 2, low: 3 }

function isIn({ from, to }: Span, time: number): boolean {
  return from <= time && time < to
}

function newestOf(snapshots: readonly KnownSnapshot[], preferred: string): KnownSnapshot | undefined {
  const rank = ({ vault }: KnownSnapshot): number => (vault === preferred ? 0 : 1)
  return snapshots.toSorted((a, b) => b.time - a.time || rank(a) - rank(b))[0]
}

function oldestOf(snapshots: readonly KnownSnapshot[]): KnownSnapshot | undefined {
  return snapshots.toSorted((a, b) => a.time - b.time)[0]
}

function growthOf(snapshots: readonly KnownSnapshot[], { from, to }: Span): number | undefined {
  const before = (moment: number): KnownSnapshot | undefined =>
    newestOf(
      snapshots.filter(({ time }) => time < moment),
      '',
    )
  const [first, last] = [before(from), before(to)]
  return first && last ? last.bytes - first.bytes : undefined
}

function lastRunOf(run: Run): { lastRun?: LastRun } {
  const { status, startedAt, findings } = run
  if (status === 'running' || status === 'cancelled') return {}
  const grave = findings.find(({ severity }) => severity === 'damage')
  const worst = grave ?? findings.find(({ severity }) => severity === 'warning')
  const because = worst && (worst.subject === 'run' ? worst.text : `${worst.subject}: ${worst.text}`)
  return {
    lastRun: { status, at: startedAt, seconds: secondsOf(run), ...(because !== undefined && { because }) },
  }
}

function secondsOf({ startedAt, endedAt }: Run): number {
  return endedAt === undefined ? 0 : (endedAt - startedAt) / 1000
}

function countRuns(runs: readonly Run[]): Record<RunStatus, number> {
  const counts = runStatuses.map((status) => [status, runs.filter((run) => run.status === status).length] as const)
  return Object.fromEntries(counts) as Record<RunStatus, number>
}

/** @param copiesIn - absent: no copies are made to it. */
function sumPlace(vault: string, facts: ReportFacts, now: number, copiesIn: Span | undefined): PlaceReport {
  const own = facts.snapshots.filter((snapshot) => snapshot.vault === vault)
  const [newest, oldest] = [newestOf(own, vault), oldestOf(own)]
  return {
    vault,
    backups: own.length,
    ...(newest && { newestAt: newest.time }),
    ...(oldest && { oldestAt: oldest.time }),
    readBack: shareReadBack(vault, facts, now),
    ...(copiesIn && { copies: sumCopies(vault, facts, copiesIn) }),
  }
}

function sumCopies(vault: string, { copies }: ReportFacts, span: Span): CopiesReport {
  const own = copies.filter(({ to, startedAt }) => to === vault && isIn(span, startedAt))
  return {
    complete: own.filter(({ status }) => status === 'complete').length,
    failed: own.filter(({ status }) => status === 'failed').length,
    snapshots: sum(own.map((copy) => copy.snapshots)),
    bytesAdded: sum(own.map(({ bytesAdded }) => bytesAdded)),
  }
}

function countVerifications(verifications: readonly VerificationRecord[]): ProjectReport['verifications'] {
  const count = (status: string): number => verifications.filter((one) => one.status === status).length
  return { sound: count('sound'), damaged: count('damaged'), failed: count('failed') }
}

function countCleanups(cleanups: readonly CleanupRecord[]): CleanupsReport {
  return {
    complete: cleanups.filter(({ status }) => status === 'complete').length,
    failed: cleanups.filter(({ status }) => status === 'failed').length,
    freedBytes: sum(cleanups.map(({ freedBytes }) => freedBytes)),
  }
}

/** The sum of the shares, because verifications on a schedule each read another part. */
function shareReadBack(vault: string, { verifications }: ReportFacts, now: number): number {
  const read = verifications.filter(
    (one) =>
      one.vault === vault &&
      (one.status === 'sound' || one.status === 'damaged') &&
      one.startedAt > now - readBackDays * dayMs &&
      one.startedAt <= now,
  )
  // because 30 thirtieths are all of it, and not a billionth less
  return Math.min(1, Math.round(sum(read.map(({ share }) => share)) * 1e9) / 1e9)
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0)
}
