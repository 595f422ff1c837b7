import { acknowledgeIncident } from '#usecases'
import { defineCommand, option, positional } from '../command.ts'
import { incidentId, text } from '../parsers.ts'
import { incidentLines, incidentToJson } from '../render-incidents.ts'

export const incidentAck = defineCommand({
  examples: ['bewaar incident ack i-3f09ac', 'bewaar incident ack i-3f09ac --note="a new disk comes on Monday"'],
  input: {
    id: positional('id', incidentId, { help: 'as `bewaar incident list` shows it' }),
    note: option('--note', text, { help: 'what is done about it, for its timeline' }),
  },

  run: async (context, { id, note }) => {
    const configuration = await context.services.loadConfiguration()
    await using opened = await context.services.open(configuration, context)
    const incident = await acknowledgeIncident(opened.services, { id, ...(note !== undefined && { note }) })
    return { incident, timezone: configuration.timezone }
  },

  render: ({ incident, timezone }) => incidentLines(incident, timezone),

  json: ({ incident }) => incidentToJson(incident),
})
