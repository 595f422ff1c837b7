import { defineErrors } from '#base'

export const sourceError = defineErrors({
  'source.missing': {
    kind: 'missing',
    message: 'The folder {path} of the project is not there',
    hint: 'Correct `path` in the configuration, or see whether its disk is mounted.',
  },
  'source.client-missing': {
    kind: 'missing',
    message: 'The program {program} for {server} is not on {place}',
    hint: 'Install the package {package} there.',
  },
  'source.client-old': {
    kind: 'invalid',
    message: '{program} {version} on {place} is older than the server, which is {server}',
    hint: 'Install the package {package} there: a dump of an older client may lack what the server has.',
  },
  'source.server-unreachable': {
    kind: 'unavailable',
    message: 'The database server {server} cannot be used: {reason}',
    hint: 'See that it runs, and that host, port, user and password are those of the backup user.',
  },
  'source.database-missing': {
    kind: 'missing',
    message: 'There is no database {database} on {server}, or the backup user may not see it',
    hint: 'Correct its name in the settings of the project or under `databases` in the configuration.',
  },
  'source.dump-incomplete': {
    kind: 'unavailable',
    message: 'The dump of the database {database} is not whole, so it was not stored: {reason}',
    hint: 'Nothing of it is in the vault. Run it again; if it stays so, dump the database by hand as the same user.',
  },
  'source.tables-unreadable': {
    kind: 'damaged',
    message: 'The tables in {dump} cannot be read: {reason}',
    hint: 'The dump itself is as it was stored. Load it into a server, and ask that for its tables.',
  },
  'source.repository-exists': {
    kind: 'conflict',
    message: '{path} holds a git repository already',
    hint: 'Move its .git folder away first, or fetch from the bundle by hand.',
  },
})
