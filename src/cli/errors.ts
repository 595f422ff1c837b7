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
  'cli.not-cleaned': {
    kind: 'invalid',
    message: 'Nothing was removed: {what} needs {answer}',
    hint: 'Look at the plan with `--dry-run`; where nobody can be asked, {instead}.',
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
  'cli.future': {
    kind: 'invalid',
    message: '{until} has not come yet: today is {today}',
    hint: 'Leave out `--until` to have what happened up to now.',
  },
  'cli.unwritable': {
    kind: 'unavailable',
    message: '{file} cannot be written: {reason}',
    hint: 'See that its folder is there and may be written to, or use `-` for standard output.',
  },
  'cli.output': {
    kind: 'unavailable',
    message: 'The result cannot be written to standard output: {reason}',
    hint: 'See where standard output goes, and whether that disk is full.',
  },
  'cli.unit-exists': {
    kind: 'conflict',
    message: 'There is a unit {file} already, and it is another one',
    hint: 'See the difference with `bewaar service install --dry-run`, then repeat with `--force`. Nothing was written.',
  },
})
