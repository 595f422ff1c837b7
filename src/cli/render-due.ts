import { formatSeconds } from '#base'
import { describeSubject, type DueResult, type DutyReport } from '#model'
import type { View } from './command.ts'
import { exit, type ExitCode } from './exit-codes.ts'
import { table } from './table.ts'

/** What `run --due` did. Watching and telling are shown only when they failed. */
export function dueLines(result: DueResult, { width }: View): string[] {
  if ('busy' in result) {
    const { verb, pid, host, since } = result.busy
    const other = verb === 'serve' ? 'The daemon' : 'Another `bewaar run --due`'
    return [`${other} does what is due: process ${pid} of ${host}, since ${new Date(since).toISOString()}.`]
  }
  const shown = result.reports.filter(isShown)
  if (shown.length === 0) return ['Nothing is due.']
  const rows = shown.map((report) => [
    report.kind,
    describeSubject(report),
    report.outcome,
    formatSeconds(report.seconds),
    report.text,
  ])
  return table(columns, rows, width)
}

const columns = [
  { title: 'WHAT' },
  { title: 'OF' },
  { title: 'STATUS' },
  { title: 'TIME', align: 'right' as const },
  { title: 'RESULT' },
]

function isShown({ kind, outcome }: DutyReport): boolean {
  return kind !== 'watch' || outcome !== 'done'
}

/** A list of what was done; where another process does it, an empty one. */
export function dueJson(result: DueResult): unknown {
  if ('busy' in result) return []
  return result.reports.map(({ kind, project, vault, part, slot, outcome, seconds, text }) => ({
    duty: kind,
    project: project ?? null,
    vault: vault ?? null,
    part: part ?? null,
    slot: new Date(slot).toISOString(),
    status: outcome,
    seconds: Math.round(seconds * 1000) / 1000,
    text,
  }))
}

export function codeOfDue(result: DueResult): ExitCode {
  if ('busy' in result) return exit.done
  if (result.reports.some(({ outcome }) => outcome === 'failed')) return exit.failed
  return result.reports.some(({ outcome }) => outcome === 'incomplete') ? exit.incomplete : exit.done
}
