/**
 * The face that people and scripts meet in a shell: it parses a command line, calls one verb, and shows the result as
 * lines or as JSON. It must never hold a rule, and never reach the catalog or a repository but through a service.
 */
export { commandTable } from './commands/table.ts'
export type {
  CommandContext,
  CommandServices,
  FirstConfiguration,
  GlobalOptions,
  OpenedServices,
  ServiceFile,
  ServiceInstallation,
  ServiceWish,
} from './context.ts'
export { cliError } from './errors.ts'
export { exit, exitCodeOf, type ExitCode } from './exit-codes.ts'
export { runCommandLine, type Setup } from './program.ts'
export type { ProgressReport } from './progress.ts'
export { createTerminal, type Terminal } from './terminal.ts'
