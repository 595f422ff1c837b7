import { liftHold } from '#usecases'
import { defineCommand, option, positional } from '../command.ts'
import { holdId, text } from '../parsers.ts'
import { holdLines, holdToJson } from '../render-holds.ts'

export const holdLift = defineCommand({
  examples: ['bewaar hold lift h-3f09ac --reason "audit is closed"'],
  input: {
    id: positional('id', holdId, { help: 'as `bewaar hold list` shows it' }),
    reason: option('--reason', text, { required: true, help: 'why it may end' }),
  },

  run: async (context, input) => {
    const configuration = await context.services.loadConfiguration()
    await using opened = await context.services.open(configuration, context)
    return { hold: await liftHold(opened.services, input), timezone: configuration.timezone }
  },

  render: ({ hold, timezone }, { width }) => holdLines([hold], timezone, width),

  json: ({ hold }) => holdToJson(hold),
})
