import { defineErrors } from '#base'

export const cliError = defineErrors({
  'cli.usage': { kind: 'invalid', message: '{message}', hint: '{advice}' },
  'cli.interrupted': {
    kind: 'cancelled',
    message: 'Interrupted by {signal}',
    hint: 'What was stored stays; the next run goes on from there.',
  },
  'cli.not-confirmed': {
    kind: 'invalid',
    message: 'Nothing was restored: writing {what} needs a yes',
    hint: 'Look at the plan with `--dry-run`, then repeat the command with `--yes`.',
  },
  'cli.no-copies': {
    kind: 'invalid',
    message: 'None of these projects has a copy in the vault {vault}',
    hint: 'Name the vault under `copies:` of a project, then run `bewaar init`.',
  },
  'cli.no-source': {
    kind: 'invalid',
    message: 'None of these projects can be copied from the vault {vault} to {to}',
    hint: 'A project is copied between its `vault` and the vaults of its `copies`; see `bewaar config`.',
  },
  'cli.output': {
    kind: 'unavailable',
    message: 'The result cannot be written to standard output: {reason}',
    hint: 'See where standard output goes, and whether that disk is full.',
  },
})
