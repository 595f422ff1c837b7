import { formatBytes, formatCount, formatSeconds } from '#base'
import type { VaultCleanup } from '#usecases'
import { formatInstant } from './instant.ts'
import { findingLines } from './render-findings.ts'
import { table } from './table.ts'

export interface PlanView {
  readonly vaults: readonly VaultCleanup[]
  readonly timezone: string
  /** Also what is kept. */
  readonly all: boolean
}

/** A plan for people: what goes, on request also what stays and why, and the sum of each project in each vault. */
export function planLines({ vaults, timezone, all }: PlanView, width?: number): string[] {
  const rows = vaults.flatMap(({ project, vault, snapshots }) =>
    snapshots
      .filter(({ reasons }) => all || reasons.length === 0)
      .map(({ id, time, bytes, reasons }) => [
        project,
        vault,
        id.slice(0, 8),
        formatInstant(time, timezone),
        formatBytes(bytes),
        reasons.length === 0 ? 'GOES' : reasons.join('; '),
      ]),
  )
  const shown = rows.length === 0 ? [] : [...table(planColumns, rows, width), '']
  return [...shown, ...vaults.flatMap((one) => [sumOf(one), ...underneath(one)])]
}

const planColumns = [
  { title: 'PROJECT' },
  { title: 'VAULT' },
  { title: 'SNAPSHOT' },
  { title: 'TIME' },
  { title: 'SIZE', align: 'right' as const },
  { title: 'KEPT BECAUSE', shrink: true },
]

function sumOf({ project, vault, status, snapshots, freedBytes }: VaultCleanup): string {
  if (status === 'failed') return `${project} in ${vault}: could not be looked at`
  const goes = snapshots.filter(({ reasons }) => reasons.length === 0).length
  if (goes === 0) return `${project} in ${vault}: all ${snapshots.length} stay`
  const freed = freedBytes === undefined ? '' : `, about ${formatBytes(Math.max(0, freedBytes))} would be freed`
  return `${project} in ${vault}: ${goes} of ${snapshots.length} go${goes === 1 ? 'es' : ''}${freed}`
}

/** What a clean-up did. With `isQuiet` only what went, what was stopped and what failed. */
export function doneLines(
  { vaults, isQuiet }: Pick<PlanView, 'vaults'> & { readonly isQuiet: boolean },
  width?: number,
): string[] {
  const shown = vaults.filter(
    ({ status, removed, findings }) => !isQuiet || status !== 'complete' || removed.length + findings.length > 0,
  )
  if (shown.length === 0) return isQuiet ? [] : ['There is nothing to clean up.']
  const rows = shown.map(({ project, vault, status, snapshots, removed, freedBytes, seconds }) => [
    project,
    vault,
    status === 'planned' ? 'nothing goes' : status,
    formatCount(removed.length),
    formatCount(snapshots.length - removed.length),
    formatBytes(Math.max(0, freedBytes ?? 0)),
    formatSeconds(seconds),
  ])
  return [
    ...table(doneColumns, rows, width),
    ...shown.flatMap((one) => {
      const lines = underneath(one)
      return lines.length === 0 ? [] : [`${one.project} in ${one.vault}:`, ...lines]
    }),
  ]
}

const doneColumns = [
  { title: 'PROJECT' },
  { title: 'VAULT' },
  { title: 'STATUS' },
  { title: 'REMOVED', align: 'right' as const },
  { title: 'KEPT', align: 'right' as const },
  { title: 'FREED', align: 'right' as const },
  { title: 'TIME', align: 'right' as const },
]

function underneath({ status, stops, findings, error }: VaultCleanup): string[] {
  const stopped = status === 'planned' ? 'does not go by itself' : 'stopped'
  return [
    ...stops.flatMap(({ kind, text, advice }) => [`  ${stopped} (${kind}): ${text}`, `    ${advice}`]),
    ...findingLines(findings),
    ...(error ? [`    ${error.hint}`, `    (${error.code})`] : []),
  ]
}

export function cleanupToJson(one: VaultCleanup): unknown {
  const { project, vault, status, removed, freedBytes, stops, findings, seconds, snapshots, error } = one
  return {
    project,
    vault,
    status,
    removed,
    freed: freedBytes ?? null,
    stops,
    findings,
    seconds,
    snapshots: snapshots.map(({ id, time, bytes, reasons }) => ({
      snapshot: id,
      time: new Date(time).toISOString(),
      bytes,
      kept: reasons,
    })),
    ...(error && { error: { code: error.code, message: error.message, hint: error.hint } }),
  }
}
