import { formatBytes } from '#base'
import { getVault } from '#model'
import { copyProject, type CopyReport } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { defineCommand, option, options } from '../command.ts'
import { cliError } from '../errors.ts'
import { exit, exitCodeOf } from '../exit-codes.ts'
import { projectName, vaultName } from '../parsers.ts'
import { findingLines } from '../render-findings.ts'
import { table } from '../table.ts'

export const copy = defineCommand({
  examples: ['bewaar copy', 'bewaar copy --project=shop --to=archive'],
  input: {
    projects: options('--project', projectName, { help: 'only this project; may be repeated' }),
    to: option('--to', vaultName, { help: 'only to this vault' }),
  },

  run: async (context, { projects, to }, signal) => {
    const configuration = await context.services.loadConfiguration()
    const chosen = chooseProjects(configuration, projects)
    if (to !== undefined) getVault(configuration, to)
    const pairs = chosen.map((project) => ({
      project,
      vaults: project.copies.map((copying) => copying.to).filter((vault) => to === undefined || vault === to),
    }))
    if (to !== undefined && pairs.every(({ vaults }) => vaults.length === 0)) {
      throw cliError('cli.no-copies', { vault: to })
    }
    const reports: CopyReport[] = []
    await using opened = await context.services.open(configuration, context)
    for (const { project, vaults } of pairs) {
      reports.push(...(await copyProject(opened.services, project, vaults, undefined, signal)))
    }
    return reports
  },

  render: (reports, { width }) => {
    if (reports.length === 0) return ['No project has copies in its configuration.']
    const rows = reports.map(({ project, vault, status, snapshots, bytesAdded }) => [
      project,
      vault,
      status,
      snapshots.toLocaleString('en'),
      formatBytes(bytesAdded),
    ])
    return [...table(columns, rows, width), ...reports.flatMap((report) => underneath(report))]
  },

  json: (reports) =>
    reports.map(({ project, vault, status, snapshots, bytesAdded, findings }) => ({
      project,
      vault,
      status,
      snapshots,
      bytesAdded,
      findings,
    })),

  exitCode: (reports) => {
    const failed = reports.find(({ status }) => status === 'failed')
    if (!failed) return exit.done
    return failed.error ? exitCodeOf(failed.error) : exit.damaged
  },
})

const columns = [
  { title: 'PROJECT' },
  { title: 'TO' },
  { title: 'STATUS' },
  { title: 'NEW SNAPSHOTS', align: 'right' as const },
  { title: 'ADDED', align: 'right' as const },
]

/** What there is to say of a copy besides its numbers: why it failed, or what was found. */
function underneath({ project, vault, error, findings }: CopyReport): string[] {
  if (error) return [`${project} to ${vault}: ${error.message}`, `  ${error.hint}`, `  (${error.code})`]
  return findings.length === 0 ? [] : [`${project} to ${vault}:`, ...findingLines(findings)]
}
