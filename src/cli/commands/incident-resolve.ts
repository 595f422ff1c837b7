import { resolveIncident } from '#usecases'
import { defineCommand, flag, option, positional } from '../command.ts'
import { incidentId, text } from '../parsers.ts'
import { incidentLines, incidentToJson } from '../render-incidents.ts'

export const incidentResolve = defineCommand({
  examples: ['bewaar incident resolve i-3f09ac --note="the disk was replaced"'],
  input: {
    id: positional('id', incidentId, { help: 'as `bewaar incident list` shows it' }),
    note: option('--note', text, { required: true, help: 'how it was ended, for its timeline' }),
    force: flag('--force', { help: 'also when what it is about lasts; the next look opens another one' }),
  },

  run: async (context, input) => {
    const configuration = await context.services.loadConfiguration()
    await using opened = await context.services.open(configuration, context)
    return { incident: await resolveIncident(opened.services, input), timezone: configuration.timezone }
  },

  render: ({ incident, timezone }) => incidentLines(incident, timezone),

  json: ({ incident }) => incidentToJson(incident),
})
