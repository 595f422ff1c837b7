import { formatBytes, formatCount, formatSeconds } from '#base'
import type { RestoreTestReport } from '#usecases'
import { exit, type ExitCode } from './exit-codes.ts'
import { formatInstant } from './instant.ts'
import { findingLines } from './render-findings.ts'
import { table } from './table.ts'

/** What restore tests came to: a line for each, and what was found. */
export function restoreTestLines(reports: readonly RestoreTestReport[], zone: string, width?: number): string[] {
  const rows = reports.map((report) => [
    report.project,
    report.vault,
    report.snapshot.slice(0, 8),
    report.madeAt === undefined ? '' : formatInstant(report.madeAt, zone),
    report.status,
    formatBytes(report.bytes),
    formatCount(report.rows),
    formatCount(report.questions),
    formatSeconds(report.restoreSeconds),
    formatSeconds(report.seconds),
  ])
  return [
    ...table(columns, rows, width),
    ...reports.flatMap(({ project, findings }) =>
      findings.length > 0 ? [`${project}:`, ...findingLines(findings)] : [],
    ),
  ]
}

/** One restore test for programs. */
export function restoreTestJson(report: RestoreTestReport): object {
  const { madeAt, startedAt, endedAt: _, ...rest } = report
  const time = madeAt === undefined ? null : new Date(madeAt).toISOString()
  return { ...rest, time, started: new Date(startedAt).toISOString() }
}

export function restoreTestExit(reports: readonly Pick<RestoreTestReport, 'status'>[]): ExitCode {
  if (reports.some(({ status }) => status === 'failed')) return exit.damaged
  return reports.some(({ status }) => status === 'impossible') ? exit.failed : exit.done
}

const columns = [
  { title: 'PROJECT' },
  { title: 'VAULT' },
  { title: 'SNAPSHOT' },
  { title: 'MADE' },
  { title: 'RESULT' },
  { title: 'SIZE', align: 'right' as const },
  { title: 'ROWS', align: 'right' as const },
  { title: 'QUESTIONS', align: 'right' as const },
  { title: 'RESTORED IN', align: 'right' as const },
  { title: 'TIME', align: 'right' as const },
]
