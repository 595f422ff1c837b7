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
  'cli.not-recovered': {
    kind: 'invalid',
    message: 'Nothing was recovered: writing {count} files needs a yes',
    hint: 'Look at the plan with `--dry-run`, then repeat the command with `--yes`.',
  },
  'cli.kit-exists': {
    kind: 'conflict',
    message: 'No kit was made: {file} is there already',
    hint: 'It may be a kit that is still needed. Name another file with `--to`, or remove it.',
  },
  'cli.no-password': {
    kind: 'invalid',
    message: 'No password was given',
    hint: 'Type it when it is asked for, or name a file of mode 600 with `--password-file`, or shares with `--share-file`.',
  },
  'cli.shares-missing': {
    kind: 'invalid',
    message: 'The password does not come back from these shares: {missing} more needed',
    hint: 'Name each share in a file of its own with `--share-file`.',
  },
  'cli.no-pipe': {
    kind: 'invalid',
    message: 'Bytes that are no text are not written to a terminal',
    hint: 'Pass them on to another program with `|`, or into a file.',
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
