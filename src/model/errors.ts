import { defineErrors } from '#base'

export const modelError = defineErrors({
  'duration.invalid': {
    kind: 'invalid',
    message: '{text} is not a length of time, for example "30 days"',
    hint: 'Write a number and a unit: minutes, hours, days, weeks, months or years.',
  },
  'schedule.invalid': {
    kind: 'invalid',
    message: '{text} is not a schedule: {reason}, for example "daily 03:00"',
    hint: 'Write daily 03:00, weekly sunday 05:00, monthly 1 04:00, every 4 hours or cron "0 3 * * *".',
  },
  'time.invalid': {
    kind: 'invalid',
    message: '{text} is not a time of day from 00:00 to 23:59',
    hint: 'Write hours and minutes, for example 08:00.',
  },
  'location.invalid': {
    kind: 'invalid',
    message: '{text} is not a location: {reason}',
    hint: 'Write a local path, sftp://user@host/path, s3://endpoint/bucket/prefix, rest:https://user@host/path or rest+ssh://user@host.',
  },
  'manifest.damaged': {
    kind: 'damaged',
    message: 'The manifest of the backup cannot be understood: {reason}',
    hint: 'Restore the files themselves; they do not need the manifest. Then run `bewaar verify`.',
  },
  'recovery.damaged': {
    kind: 'damaged',
    message: 'What the backup of Bewaar itself says of itself cannot be understood: {reason}',
    hint: 'Take an older one with `--snapshot`, or restore its files with restic: RESTORE.md in it says how.',
  },
  'project.missing': {
    kind: 'missing',
    message: 'There is no project {project} in {file}{suggestion}',
    hint: 'Run `bewaar config` to see the projects.',
  },
  'vault.missing': {
    kind: 'missing',
    message: 'There is no vault {vault} in {file}{suggestion}',
    hint: 'Run `bewaar config` to see the vaults.',
  },
  'vault.lock-term': {
    kind: 'invalid',
    message: 'The vault {vault} locks what is stored, and nothing says how long for the project {project}',
    hint: 'Give it a term, such as `for: 7 years` or `within: 30 days`, under projects.{project}.keep.{vault}.',
  },
  'config.unsupported': {
    kind: 'invalid',
    message: '{part}',
    hint: 'Run `bewaar config check` to see all that this version of Bewaar cannot do.',
  },
})
