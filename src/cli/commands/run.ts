import { formatBytes, formatCount, formatSeconds } from '#base'
import { getProject, type DueResult } from '#model'
import { planRun, runPinged, type RunPlan, type RunReport } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { atMostOne, defineCommand, flag, options, type View } from '../command.ts'
import { exit, exitCodeOf, type ExitCode } from '../exit-codes.ts'
import { backUpItself, lookAfter } from '../look-after.ts'
import { projectName } from '../parsers.ts'
import { codeOfDue, dueJson, dueLines } from '../render-due.ts'
import { findingLines } from '../render-findings.ts'
import { table } from '../table.ts'

type Result =
  | { readonly plans: readonly RunPlan[] }
  | { readonly reports: readonly RunReport[]; readonly paused: readonly string[] }
  | { readonly due: DueResult }

export const run = defineCommand({
  examples: [
    'bewaar run',
    'bewaar run --project=shop',
    'bewaar run --project=shop --dry-run',
    'bewaar run --due   # from cron or a timer, every few minutes: all that `serve` would do now',
    'bewaar run --json',
  ],
  input: {
    projects: options('--project', projectName, { help: 'only this project' }),
    dryRun: flag('--dry-run', { help: 'show what would be taken, and change nothing' }),
    force: flag('--force', { help: 'also what is paused' }),
    due: flag('--due', {
      help: 'what the schedules ask for now: runs, copies, verification, clean-up, alarms, reports; nothing beside a daemon',
    }),
  },
  check: ({ projects, dryRun, force, due }) =>
    due
      ? atMostOne({ '--due': due, '--project': projects.length > 0, '--dry-run': dryRun, '--force': force })
      : undefined,

  run: async (context, { projects, dryRun, force, due: isDue }, signal): Promise<Result> => {
    if (isDue) return { due: await context.services.performDue(context, signal) }
    const configuration = await context.services.loadConfiguration()
    for (const name of projects) getProject(configuration, name)
    const chosen = chooseProjects(configuration, projects)
    if (dryRun) {
      const plans: RunPlan[] = []
      for (const project of chosen) plans.push(await planRun(context.services.planning(), project, signal))
      return { plans }
    }
    const due = chosen.filter(({ paused }) => force || !paused)
    const paused = chosen.filter((project) => !due.includes(project)).map(({ name }) => name)
    const reports: RunReport[] = []
    await using opened = await context.services.open(configuration, context)
    for (const project of due) reports.push(await runPinged(opened.services, { project }, signal))
    await backUpItself(opened.services, context, 'due', signal)
    await lookAfter(opened.services, context, signal)
    return { reports, paused }
  },

  render: (result, view) => {
    if ('due' in result) return dueLines(result.due, view)
    return 'plans' in result ? result.plans.flatMap(planLines) : reportLines(result.reports, result.paused, view)
  },

  json: (result) => {
    if ('due' in result) return dueJson(result.due)
    return 'plans' in result ? result.plans : result.reports.map(toJson)
  },

  exitCode: (result) => {
    if ('due' in result) return codeOfDue(result.due)
    return 'plans' in result ? exit.done : codeOf(result.reports)
  },
})

function planLines(plan: RunPlan): string[] {
  const { project, type, path, vault, copies, takes, leavesOut, findings } = plan
  const copied = copies.length > 0 ? `, copied to ${copies.join(', ')}` : ''
  return [
    `${project} (${type}) of ${path}, written to ${vault}${copied}`,
    ...takes.map((line) => `  takes       ${line}`),
    ...wrapped(leavesOut, longestLine).map(
      (line, index) => `  ${index === 0 ? 'leaves out' : ' '.repeat(10)}  ${line}`,
    ),
    ...findingLines(findings),
  ]
}

/** Joined with commas, in lines of at most so many characters where the entries allow it. */
function wrapped(entries: readonly string[], longest: number): string[] {
  const lines: string[] = []
  for (const [index, entry] of entries.entries()) {
    const text = index < entries.length - 1 ? `${entry},` : entry
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + text.length <= longest) lines.push(`${lines.pop()!} ${text}`)
    else lines.push(text)
  }
  return lines
}

function reportLines(reports: readonly RunReport[], paused: readonly string[], { width }: View): string[] {
  if (reports.length + paused.length === 0) return ['The configuration names no projects yet.']
  const rows = reports.map(({ project, status, snapshot, files, bytes, bytesAdded, seconds, vault, copies }) => [
    project,
    status,
    snapshot === undefined ? '' : `${snapshot.slice(0, 8)} in ${vault}`,
    snapshot === undefined ? '' : formatCount(files),
    snapshot === undefined ? '' : formatBytes(bytes),
    snapshot === undefined ? '' : formatBytes(bytesAdded),
    formatSeconds(seconds),
    copies.map((copy) => `${copy.vault} ${copy.status}`).join(', '),
  ])
  return [
    ...(rows.length > 0 ? table(columns, rows, width) : []),
    ...reports.flatMap((report) => underneath(report)),
    ...paused.map((name) => `${name}: paused; --force backs it up all the same`),
  ]
}

const longestLine = 100

const columns = [
  { title: 'PROJECT' },
  { title: 'STATUS' },
  { title: 'SNAPSHOT' },
  { title: 'FILES', align: 'right' as const },
  { title: 'SIZE', align: 'right' as const },
  { title: 'ADDED', align: 'right' as const },
  { title: 'TIME', align: 'right' as const },
  { title: 'COPIES' },
]

/** What there is to say of a run besides its numbers: why it failed, or what was found. */
function underneath({ project, error, findings }: RunReport): string[] {
  if (error) return [`${project}: ${error.message}`, `  ${error.hint}`, `  (${error.code})`]
  return findings.length === 0 ? [] : [`${project}:`, ...findingLines(findings)]
}

function toJson(report: RunReport): unknown {
  const { project, run, status, snapshot, startedAt, seconds, bytes, bytesRead, bytesAdded, files, artifacts, error } =
    report
  return {
    project,
    run,
    status,
    snapshot: snapshot ?? null,
    started: new Date(startedAt).toISOString(),
    seconds: Math.round(seconds * 1000) / 1000,
    bytes,
    bytesRead,
    bytesAdded,
    files,
    artifacts,
    copies: report.copies.map(({ vault, status }) => ({ vault, status })),
    findings: report.findings,
    ...(error && { error: { code: error.code, message: error.message, hint: error.hint } }),
  }
}

/** A run that failed says more than one that is incomplete. */
function codeOf(reports: readonly RunReport[]): ExitCode {
  const failed = reports.find(({ status }) => status === 'failed')
  if (failed) return exitCodeOf(failed.error)
  return reports.some(({ status }) => status === 'incomplete') ? exit.incomplete : exit.done
}
