import type { FoundDatabase } from '../server-databases.ts'

/** The driver that a library's word for it means; undefined for what is not dumped. */
export function driverOf(word: string | undefined): FoundDatabase['driver'] | undefined {
  switch (word?.toLowerCase()) {
    case 'pg':
    case 'pgsql':
    case 'postgres':
    case 'postgresql':
    case 'pg-native':
    case 'aurora-postgres':
      return 'postgresql'
    case 'mysql':
    case 'mysql2':
    case 'aurora-mysql':
      return 'mysql'
    case 'mariadb':
      return 'mariadb'
    default:
      return undefined
  }
}
