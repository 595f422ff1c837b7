import { defineErrors } from '#base'

export const postgresqlError = defineErrors({
  'source.load-failed': {
    kind: 'conflict',
    message: 'The dump could not be loaded into the database {database}: {reason}',
    hint: 'Drop the database and make it anew, with the roles and extensions of the dump; it holds a part of it now.',
  },
})
