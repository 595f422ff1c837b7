import { defineErrors } from '#base'

export const usecaseError = defineErrors({
  'run.in-progress': {
    kind: 'locked',
    message: 'Project {project} is being backed up already, by run {run} of {who} since {since}',
    hint: 'Wait until it has ended. A run whose process is gone is closed by itself.',
  },
  'run.nothing-stored': {
    kind: 'unavailable',
    message: 'Nothing of project {project} could be read: {reason}',
    hint: 'No backup was made. See that the folder is there, and that the user who runs Bewaar may read it.',
  },
  'run.not-quiet': {
    kind: 'unavailable',
    message: 'Project {project} could not be made quiet: {reason}',
    hint: 'Run the program by hand where the project is, or take it out of `quiet` in the configuration.',
  },
  'copy.in-progress': {
    kind: 'locked',
    message: 'Project {project} is being copied to {vault} already, since {since}',
    hint: 'Wait until it has ended. A copy whose process is gone is closed by itself.',
  },
  'vault.emptied': {
    kind: 'missing',
    message: 'Nothing of project {project} is in {place}, where {count} backups were known',
    hint: 'See that its disk is mounted and that the location is right, before anything is written there.',
  },
  'restore.no-backup': {
    kind: 'missing',
    message: 'There is no backup of project {project} {which} in {vaults}',
    hint: 'Run `bewaar list --project={project}` to see the backups that are there.',
  },
  'restore.ambiguous': {
    kind: 'invalid',
    message: '{snapshot} is the beginning of {count} snapshots of project {project}',
    hint: 'Give more characters of the one that is meant, or name a vault with `--vault`.',
  },
  'restore.layout-unknown': {
    kind: 'invalid',
    message: 'Snapshot {snapshot} was not made by a run of Bewaar, so nobody knows where its files belong',
    hint: 'Restore it into a folder with `--to`, and move from there what you need.',
  },
  'restore.no-place': {
    kind: 'invalid',
    message: 'What was asked for ({paths}) is about the backup, and has no place in the project',
    hint: 'Restore it into a folder with `--to`.',
  },
  'restore.part-missing': {
    kind: 'missing',
    message: 'Snapshot {snapshot} holds nothing of {part}',
    hint: 'Run `bewaar restore --project={project} --dry-run` to see what it holds.',
  },
  'restore.elsewhere': {
    kind: 'invalid',
    message: 'Project {project} is on {place}, and nothing can be restored over there yet',
    hint: 'Restore it into a folder here with `--to`, and bring over what you need.',
  },
  'restore.damaged': {
    kind: 'damaged',
    message:
      'Nothing was restored: {count} of the things that are wanted cannot be read from the vault, the first is {first}',
    hint: 'Restore from another vault or an older backup, or what is whole of this one into a folder with `--to`.',
  },
})
