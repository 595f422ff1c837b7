import type { CommandEntry } from '../command.ts'

/** All verbs, in the order of the help. Only the module of the verb that is called gets loaded. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'logs',
    summary: 'Show the log of backups, restores and tests',
    load: async () => (await import('./logs.ts')).logs,
  },
  {
    name: 'config',
    summary: 'Show the configuration as it is understood',
    load: async () => (await import('./config.ts')).config,
  },
  {
    name: 'config check',
    summary: 'Check the configuration',
    load: async () => (await import('./config-check.ts')).configCheck,
  },
  {
    name: 'config schema',
    summary: 'Print the JSON Schema of the configuration, for editors',
    load: async () => (await import('./config-schema.ts')).configSchema,
  },
  {
    name: 'completion',
    summary: 'Print the completion script of a shell',
    load: async () => (await import('./completion.ts')).completion,
  },
  {
    name: 'completion-words',
    summary: 'Print names for a completion script',
    hidden: true,
    load: async () => (await import('./completion-words.ts')).completionWords,
  },
]
