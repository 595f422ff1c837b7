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
    name: 'test',
    summary: 'Restore backups into a sandbox, and question the data',
    load: async () => (await import('./test.ts')).test,
  },
  {
    name: 'restore',
    summary: 'Restore a backup, into a folder or in place',
    load: async () => (await import('./restore.ts')).restore,
  },
  {
    name: 'dump',
    summary: 'Write one file or database of a backup to standard output',
    load: async () => (await import('./dump.ts')).dump,
  },
  {
    name: 'recover',
    summary: 'Bring Bewaar itself back from one vault and its password',
    load: async () => (await import('./recover.ts')).recover,
  },
  {
    name: 'export',
    summary: 'Write a backup into a sealed archive that needs no Bewaar',
    load: async () => (await import('./export.ts')).exportCommand,
  },
  {
    name: 'kit',
    summary: 'Print a recovery kit: what a person needs when the server is gone',
    load: async () => (await import('./kit.ts')).kit,
  },
  {
    name: 'kit check',
    summary: 'Prove that the password on paper opens the vaults',
    load: async () => (await import('./kit-check.ts')).kitCheck,
  },
  {
    name: 'copy',
    summary: 'Bring other vaults up to date',
    load: async () => (await import('./copy.ts')).copy,
  },
  {
    name: 'cleanup',
    summary: 'Remove what no rule keeps, and free the space',
    load: async () => (await import('./cleanup.ts')).cleanup,
  },
  {
    name: 'hold',
    summary: 'What is kept whatever the rules say: the same as `hold list`',
    load: async () => (await import('./hold-list.ts')).holdList,
  },
  {
    name: 'hold list',
    summary: 'List the holds',
    load: async () => (await import('./hold-list.ts')).holdList,
  },
  {
    name: 'hold add',
    summary: 'Keep backups whatever the rules say',
    load: async () => (await import('./hold-add.ts')).holdAdd,
  },
  {
    name: 'hold lift',
    summary: 'End a hold',
    load: async () => (await import('./hold-lift.ts')).holdLift,
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
    name: 'incident',
    summary: 'What is wrong: the same as `incident list`',
    load: async () => (await import('./incident-list.ts')).incidentList,
  },
  {
    name: 'incident list',
    summary: 'List what is wrong, and what was',
    load: async () => (await import('./incident-list.ts')).incidentList,
  },
  {
    name: 'incident show',
    summary: 'Tell all of one incident',
    load: async () => (await import('./incident-show.ts')).incidentShow,
  },
  {
    name: 'incident ack',
    summary: 'Say that somebody sees to an incident',
    load: async () => (await import('./incident-ack.ts')).incidentAck,
  },
  {
    name: 'incident resolve',
    summary: 'End an incident',
    load: async () => (await import('./incident-resolve.ts')).incidentResolve,
  },
  {
    name: 'notify test',
    summary: 'Send a test message, and say what each channel answers',
    load: async () => (await import('./notify-test.ts')).notifyTest,
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
    name: 'serve',
    summary: 'Do what is due, for as long as it runs: the daemon',
    load: async () => (await import('./serve.ts')).serve,
  },
  {
    name: 'service install',
    summary: 'Write units of systemd, for the daemon or for a timer',
    load: async () => (await import('./service-install.ts')).serviceInstall,
  },
  {
    name: 'service show',
    summary: 'Show these units',
    load: async () => (await import('./service-show.ts')).serviceShow,
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
