import { formatBytes, textOf } from '#base'
import { getVault } from '#model'
import { prepareDump, type PreparedDump, type Wanted } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { atMostOne, defineCommand, flag, option, options, words } from '../command.ts'
import { cliError } from '../errors.ts'
import { formatInstant } from '../instant.ts'
import { date, projectName, snapshotId, text, vaultName } from '../parsers.ts'
import { findingLines } from '../render-findings.ts'

export const dump = defineCommand({
  examples: [
    'bewaar dump --project=shop > shop.sql',
    'bewaar dump --project=shop --date=2025-11-21 --table=invoice | psql shop_copy',
    'bewaar dump --project=shop uploads/logo.png > logo.png',
  ],
  input: {
    project: option('--project', projectName, { required: true, help: 'the project' }),
    latest: flag('--latest', { help: 'the newest backup (the default)' }),
    date: option('--date', date, { help: 'the newest backup up to the end of this day' }),
    snapshot: option('--snapshot', snapshotId, { help: 'this one; the beginning of its id is enough' }),
    vault: option('--vault', vaultName, { help: 'from this vault; default: the nearest that has it' }),
    database: option('--database', text, { help: 'this database; default: the only one' }),
    tables: options('--table', text, { help: 'of the database, this table alone, as SQL' }),
    path: words('path', text, { help: 'a file, in the snapshot or relative to the project' }),
  },
  check: (input) =>
    atMostOne({ '--latest': input.latest, '--date': input.date, '--snapshot': input.snapshot }) ??
    atMostOne({ '--database': input.database, 'a path': input.path.length > 0 }) ??
    atMostOne({ '--table': input.tables.length > 0, 'a path': input.path.length > 0 }) ??
    (input.path.length > 1 ? 'one file at a time is written; `bewaar restore --to` takes several' : undefined),

  run: async (context, input, signal): Promise<void> => {
    if (context.options.json) {
      const advice = 'Run it without --json: what it writes is the file.'
      throw cliError('cli.usage', { message: 'a dump is no JSON document', advice })
    }
    const configuration = await context.services.loadConfiguration()
    const [project] = chooseProjects(configuration, [input.project])
    const request = {
      wanted: wantedBy(input),
      vault: input.vault === undefined ? undefined : getVault(configuration, input.vault),
      database: input.database,
      tables: input.tables,
      path: input.path[0],
    }
    await using opened = await context.services.open(configuration, context, 'restoring')
    await using prepared = await prepareDump(opened.services, project!, request, signal)
    for (const { vault, error } of prepared.troubles) {
      context.warn(`The vault ${vault} could not be looked at: ${textOf(error)}`)
    }
    for (const line of findingLines(prepared.findings)) context.warn(line)
    await context.writeOut(prepared.stream(signal))
    context.note(whatOf(prepared, configuration.timezone))
  },

  // because on standard output there is the file
  render: () => [],
})

function whatOf({ path, bytes, snapshot, project, time, vault, hasChecksum }: PreparedDump, timezone: string): string {
  const from = `snapshot ${snapshot.slice(0, 8)} of ${project}, made ${formatInstant(time, timezone)}, vault ${vault}`
  return `${path} (${formatBytes(bytes)}), ${hasChecksum ? 'with the SHA-256 of the manifest, ' : ''}from ${from}`
}

function wantedBy(input: { date?: string | undefined; snapshot?: string | undefined }): Wanted {
  if (input.snapshot !== undefined) return { kind: 'snapshot', id: input.snapshot }
  return input.date === undefined ? { kind: 'latest' } : { kind: 'date', date: input.date }
}
