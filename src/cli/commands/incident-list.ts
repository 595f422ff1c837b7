import { listIncidents } from '#usecases'
import { defineCommand, flag, options } from '../command.ts'
import { projectName } from '../parsers.ts'
import { incidentTable, incidentToJson } from '../render-incidents.ts'

export const incidentList = defineCommand({
  examples: ['bewaar incident list', 'bewaar incident list --all --project=shop', 'bewaar incident list --json'],
  input: {
    all: flag('--all', { help: 'also those that are over' }),
    projects: options('--project', projectName, { help: 'only those of this project' }),
  },

  run: async (context, input) => {
    const configuration = await context.services.loadConfiguration()
    await using opened = await context.services.open(configuration, context)
    const incidents = await listIncidents(opened.services, input)
    return { incidents, timezone: configuration.timezone, isAll: input.all }
  },

  render: ({ incidents, timezone, isAll }, { width }) => incidentTable(incidents, timezone, width, isAll),

  json: ({ incidents }) => incidents.map(incidentToJson),
})
