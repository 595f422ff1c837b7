import { defineErrors } from '#base'

export const mysqlError = defineErrors({
  'source.access-refused': {
    kind: 'denied',
    message: 'The database server {server} refuses the backup user: {reason}',
    hint: 'See that user and password are right, and that the server accepts the user from this host.',
  },
  'source.right-missing': {
    kind: 'denied',
    message: 'The account {account} has not the rights that a whole dump of {database} needs: {right}',
    hint: 'As an administrator of the server run: {grant}',
  },
  'source.view-invalid': {
    kind: 'conflict',
    message: 'A view of the database {database} cannot be dumped: {reason}',
    hint: 'Repair or drop the view: a dump with it cannot be loaded either.',
  },
  'source.lock-held': {
    kind: 'locked',
    message: 'A dump of the database {database} waited for a lock for {seconds} seconds: {reason}',
    hint: 'See with SHOW FULL PROCESSLIST who holds it, or choose another time for the backup.',
  },
  'source.table-damaged': {
    kind: 'damaged',
    message: 'A table of the database {database} cannot be read: {reason}',
    hint: 'Run CHECK TABLE on it, then REPAIR TABLE, or restore it from an earlier backup.',
  },
})
