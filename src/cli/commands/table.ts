import type { CommandEntry } from '../command.ts'

/** All verbs, in the order of the help. Only the module of the verb that is called gets loaded. */
export const commandTable: readonly CommandEntry[] = [
  {
    name: 'init',
    summary: 'Make the vaults and the catalog, and test every connection',
    load: async () => (await import('./init.ts')).init,
  },
  {
    name: 'run',
    summary: 'Back up all projects or some',
    load: async () => (await import('./run.ts')).run,
  },
  {
    name: 'list',
    summary: 'List the backups',
    load: async () => (await import('./list.ts')).list,
  },
  {
    name: 'verify',
    summary: 'Check vaults and read their data back',
    load: async () => (await import('./verify.ts')).verify,
  },
  {
    name: 'restore',
    summary: 'Restore a backup, into a folder or in place',
    load: async () => (await import('./restore.ts')).restore,
  },
  {
    name: 'copy',
    summary: 'Bring other vaults up to date',
    load: async () => (await import('./copy.ts')).copy,
  },
  {
    name: 'vault',
    summary: 'The vaults: the same as `vault list`',
    load: async () => (await import('./vault-list.ts')).vaultList,
  },
  {
    name: 'vault list',
    summary: 'Show what the vaults are worth, how full they are and what they cost',
    load: async () => (await import('./vault-list.ts')).vaultList,
  },
  {
    name: 'vault probe',
    summary: 'Find out what the vaults really keep, by trying it',
    load: async () => (await import('./vault-probe.ts')).vaultProbe,
  },
  {
    name: 'health',
    summary: 'Say how healthy each project is, and why not',
    load: async () => (await import('./health.ts')).health,
  },
  {
    name: 'report',
    summary: 'Sum up the last day, week or month',
    load: async () => (await import('./report.ts')).report,
  },
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
