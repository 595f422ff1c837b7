import { formatBytes, formatCount, textOf } from '#base'
import { getVault, ownProject } from '#model'
import { checkItself, forItself, listBackups, listItself, type HealthReport } from '#usecases'
import { chooseWithItself } from '../choose.ts'
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
    const { projects: chosen, isItself } = chooseWithItself(configuration, projects)
    const only = vault === undefined ? undefined : getVault(configuration, vault)
    await using opened = await context.services.open(configuration, context)
    // because who asks for nothing wants the backups of the projects
    const itself = isItself && projects.length > 0 ? await listItself(opened.services) : []
    const wanted = [...chosen, ...itself]
    const { backups, troubles } = await listBackups(forItself(opened.services), wanted, only, signal)
    for (const { project, vault: where, error } of troubles) {
      context.warn(`${project} in ${where} could not be looked at: ${textOf(error)}`)
    }
    const own = projects.length === 0 ? await checkItself(opened.services) : undefined
    return { backups, troubles, own, timezone: configuration.timezone }
  },

  render: ({ backups, own, timezone }, { width }) => {
    if (backups.length === 0) return ['There are no backups yet.']
    const hasSafety = backups.some(({ safety }) => safety !== undefined)
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
      ...(hasSafety ? [{ title: 'KIND' }] : []),
    ]
    const rows = backups.map(({ time, project, vault, id, files, bytes, added, verifiedAt, testedAt, safety }) => [
      formatInstant(time, timezone),
      project,
      vault,
      id.slice(0, 8),
      formatCount(files),
      formatBytes(bytes),
      added === undefined ? '' : formatBytes(added),
      verifiedAt === undefined ? 'no' : formatInstant(verifiedAt, timezone),
      testedAt === undefined ? 'no' : formatInstant(testedAt, timezone),
      ...(hasSafety ? [safety === undefined ? 'backup' : `safety, before the restore ${safety}`.trimEnd()] : []),
    ])
    return [...table(columns, rows, width), ...(own ? ['', itselfLine(own, timezone)] : [])]
  },

  json: ({ backups }) =>
    backups.map(({ project, vault, id, time, bytes, files, run, added, verifiedAt, testedAt, safety }) => ({
      project,
      vault,
      snapshot: id,
      kind: safety === undefined ? 'backup' : 'safety',
      restore: safety || null,
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

/** When each vault got the newest backup of Bewaar itself, which is no project that could be overdue. */
function itselfLine({ vaults }: HealthReport, timezone: string): string {
  const places = vaults.map(({ vault, newestAt }) =>
    newestAt === undefined ? `${vault} has none` : `${vault} ${formatInstant(newestAt, timezone)}`,
  )
  return `Bewaar itself: ${places.join(', ')} (\`bewaar list --project=${ownProject}\` has all)`
}

function instantOrNull(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString()
}
