import { defineCommand } from '../command.ts'

export const serve = defineCommand({
  examples: ['bewaar serve', 'bewaar serve --verbose', 'bewaar service install   # as a service of systemd'],
  input: {},
  isEndedByInterrupt: true,

  run: async (context, _input, signal) => {
    await context.services.serve(signal)
    return {}
  },

  render: () => [],
})
