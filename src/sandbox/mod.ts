/**
 * Throw-away servers for tests and restore tests: real programs on private sockets and free ports of the loopback, run
 * with no more rights than `nobody` has, gone with their folder when they are disposed of.
 *
 * It knows how to start, stop and ask a server, and must never know what is backed up or restored.
 */
export { sandboxError } from './errors.ts'
export { isMariadbInstalled, startMariadb, type MariadbServer, type MariadbSettings } from './mariadb.ts'
export { isPostgresqlInstalled, startPostgresql, type PostgresqlServer, type PostgresqlSettings } from './postgresql.ts'
export { isS3Installed, startS3, type S3Server } from './s3.ts'
export {
  openWorkplace,
  sweepWorkplaces,
  type ConfinedCall,
  type Workplace,
  type WorkplaceAnswer,
  type WorkplaceOptions,
} from './workplace.ts'
