import { getVault } from '#model'
import { addHold } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { defineCommand, option } from '../command.ts'
import { cliError } from '../errors.ts'
import { date, projectName, snapshotId, text, vaultName } from '../parsers.ts'
import { holdLines, holdToJson } from '../render-holds.ts'

export const holdAdd = defineCommand({
  examples: [
    'bewaar hold add --project=shop --reason "audit 2026" --until 2027-06-30',
    'bewaar hold add --project=shop --snapshot=3f09ac12 --reason "before the migration"',
  ],
  input: {
    project: option('--project', projectName, { required: true, help: 'the project whose backups are kept' }),
    snapshot: option('--snapshot', snapshotId, {
      help: 'only this one and its copies; default: all, also those to come',
    }),
    vault: option('--vault', vaultName, { help: 'only in this vault' }),
    reason: option('--reason', text, { required: true, help: 'why, for those who see it later' }),
    until: option('--until', date, { help: 'the last day on which it keeps; default: until it is lifted' }),
  },

  run: async (context, { project: name, snapshot, vault, reason, until }, signal) => {
    const configuration = await context.services.loadConfiguration()
    const [project] = chooseProjects(configuration, [name])
    if (vault !== undefined) {
      getVault(configuration, vault)
      const holdsIt = [project!.vault, ...project!.copies.map(({ to }) => to)].includes(vault)
      if (!holdsIt) throw cliError('cli.no-copies', { vault })
    }
    await using opened = await context.services.open(configuration, context)
    const request = {
      project: project!,
      reason,
      ...(snapshot !== undefined && { snapshot }),
      ...(vault !== undefined && { vault }),
      ...(until !== undefined && { until }),
    }
    return { hold: await addHold(opened.services, request, signal), timezone: configuration.timezone }
  },

  render: ({ hold, timezone }, { width }) => holdLines([hold], timezone, width),

  json: ({ hold }) => holdToJson(hold),
})
