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
  'recover.exists': {
    kind: 'conflict',
    message: 'Nothing was written: {file} is there already',
    hint: 'Look whether this machine needs to be recovered at all. Move it aside, or recover into a folder with `--to`.',
  },
  'recover.nothing': {
    kind: 'missing',
    message: 'There is nothing of Bewaar in {place}',
    hint: 'See that the location is that of the vault, and not of one of its projects.',
  },
  'recover.no-snapshot': {
    kind: 'missing',
    message: 'No backup of Bewaar itself in {place} has the id {snapshot}',
    hint: 'Leave out `--snapshot` to take the newest.',
  },
  'kit.no-vaults': {
    kind: 'invalid',
    message: 'No project is kept in any vault yet, so there is nothing to recover',
    hint: 'Add projects to the configuration, then run `bewaar init` and `bewaar run`.',
  },
  'kit.passwords-differ': {
    kind: 'invalid',
    message: 'The vaults {vaults} have different passwords, and shares give one back',
    hint: 'Make a kit for those with the same password, with `--vault`, and another for each of the rest.',
  },
  'export.unsealable': {
    kind: 'invalid',
    message: 'Nothing can be sealed for {for}: {reason}',
    hint: 'See that the recipient is written in full. A key of OpenPGP must be in the keyring of this user, or in a file.',
  },
  'export.no-passphrase': {
    kind: 'invalid',
    message: 'There is no passphrase in {file}: {reason}',
    hint: 'Write a long passphrase into its first line, and let nobody else read the file.',
  },
  'export.no-year': {
    kind: 'missing',
    message: 'There is no backup of project {project} of the year {year}: the newest one up to its end is of {day}',
    hint: 'Run `bewaar list --project={project}` to see the backups that are there, and take one with `--date`.',
  },
  'export.differs': {
    kind: 'damaged',
    message: '{path} in snapshot {snapshot} is not what its manifest says it was',
    hint: 'Nothing was exported. Take another backup, or the same from another vault with `--vault`.',
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
    message: 'Files of project {project} cannot be restored on {place}: {reason}',
    hint: 'See to that; or restore databases alone with `--only=database`, and files into a folder here with `--to`.',
  },
  'restore.same-server': {
    kind: 'conflict',
    message: 'The database {database} is on {server}, which {place} would share with the project as it is',
    hint: 'Leave it alone with `--only=files,config`, and load it by `bewaar dump` where it shall be.',
  },
  'restore.no-server': {
    kind: 'missing',
    message: 'The settings of project {project} do not say which server {path} belongs to',
    hint: 'Name it under `databases` in the configuration, or leave databases alone with `--only=files,config`.',
  },
  'restore.no-right': {
    kind: 'denied',
    message: 'The login {login} may not replace the database {database} on {server}',
    hint: 'Give it the right to make databases, or let it own this one.',
  },
  'restore.no-table': {
    kind: 'invalid',
    message: 'Snapshot {snapshot} of {project} holds no table {table} in a dump of a database server',
    hint: 'manifest.json in the backup names its tables. Databases that are files come back with `--path`.',
  },
  'restore.no-safety': {
    kind: 'unavailable',
    message: 'Nothing was restored: what is there now of project {project} could not be backed up first: {reason}',
    hint: 'See to that; or give `--without-safety`, after which the files that are overwritten cannot be had back.',
  },
  'restore.in-progress': {
    kind: 'locked',
    message: 'Project {project} is being restored already, since {since}',
    hint: 'Wait until that has ended.',
  },
  'restore.command-failed': {
    kind: 'unavailable',
    message: '`{command}` did not work: {reason}',
    hint: 'Run it by hand in the folder of the project to see what it needs.',
  },
  'restore.unhealthy': {
    kind: 'unavailable',
    message: 'The application is not well: {url} was asked {count} times, and {reason}',
    hint: 'Look into its log. Everything of the backup is in place.',
  },
  'restore.stopped': {
    kind: 'unavailable',
    message: 'The restore of project {project} stopped at {step}: {reason}',
    hint: '{standing}',
  },
  'restore.nothing-open': {
    kind: 'missing',
    message: 'No restore of project {project} is there to {verb}',
    hint: 'Run `bewaar logs --project={project} --kind=restore` to see those that were made.',
  },
  'restore.no-way-back': {
    kind: 'conflict',
    message: 'The restore {restore} of project {project} cannot be undone: {reason}',
    hint: 'Run `bewaar restore --project={project} --resume` to go on with it, or restore another backup.',
  },
  'dump.several': {
    kind: 'invalid',
    message: 'The backup {snapshot} of project {project} holds {count} databases, and none was named',
    hint: 'Give one of them with --database, or the path of a file: {known}.',
  },
  'dump.unknown': {
    kind: 'missing',
    message: 'The backup {snapshot} of project {project} holds no database {database}',
    hint: 'Give one of these with --database: {known}.',
  },
  'dump.no-tables': {
    kind: 'invalid',
    message: 'Tables cannot be taken out of {path}',
    hint: 'Tables are taken out of dumps of PostgreSQL, MySQL and MariaDB; take the whole file.',
  },
  'restore.damaged': {
    kind: 'damaged',
    message:
      'Nothing was restored: {count} of the things that are wanted cannot be read from the vault, the first is {first}',
    hint: 'Restore from another vault or an older backup, or what is whole of this one into a folder with `--to`.',
  },
})
