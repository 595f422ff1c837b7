import { listVaults } from '#usecases'
import { defineCommand, flag } from '../command.ts'
import { exit, exitCodeOf } from '../exit-codes.ts'
import { vaultLines, vaultsToJson } from '../render-vaults.ts'

export const vaultList = defineCommand({
  examples: ['bewaar vault list', 'bewaar vault list --measure', 'bewaar vault list --json'],
  input: { measure: flag('--measure', { help: 'measure every vault now, and not only what was not for a day' }) },

  run: async (context, { measure }, signal) => {
    const configuration = await context.services.loadConfiguration()
    await using opened = await context.services.open(configuration, context)
    const states = await listVaults(opened.services, measure ? 'always' : 'when-old', signal)
    return { states, timezone: configuration.timezone }
  },

  render: ({ states, timezone }, { width }) => vaultLines(states, timezone, width),

  json: ({ states }) => vaultsToJson(states),

  exitCode: ({ states }) => {
    const failed = states.find(({ trouble }) => trouble)
    return failed ? exitCodeOf(failed.trouble) : exit.done
  },
})
