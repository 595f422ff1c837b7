import { listHolds } from '#usecases'
import { getProject } from '#model'
import { defineCommand, flag, option } from '../command.ts'
import { projectName } from '../parsers.ts'
import { holdLines, holdToJson } from '../render-holds.ts'

export const holdList = defineCommand({
  examples: ['bewaar hold list', 'bewaar hold list --project=shop --all'],
  input: {
    project: option('--project', projectName, { help: 'only of this project' }),
    all: flag('--all', { help: 'also those that are over or lifted' }),
  },

  run: async (context, { project, all }) => {
    const configuration = await context.services.loadConfiguration()
    const only = project === undefined ? undefined : getProject(configuration, project)
    await using opened = await context.services.open(configuration, context)
    const holds = (await listHolds(opened.services, only)).filter((hold) => all || hold.isInForce)
    return { holds, timezone: configuration.timezone }
  },

  render: ({ holds, timezone }, { width }) =>
    holds.length === 0 ? ['There are no holds.'] : holdLines(holds, timezone, width),

  json: ({ holds }) => holds.map(holdToJson),
})
