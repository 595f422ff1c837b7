import { getVault } from '#model'
import { testProject, type RestoreTestReport, type Wanted } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { atMostOne, defineCommand, flag, option, options } from '../command.ts'
import { lookAfter } from '../look-after.ts'
import { date, projectName, snapshotId, vaultName } from '../parsers.ts'
import { restoreTestExit, restoreTestJson, restoreTestLines } from '../render-restore-tests.ts'

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

  render: ({ reports, timezone }, { width }) =>
    reports.length === 0 ? ['There are no projects to test.'] : restoreTestLines(reports, timezone, width),

  json: ({ reports }) => reports.map(restoreTestJson),

  exitCode: ({ reports }) => restoreTestExit(reports),
})
