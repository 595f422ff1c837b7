import { defineCommand, positional } from '../command.ts'
import { oneOf } from '../parsers.ts'

export const completionWords = defineCommand({
  examples: [],
  input: { kind: positional('kind', oneOf(['projects', 'vaults']), { help: 'what to name' }) },

  run: async ({ services }, { kind }) => {
    try {
      const configuration = await services.loadConfiguration()
      return configuration[kind].map(({ name }) => name)
    } catch {
      return [] // because a shell that completes a word has no place for an error
    }
  },

  render: (names) => names,
})
