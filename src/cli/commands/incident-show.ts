import { findIncident } from '#usecases'
import { defineCommand, positional } from '../command.ts'
import { incidentId } from '../parsers.ts'
import { incidentLines, incidentToJson } from '../render-incidents.ts'

export const incidentShow = defineCommand({
  examples: ['bewaar incident show i-3f09ac', 'bewaar incident show i-3f09ac --json'],
  input: { id: positional('id', incidentId, { help: 'as `bewaar incident list` shows it' }) },

  run: async (context, { id }) => {
    const configuration = await context.services.loadConfiguration()
    await using opened = await context.services.open(configuration, context)
    return { incident: await findIncident(opened.services, id), timezone: configuration.timezone }
  },

  render: ({ incident, timezone }) => incidentLines(incident, timezone),

  json: ({ incident }) => incidentToJson(incident),
})
