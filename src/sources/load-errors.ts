import { defineErrors } from '#base'

/** What keeps a dump from being loaded, whatever the server. */
export const loadError = defineErrors({
  'source.load-failed': {
    kind: 'conflict',
    message: 'The dump could not be loaded into the database {database}: {reason}',
    hint: 'See whether roles and extensions of the dump are there, and whether the login may make what is in it.',
  },
  'source.load-differs': {
    kind: 'damaged',
    message: 'What was loaded into the database {database} is not what the backup holds: {reason}',
    hint: 'Nothing was put in place of what was there. Take an older backup, or another vault.',
  },
  'source.dump-refused': {
    kind: 'damaged',
    message: 'The dump for the database {database} was refused: {reason}',
    hint: 'Verify the backup with `bewaar verify`, and take an older one, or another vault.',
  },
  'source.client-unsafe': {
    kind: 'invalid',
    message: '{program} {version} on {place} would run commands that a dump may hold',
    hint: 'Update the package of the client there. What you trust can be loaded by hand, as RESTORE.md says.',
  },
  'source.server-older': {
    kind: 'invalid',
    message: 'The dump comes from version {dump}, and the server {server} has version {version}',
    hint: 'Load it into a server of the same version or a newer one.',
  },
  'source.target-filled': {
    kind: 'conflict',
    message: 'The database {database} on {server} is not empty: it holds {what}',
    hint: 'Say that it is to be replaced, or load into another database.',
  },
  'source.table-missing': {
    kind: 'missing',
    message: 'There is no table {table} in the dump',
    hint: 'Tables are named as in the manifest, such as public.invoice or invoice: see manifest.json of the backup.',
  },
  'source.no-way-back': {
    kind: 'invalid',
    message: 'The load of the database {database} cannot be undone: {reason}',
    hint: 'Restore the safety backup that was made before it.',
  },
})
