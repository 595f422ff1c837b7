import { formatBytes } from '#base'
import { reportPeriod, type PeriodReport, type ProjectReport, type ReportPeriod } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { atMostOne, defineCommand, flag, options } from '../command.ts'
import { formatInstant } from '../instant.ts'
import { projectName } from '../parsers.ts'
import { instantOrNull, vaultLines, vaultsToJson } from '../render-vaults.ts'
import { table } from '../table.ts'

export const report = defineCommand({
  examples: ['bewaar report', 'bewaar report --weekly', 'bewaar report --monthly --project=shop --json'],
  input: {
    daily: flag('--daily', { help: 'the last day; the default' }),
    weekly: flag('--weekly', { help: 'the last week' }),
    monthly: flag('--monthly', { help: 'the last month' }),
    projects: options('--project', projectName, { help: 'only this project' }),
  },
  check: ({ daily, weekly, monthly }) => atMostOne({ '--daily': daily, '--weekly': weekly, '--monthly': monthly }),

  run: async (context, { weekly, monthly, projects }, signal) => {
    const configuration = await context.services.loadConfiguration()
    const chosen = chooseProjects(configuration, projects)
    const period: ReportPeriod = monthly ? 'month' : weekly ? 'week' : 'day'
    await using opened = await context.services.open(configuration, context)
    return {
      report: await reportPeriod(opened.services, chosen, period, signal),
      timezone: configuration.timezone,
    }
  },

  render: ({ report, timezone }, { width }) => {
    const span = [report.from, report.to].map((time) => formatInstant(time, timezone).slice(0, 16)).join(' to ')
    return [
      `The last ${report.period}, ${span}`,
      '',
      ...table(
        runColumns,
        report.projects.map((project) => runCells(project, timezone)),
        width,
      ),
      ...copyLines(report.projects, width),
      ...verificationLines(report.projects),
      '',
      ...vaultLines(report.vaults, timezone, width),
    ]
  },

  json: ({ report }) => reportToJson(report),
})

const right = 'right' as const
const runColumns = [
  { title: 'PROJECT', shrink: true },
  { title: 'COMPLETE', align: right },
  { title: 'INCOMPLETE', align: right },
  { title: 'FAILED', align: right },
  { title: 'READ', align: right },
  { title: 'ADDED', align: right },
  { title: 'NEWEST BACKUP' },
]
const copyColumns = [
  { title: 'PROJECT', shrink: true },
  { title: 'COPIED TO' },
  { title: 'COMPLETE', align: right },
  { title: 'FAILED', align: right },
  { title: 'SNAPSHOTS', align: right },
  { title: 'ADDED', align: right },
]

function runCells({ project, runs, bytesRead, bytesAdded, newestAt }: ProjectReport, timezone: string): string[] {
  return [
    project,
    String(runs.complete),
    String(runs.incomplete),
    String(runs.failed),
    formatBytes(bytesRead),
    formatBytes(bytesAdded),
    newestAt === undefined ? 'none' : formatInstant(newestAt, timezone).slice(0, 16),
  ]
}

function copyLines(projects: readonly ProjectReport[], width: number): string[] {
  const rows = projects.flatMap(({ project, copies }) =>
    copies.map(({ vault, complete, failed, snapshots, bytesAdded }) => [
      project,
      vault,
      String(complete),
      String(failed),
      snapshots.toLocaleString('en'),
      formatBytes(bytesAdded),
    ]),
  )
  return rows.length === 0 ? [] : ['', ...table(copyColumns, rows, width)]
}

function verificationLines(projects: readonly ProjectReport[]): string[] {
  const lines = projects.flatMap(({ project, verifications: { sound, damaged, failed } }) => {
    const parts = Object.entries({ sound, damaged, failed }).flatMap(([word, count]) =>
      count === 0 ? [] : [`${count} ${word}`],
    )
    return parts.length === 0 ? [] : [`${project} verified: ${parts.join(', ')}`]
  })
  return lines.length === 0 ? ['', 'Nothing was verified.'] : ['', ...lines]
}

function reportToJson({ period, from, to, projects, vaults }: PeriodReport): unknown {
  return {
    period,
    from: instantOrNull(from),
    to: instantOrNull(to),
    projects: projects.map(({ newestAt, ...project }) => ({ ...project, newest: instantOrNull(newestAt) })),
    vaults: vaultsToJson(vaults),
  }
}
