import { ask, type Connection } from './ask.ts'
import { mysqlError } from './errors.ts'
import { neededGrant } from './failures.ts'
import type { ServerFacts } from './server-facts.ts'

/** Without these, what the account may not see is missing in a dump, or makes it fail. */
const needed = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT'] as const

export interface Grant {
  readonly privileges: ReadonlySet<string>
  /** `*` for all databases, else a pattern as LIKE has it. */
  readonly database: string
  /** `*` for the whole database. */
  readonly object: string
  readonly isRevoked: boolean
}

/**
 * Sees whether the account may read everything in the database. What it may not see is silently missing in a dump: without
 * TRIGGER the dump programs say nothing of triggers, and a table without a right does not exist.
 *
 * @param hiddenRoutines - routines whose text the account cannot see.
 * @throws `source.right-missing` with the statement that gives it.
 */
export async function requireRights(
  connection: Connection,
  server: ServerFacts,
  hiddenRoutines: readonly string[],
  signal?: AbortSignal,
): Promise<void> {
  const { database } = connection
  const grants = await readGrants(connection, server, signal)
  const missing = needed.filter((privilege) => !isGranted(grants, privilege, database))
  const { account } = server
  if (missing.length > 0) {
    const right = `${missing.join(', ')} on all of the database`
    throw mysqlError('source.right-missing', { account, database, right, grant: neededGrant(database) })
  }
  const grant = server.flavour === 'mariadb' ? 'GRANT SELECT ON mysql.* TO …' : 'GRANT SHOW_ROUTINE ON *.* TO …'
  if (hiddenRoutines.length > 0) {
    const right = `the text of the routine ${hiddenRoutines[0]} cannot be seen`
    throw mysqlError('source.right-missing', { account, database, right, grant })
  }
  if (!mayListRoutines(grants, server, database)) {
    throw mysqlError('source.right-missing', { account, database, right: 'routines cannot be seen', grant })
  }
}

function mayListRoutines(grants: readonly Grant[], { flavour }: ServerFacts, database: string): boolean {
  const ofDatabase = ['EXECUTE', 'CREATE ROUTINE', 'ALTER ROUTINE']
  if (ofDatabase.some((privilege) => isGranted(grants, privilege, database))) return true
  if (flavour === 'mysql')
    return ['SHOW_ROUTINE', 'SELECT'].some((privilege) => isGranted(grants, privilege, '', 'all'))
  return isGranted(grants, 'SELECT', 'mysql', 'proc')
}

/**
 * @param database - empty: all databases.
 * @param object - a table that is enough; without it the right must be one on the whole database.
 */
export function isGranted(grants: readonly Grant[], privilege: string, database: string, object?: string): boolean {
  const fitting = grants.filter(
    (grant) =>
      (grant.privileges.has(privilege) || grant.privileges.has('ALL PRIVILEGES')) &&
      (grant.database === '*' || (object !== 'all' && isLike(database, grant.database))) &&
      (grant.object === '*' || grant.object === object),
  )
  return fitting.some(({ isRevoked }) => !isRevoked) && !fitting.some(({ isRevoked }) => isRevoked)
}

export async function readGrants(
  connection: Connection,
  { flavour, version }: ServerFacts,
  signal?: AbortSignal,
): Promise<Grant[]> {
  // MariaDB shows the rights of the role that is on when nobody is named; MySQL when the roles are.
  let of = ''
  if (flavour === 'mysql' && Number.parseInt(version, 10) >= 8) {
    const [role = 'NONE'] = (await ask(connection, ['select current_role()'], signal))[0] ?? []
    if (role !== 'NONE') of = ` for current_user() using ${role}`
  }
  const lines = await ask(connection, [`show grants${of}`], signal)
  return lines.flatMap(([line = '']) => parseGrant(line) ?? [])
}

/** One line of SHOW GRANTS; undefined when it speaks of no right on tables. */
export function parseGrant(line: string): Grant | undefined {
  const shape =
    /^(GRANT|REVOKE) (.+?) ON (?:TABLE )?(?:\*|`((?:[^`]|``)*)`)\.(?:(\*)|`((?:[^`]|``)*)`) (?:TO|FROM) /s.exec(line)
  if (!shape) return undefined
  const [, verb, list = '', database, , object] = shape
  // Rights on columns stand in parentheses behind their names, and are none on the whole table.
  const privileges = list.split(/, (?![^(]*\))/).filter((privilege) => !privilege.includes('('))
  return {
    privileges: new Set(privileges.map((privilege) => privilege.toUpperCase())),
    database: database?.replaceAll('``', '`') ?? '*',
    object: object?.replaceAll('``', '`') ?? '*',
    isRevoked: verb === 'REVOKE',
  }
}

/** Databases in grants are patterns: `_` and `%` stand for others unless a backslash is before them. */
function isLike(name: string, pattern: string): boolean {
  const expression = pattern.replace(/\\([_%\\])|([_%])|[^\w\s]/g, (char, escaped?: string, wild?: string) => {
    if (wild !== undefined) return wild === '%' ? '.*' : '.'
    return `\\u{${(escaped ?? char).codePointAt(0)!.toString(16)}}`
  })
  return new RegExp(`^${expression}$`, 'su').test(name)
}
