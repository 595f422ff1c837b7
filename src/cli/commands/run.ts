import { formatBytes, formatSeconds } from '#base'
import { getProject } from '#model'
import { planRun, runProject, type RunPlan, type RunReport } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { defineCommand, flag, options } from '../command.ts'
import { exit, exitCodeOf, type ExitCode } from '../exit-codes.ts'
import { projectName } from '../parsers.ts'
import { findingLines } from '../render-findings.ts'

type Result =
  | { readonly plans: readonly RunPlan[] }
  | { readonly reports: readonly RunReport[]; readonly paused: readonly string[] }

export const run = defineCommand({
  examples: ['bewaar run', 'bewaar run --project=shop', 'bewaar run --project=shop --dry-run', 'bewaar run --json'],
  input: {
    projects: options('--project', projectName, { help: 'only this project; may be repeated' }),
    dryRun: flag('--dry-run', { help: 'show what would be taken, and change nothing' }),
    force: flag('--force', { help: 'also what is paused' }),
  },

  run: async (context, { projects, dryRun, force }, signal): Promise<Result> => {
    const configuration = await context.services.loadConfiguration()
    for (const name of projects) getProject(configuration, name)
    const chosen = chooseProjects(configuration, projects)
    if (dryRun) return { plans: await Promise.all(chosen.map((project) => planRun(project, signal))) }
    const due = chosen.filter(({ paused }) => force || !paused)
    const paused = chosen.filter((project) => !due.includes(project)).map(({ name }) => name)
    const reports: RunReport[] = []
    await using opened = await context.services.open(configuration, context)
    for (const project of due) reports.push(await runProject(opened.services, project, signal))
    return { reports, paused }
  },

  render: (result) => ('plans' in result ? result.plans.flatMap(planLines) : reportLines(result)),

  json: (result) => ('plans' in result ? result.plans : result.reports.map(toJson)),

  exitCode: (result) => ('plans' in result ? exit.done : codeOf(result.reports)),
})

function planLines({ project, type, path, vault, copies, takes, leavesOut, findings }: RunPlan): string[] {
  const copied = copies.length > 0 ? `, copied to ${copies.join(', ')}` : ''
  return [
    `${project} (${type}) of ${path} would be written to ${vault}${copied}`,
    ...takes.map((line) => `  takes       ${line}`),
    ...leavesOut.map((line) => `  leaves out  ${line}`),
    ...findingLines(findings),
  ]
}

function reportLines({ reports, paused }: { reports: readonly RunReport[]; paused: readonly string[] }): string[] {
  const lines = reports.flatMap((report) => [summary(report), ...findingLines(report.findings), ...hintOf(report)])
  const skipped = paused.map((name) => `${name}: paused; --force backs it up all the same`)
  return lines.length + skipped.length === 0 ? ['The configuration names no projects yet.'] : [...lines, ...skipped]
}

function summary(report: RunReport): string {
  const { project, status, snapshot, files, bytes, bytesAdded, seconds, vault, copies } = report
  if (!snapshot) return `${project}: ${status} after ${formatSeconds(seconds)}`
  const copied = copies.map((copy) => `, copy in ${copy.vault} ${copy.status}`).join('')
  const what = `${files.toLocaleString('en')} files, ${formatBytes(bytes)}, ${formatBytes(bytesAdded)} new in ${vault}`
  return `${project}: ${status}, snapshot ${snapshot.slice(0, 8)}, ${what}, ${formatSeconds(seconds)}${copied}`
}

function hintOf({ error }: RunReport): string[] {
  return error ? [`  ${error.hint}`] : []
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
