import { formatBytes, formatCount, formatSeconds } from '#base'
import { getVault } from '#model'
import {
  chooseCopies,
  copyProject,
  findDueCopies,
  previewCopies,
  type CopyPreview,
  type CopyReport,
  type CopyRequest,
} from '#usecases'
import { chooseProjects } from '../choose.ts'
import { atMostOne, defineCommand, flag, option, options, type View } from '../command.ts'
import { cliError } from '../errors.ts'
import { exit, exitCodeOf, type ExitCode } from '../exit-codes.ts'
import { formatInstant } from '../instant.ts'
import { lookAfter } from '../look-after.ts'
import { projectName, share, vaultName } from '../parsers.ts'
import { findingLines } from '../render-findings.ts'
import { table } from '../table.ts'

type Result =
  | { readonly kind: 'made'; readonly reports: readonly CopyReport[] }
  | { readonly kind: 'previewed'; readonly previews: readonly CopyPreview[]; readonly timezone: string }

export const copy = defineCommand({
  examples: [
    'bewaar copy',
    'bewaar copy --project=shop --to=archive',
    'bewaar copy --due   # from cron or a timer: what its schedule asks for, and what failed',
    'bewaar copy --dry-run',
    'bewaar copy --project=shop --from=archive --to=local',
    'bewaar copy --to=archive --verify=10%',
  ],
  input: {
    projects: options('--project', projectName, { help: 'only this project' }),
    to: option('--to', vaultName, { help: 'only to this vault' }),
    from: option('--from', vaultName, { help: 'copy from this vault (default: the one that runs write to)' }),
    due: flag('--due', { help: 'only the copies whose schedule has come, that failed or that lack a backup' }),
    verify: option('--verify', share, {
      fallback: 1,
      help: 'share of what is sent that is read back, for example 10%',
    }),
    dryRun: flag('--dry-run', { help: 'show what would be copied, and change nothing' }),
  },
  check: ({ due, from }) => atMostOne({ '--due': due, '--from': from }),

  run: async (context, { projects, to, from, due, verify, dryRun }, signal): Promise<Result> => {
    const configuration = await context.services.loadConfiguration()
    const chosen = chooseProjects(configuration, projects)
    for (const name of [to, from]) if (name !== undefined) getVault(configuration, name)
    const wish = { ...(to !== undefined && { to }), ...(from !== undefined && { from }) }
    const wanted = chosen.map((project) => ({ ...chooseCopies(project, wish), verify }))
    if (wanted.every((request) => request.to.length === 0)) refuseIfNamed(to, from)
    await using opened = await context.services.open(configuration, context)
    const { services } = opened
    const reports: CopyReport[] = []
    const previews: CopyPreview[] = []
    for (const request of wanted) {
      const asked = due ? onlyDue(await findDueCopies(services, request.project), request) : request
      if (dryRun) previews.push(...(await previewCopies(services, asked, signal)))
      else reports.push(...(await copyProject(services, asked, signal)))
    }
    if (!dryRun) await lookAfter(services, context, signal)
    if (reports.length + previews.length === 0) context.note(due ? 'No copy is due.' : 'There is nothing to copy to.')
    return dryRun ? { kind: 'previewed', previews, timezone: configuration.timezone } : { kind: 'made', reports }
  },

  render: (result, view) =>
    result.kind === 'made' ? reportLines(result.reports, view) : previewLines(result.previews, result.timezone, view),

  json: (result) => (result.kind === 'made' ? result.reports.map(reportJson) : result.previews.map(previewJson)),

  exitCode: (result) => {
    if (result.kind === 'made') return codeOf(result.reports)
    const failed = result.previews.find(({ error }) => error)
    return failed ? exitCodeOf(failed.error) : exit.done
  },
})

function refuseIfNamed(to: string | undefined, from: string | undefined): void {
  if (from !== undefined) throw cliError('cli.no-source', { vault: from, to: to ?? 'any other vault' })
  if (to !== undefined) throw cliError('cli.no-copies', { vault: to })
}

function onlyDue(due: readonly string[], request: CopyRequest): CopyRequest {
  return { ...request, to: request.to.filter((vault) => due.includes(vault)) }
}

/** A copy that failed for a reason of its own says more than one whose data is damaged. */
function codeOf(reports: readonly CopyReport[]): ExitCode {
  const failed = reports.filter(({ status }) => status === 'failed')
  if (failed.length === 0) return exit.done
  if (failed.some(({ findings }) => findings.some(({ severity }) => severity === 'damage'))) return exit.damaged
  return exitCodeOf(failed.find(({ error }) => error)?.error)
}

function reportLines(reports: readonly CopyReport[], { width }: View): string[] {
  if (reports.length === 0) return []
  const rows = reports.map(({ project, from, vault, status, snapshots, bytesAdded, verified, seconds }) => [
    project,
    from,
    vault,
    status,
    formatCount(snapshots),
    formatBytes(bytesAdded),
    bytesAdded === 0 ? '' : `${Math.round(verified * 100)}%`,
    formatSeconds(seconds),
  ])
  return [...table(reportColumns, rows, width), ...reports.flatMap((report) => underneath(report))]
}

const reportColumns = [
  { title: 'PROJECT' },
  { title: 'FROM' },
  { title: 'TO' },
  { title: 'STATUS' },
  { title: 'NEW SNAPSHOTS', align: 'right' as const },
  { title: 'ADDED', align: 'right' as const },
  { title: 'READ BACK', align: 'right' as const },
  { title: 'TIME', align: 'right' as const },
]

function previewLines(previews: readonly CopyPreview[], timezone: string, { width }: View): string[] {
  if (previews.length === 0) return []
  const columns = [
    { title: 'PROJECT' },
    { title: 'FROM' },
    { title: 'TO' },
    { title: 'MISSING SNAPSHOTS', align: 'right' as const },
    { title: 'SIZE', align: 'right' as const },
    { title: 'THERE', align: 'right' as const },
  ]
  const rows = previews.map(({ project, from, vault, snapshots, bytes, present, error }) => [
    project,
    from,
    vault,
    ...(error ? ['unknown', '', ''] : [formatCount(snapshots.length), formatBytes(bytes), formatCount(present)]),
  ])
  const missing = previews.flatMap(({ project, vault, snapshots }) =>
    snapshots.map(({ id, time }) => `${project} to ${vault}: ${id.slice(0, 8)} of ${formatInstant(time, timezone)}`),
  )
  return [...table(columns, rows, width), ...missing, ...previews.flatMap((preview) => underneath(preview))]
}

/** What there is to say of a copy besides its numbers: why it failed, or what was found. */
function underneath({ project, vault, error, findings }: CopyReport | CopyPreview): string[] {
  if (error) return [`${project} to ${vault}: ${error.message}`, `  ${error.hint}`, `  (${error.code})`]
  return findings.length === 0 ? [] : [`${project} to ${vault}:`, ...findingLines(findings)]
}

function reportJson({ error, seconds, ...report }: CopyReport): unknown {
  return { ...report, seconds: Math.round(seconds * 1000) / 1000, ...errorJson(error) }
}

function previewJson({ error, snapshots, ...preview }: CopyPreview): unknown {
  const missing = snapshots.map(({ id, time }) => ({ snapshot: id, time: new Date(time).toISOString() }))
  return { ...preview, snapshots: missing, ...errorJson(error) }
}

function errorJson(error: CopyReport['error']): object {
  if (!error) return {}
  return { error: { code: error.code, message: error.message, hint: error.hint } }
}
