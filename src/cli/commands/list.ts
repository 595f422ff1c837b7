import { formatBytes, textOf } from '#base'
import { getVault } from '#model'
import { listBackups } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { defineCommand, option, options } from '../command.ts'
import { exitCodeOf, exit } from '../exit-codes.ts'
import { formatInstant } from '../instant.ts'
import { projectName, vaultName } from '../parsers.ts'
import { table } from '../table.ts'

export const list = defineCommand({
  examples: ['bewaar list', 'bewaar list --project=shop', 'bewaar list --vault=local --json'],
  input: {
    projects: options('--project', projectName, { help: 'only this project' }),
    vault: option('--vault', vaultName, { help: 'only in this vault' }),
  },

  run: async (context, { projects, vault }, signal) => {
    const configuration = await context.services.loadConfiguration()
    const chosen = chooseProjects(configuration, projects)
    const only = vault === undefined ? undefined : getVault(configuration, vault)
    await using opened = await context.services.open(configuration, context)
    const { backups, troubles } = await listBackups(opened.services, chosen, only, signal)
    for (const { project, vault: where, error } of troubles) {
      context.warn(`${project} in ${where} could not be looked at: ${textOf(error)}`)
    }
    return { backups, troubles, timezone: configuration.timezone }
  },

  render: ({ backups, timezone }, { width }) => {
    if (backups.length === 0) return ['There are no backups yet.']
    const columns = [
      { title: 'TIME' },
      { title: 'PROJECT' },
      { title: 'VAULT' },
      { title: 'SNAPSHOT' },
      { title: 'FILES', align: 'right' as const },
      { title: 'SIZE', align: 'right' as const },
      { title: 'ADDED', align: 'right' as const },
      { title: 'VERIFIED' },
      { title: 'TESTED' },
    ]
    const rows = backups.map(({ time, project, vault, id, files, bytes, added, verifiedAt, testedAt }) => [
      formatInstant(time, timezone),
      project,
      vault,
      id.slice(0, 8),
      counts.format(files),
      formatBytes(bytes),
      added === undefined ? '' : formatBytes(added),
      verifiedAt === undefined ? 'no' : formatInstant(verifiedAt, timezone),
      testedAt === undefined ? 'no' : formatInstant(testedAt, timezone),
    ])
    return table(columns, rows, width)
  },

  json: ({ backups }) =>
    backups.map(({ project, vault, id, time, bytes, files, run, added, verifiedAt, testedAt }) => ({
      project,
      vault,
      snapshot: id,
      time: new Date(time).toISOString(),
      bytes,
      files,
      added: added ?? null,
      run: run ?? null,
      verified: instantOrNull(verifiedAt),
      tested: instantOrNull(testedAt),
    })),

  exitCode: ({ troubles }) => (troubles[0] ? exitCodeOf(troubles[0].error) : exit.done),
})

/** One for all rows, because making one takes longer than using it. */
const counts = new Intl.NumberFormat('en')

function instantOrNull(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}
