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
  'incident.over': {
    kind: 'conflict',
    message: 'The incident {incident} is over',
    hint: 'Run `bewaar incident show {incident}` to see when and by whom it was ended.',
  },
  'incident.lasts': {
    kind: 'conflict',
    message: 'What the incident {incident} is about lasts: {trouble}',
    hint: 'Run `bewaar incident ack {incident}` to be reminded no more; `--force` ends it all the same, and the next look opens another.',
  },
  'cleanup.no-archive': {
    kind: 'invalid',
    message: 'The vault {vault} is no archive of project {project}: its policy there does not say `prune: never`',
    hint: 'What is past its rules there goes by `bewaar cleanup --project={project} --vault={vault}`.',
  },
  'hold.over': {
    kind: 'invalid',
    message: 'A hold until {until} would be over already',
    hint: 'Give a last day that is today or later, or none: it then lasts until it is lifted.',
  },
  'hold.no-snapshot': {
    kind: 'missing',
    message: 'No backup of project {project} has the id {snapshot}',
    hint: 'Run `bewaar list --project={project}` to see the backups that are there.',
  },
  'hold.ambiguous': {
    kind: 'invalid',
    message: '{snapshot} is the beginning of {count} snapshots of project {project}',
    hint: 'Give more characters of the one that is meant.',
  },
  'hold.missing': {
    kind: 'missing',
    message: 'There is no hold {hold}',
    hint: 'Run `bewaar hold list --all` to see them.',
  },
  'hold.lifted': {
    kind: 'conflict',
    message: 'The hold {hold} was lifted already, by {who} at {at}',
    hint: 'Run `bewaar hold list --all` to see why.',
  },
  'watch.no-list': {
    kind: 'invalid',
    message: '{place} does not tell which projects are in it',
    hint: 'Name each of them with `--project`.',
  },
  'watch.nothing-there': {
    kind: 'missing',
    message: 'There is no repository in {place}',
    hint: 'See that the location is that of the vault, and not of one of its projects.',
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
