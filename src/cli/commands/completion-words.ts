import { listIncidents } from '#usecases'
import { defineCommand, positional } from '../command.ts'
import type { CommandContext } from '../context.ts'
import { oneOf } from '../parsers.ts'

export const completionWords = defineCommand({
  examples: [],
  input: { kind: positional('kind', oneOf(['projects', 'vaults', 'incidents']), { help: 'what to name' }) },

  run: async ({ services }, { kind }) => {
    try {
      const configuration = await services.loadConfiguration()
      if (kind !== 'incidents') return configuration[kind].map(({ name }) => name)
      await using opened = await services.open(configuration, silent)
      return (await listIncidents(opened.services, { all: false, projects: [] })).map(({ id }) => id)
    } catch {
      return [] // because a shell that completes a word has no place for an error
    }
  },

  render: (names) => names,
})

const silent: Pick<CommandContext, 'progress' | 'warn'> = { progress: () => {}, warn: () => {} }
