import { formatCount } from '#base'
import type { Reason } from '#model'
import type { VaultsReport } from '#usecases'
import { formatInstant } from './instant.ts'
import { instantOrNull } from './render-vaults.ts'
import { table } from './table.ts'

/** What the vaults themselves say. */
export function freshnessLines(reports: readonly VaultsReport[], timezone: string, width: number): string[] {
  if (reports.length === 0) return ['The configuration names no projects yet.']
  const rows = reports.flatMap(({ project, vaults }) =>
    vaults.map(({ vault, verdict, newestAt, snapshots }) => [
      project,
      verdict,
      newestAt === undefined ? 'none' : formatInstant(newestAt, timezone).slice(0, 16),
      formatCount(snapshots),
      vault,
    ]),
  )
  return [...table(columns, rows, width), ...reports.flatMap(linesOf)]
}

const columns = [
  { title: 'PROJECT' },
  { title: 'HEALTH' },
  { title: 'NEWEST BACKUP' },
  { title: 'BACKUPS', align: 'right' as const },
  { title: 'VAULT', shrink: true },
]

function linesOf({ project, verdict, vaults }: VaultsReport): string[] {
  const lines = vaults.flatMap(({ vault, reasons }) => reasons.flatMap((reason) => reasonLines(vault, reason)))
  return lines.length === 0 ? [] : ['', `${project}: ${verdict}`, ...lines]
}

/** Why something is not healthy, and what to do. */
export function reasonLines(about: string, { verdict, text, advice }: Reason): string[] {
  return [`  ${verdict}: ${about}: ${text}`, `    ${advice}`]
}

/** The form for programs, as docs/operate/health.md has it. */
export function freshnessToJson(reports: readonly VaultsReport[]): unknown {
  return reports.map(({ project, verdict, vaults }) => ({
    project,
    verdict,
    vaults: vaults.map(({ vault, verdict, reasons, newestAt, snapshots }) => ({
      vault,
      verdict,
      reasons,
      newest: instantOrNull(newestAt),
      backups: snapshots,
    })),
  }))
}
