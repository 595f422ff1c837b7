import { AppError, randomHex, textOf } from '#base'
import { copySnapshots } from '#engine'
import { getVault, type CopyRecord, type Finding, type Project } from '#model'
import type { Services } from '../services.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault } from '../vaults/open-vault.ts'
import { recordAll } from '../vaults/known-snapshots.ts'

/** What became of the copy of one project in one vault. */
export interface CopyReport {
  readonly project: string
  readonly vault: string
  readonly status: 'complete' | 'failed'
  /** Snapshots that came new into the vault. */
  readonly snapshots: number
  readonly bytesAdded: number
  readonly findings: readonly Finding[]
  readonly error?: AppError
}

type Needed = PlaceServices & Pick<Services, 'catalog' | 'progress'>

/** Brings the vaults up to date that get a copy after each run: those without a schedule of their own. */
export function copyAfterRun(
  services: Needed,
  project: Project,
  run: string,
  signal: AbortSignal,
): Promise<CopyReport[]> {
  const vaults = project.copies.flatMap(({ to, schedule }) => (schedule ? [] : [to]))
  return copyProject(services, project, vaults, run, signal)
}

/**
 * Copies the snapshots of a project that a vault has not got, from the vault that runs write to, one vault after the
 * other. A vault that fails keeps none of the others from getting theirs.
 */
export async function copyProject(
  services: Needed,
  project: Project,
  vaults: readonly string[],
  run: string | undefined,
  signal: AbortSignal,
): Promise<CopyReport[]> {
  const reports: CopyReport[] = []
  for (const to of vaults) {
    const startedAt = services.clock.now()
    let report: CopyReport
    try {
      report = await copyTo(services, project, to, signal)
    } catch (thrown) {
      if (!signal.aborted && !(thrown instanceof AppError)) throw thrown
      const finding = { ...about(project, to), subject: 'copy', severity: 'warning', text: textOf(thrown) } as const
      report = { ...failed(project, to), findings: [finding], ...(thrown instanceof AppError && { error: thrown }) }
    }
    await keep(services, project, report, startedAt, run, signal)
    signal.throwIfAborted()
    reports.push(report)
  }
  return reports
}

async function copyTo(services: Needed, project: Project, to: string, signal: AbortSignal): Promise<CopyReport> {
  const { configuration } = services
  await using source = await openVault(services, getVault(configuration, project.vault), project.name, signal)
  const vault = getVault(configuration, to)
  await using target = await openVault(services, vault, project.name, signal)
  const result = await copySnapshots(
    source.repository,
    target.repository,
    {
      snapshots: 'all',
      verify: 1,
      onProgress: ({ phase, bytesRead, bytesToRead }) =>
        services.progress({
          label: `${project.name}: ${phase === 'verifying' ? `reading back from ${to}` : `copying to ${to}`}`,
          done: bytesRead,
          total: bytesToRead,
          unit: 'bytes',
        }),
    },
    signal,
  )
  await recordAll(services, target.repository, vault, project.name, signal)
  const findings = result.findings.map((finding) => ({ ...about(project, to), ...finding }))
  const status = findings.some(({ severity }) => severity === 'damage') ? 'failed' : 'complete'
  return {
    project: project.name,
    vault: to,
    status,
    snapshots: result.copied.length,
    bytesAdded: result.bytesAdded,
    findings,
  }
}

function about(project: Project, vault: string): { project: string; vault: string } {
  return { project: project.name, vault }
}

function failed(project: Project, vault: string): Omit<CopyReport, 'findings'> {
  return { ...about(project, vault), status: 'failed', snapshots: 0, bytesAdded: 0 }
}

async function keep(
  { catalog, clock }: Needed,
  project: Project,
  report: CopyReport,
  startedAt: number,
  run: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { vault: to, snapshots, bytesAdded, findings } = report
  const endedAt = clock.now()
  const status: CopyRecord['status'] = signal.aborted ? 'cancelled' : report.status
  await catalog.copies.add({
    id: randomHex(8),
    project: project.name,
    from: project.vault,
    to,
    status,
    startedAt,
    endedAt,
    snapshots,
    bytesAdded,
    findings,
    ...(run !== undefined && { run }),
  })
  const because = status === 'complete' ? '' : `: ${findings[0]?.text ?? 'it was interrupted'}`
  const text = `Copy from ${project.vault} to ${to} ${status}, ${snapshots} new${because}`
  const level = status === 'complete' ? 'info' : 'error'
  await catalog.log.add({ time: endedAt, kind: 'copy', level, text, project: project.name, ...(run && { run }) })
}
