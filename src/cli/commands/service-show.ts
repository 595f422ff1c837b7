import { defineCommand } from '../command.ts'
import { service } from './service-install.ts'

export const serviceShow = defineCommand({
  examples: ['bewaar service show', 'bewaar service show --timer', 'bewaar service show --user'],
  input: service,

  run: async (context, { user, timer }) => {
    const configuration = await context.services.loadConfiguration()
    return await context.services.planService(configuration, { isForUser: user, isTimer: timer })
  },

  render: ({ files }) =>
    files.flatMap(({ file, text }, index) => [...(index > 0 ? [''] : []), `# ${file}`, ...text.trimEnd().split('\n')]),

  json: ({ files }) => files.map(({ file, text, state }) => ({ file, state, text })),
})
