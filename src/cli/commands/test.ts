import { formatBytes, formatSeconds } from '#base'
import { getVault } from '#model'
import { testProject, type RestoreTestReport, type Wanted } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { atMostOne, defineCommand, flag, option, options } from '../command.ts'
import { exit } from '../exit-codes.ts'
import { formatInstant } from '../instant.ts'
import { lookAfter } from '../look-after.ts'
import { date, projectName, snapshotId, vaultName } from '../parsers.ts'
import { findingLines } from '../render-findings.ts'
import { table } from '../table.ts'

export const test = defineCommand({
  examples: [
    'bewaar test --all',
    'bewaar test --project=shop',
    'bewaar test --project=shop --vault=archive --date=2025-11-21',
  ],
  input: {
    projects: options('--project', projectName, { help: 'only this project' }),
    all: flag('--all', { help: 'all projects (the default)' }),
    latest: flag('--latest', { help: 'the newest backup (the default)' }),
    date: option('--date', date, { help: 'the newest backup up to the end of this day' }),
    snapshot: option('--snapshot', snapshotId, { help: 'this one; the beginning of its id is enough' }),
    vault: option('--vault', vaultName, { help: 'from this vault; default: the nearest that has it' }),
  },
  check: ({ all, projects, latest, date, snapshot }) => {
    if (snapshot !== undefined && projects.length !== 1) return '--snapshot needs one --project'
    return (
      atMostOne({ '--all': all, '--project': projects.length > 0 }) ??
      atMostOne({ '--latest': latest, '--date': date, '--snapshot': snapshot })
    )
  },

  run: async (context, { projects, date, snapshot, vault: name }, signal) => {
    const configuration = await context.services.loadConfiguration()
    const chosen = chooseProjects(configuration, projects)
    const vault = name === undefined ? undefined : getVault(configuration, name)
    const wanted: Wanted =
      snapshot !== undefined
        ? { kind: 'snapshot', id: snapshot }
        : date !== undefined
          ? { kind: 'date', date }
          : { kind: 'latest' }
    await using opened = await context.services.open(configuration, context)
    const reports: RestoreTestReport[] = []
    for (const project of chosen) reports.push(await testProject(opened.services, { project, wanted, vault }, signal))
    await lookAfter(opened.services, context, signal)
    return { reports, timezone: configuration.timezone }
  },

  render: ({ reports, timezone }, { width }) => {
    if (reports.length === 0) return ['There are no projects to test.']
    const rows = reports.map((report) => [
      report.project,
      report.vault,
      report.snapshot.slice(0, 8),
      report.madeAt === undefined ? '' : formatInstant(report.madeAt, timezone),
      report.status,
      formatBytes(report.bytes),
      report.rows.toLocaleString('en'),
      report.questions.toLocaleString('en'),
      formatSeconds(report.restoreSeconds),
      formatSeconds(report.seconds),
    ])
    return [
      ...table(columns, rows, width),
      ...reports.flatMap(({ project, findings }) =>
        findings.length > 0 ? [`${project}:`, ...findingLines(findings)] : [],
      ),
    ]
  },

  json: ({ reports }) =>
    reports.map((report) => {
      const { madeAt, startedAt, endedAt: _, ...rest } = report
      const time = madeAt === undefined ? null : new Date(madeAt).toISOString()
      return { ...rest, time, started: new Date(startedAt).toISOString() }
    }),

  exitCode: ({ reports }) => {
    if (reports.some(({ status }) => status === 'failed')) return exit.damaged
    return reports.some(({ status }) => status === 'impossible') ? exit.failed : exit.done
  },
})

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
