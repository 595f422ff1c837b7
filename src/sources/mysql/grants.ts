import { AppError } from '#base'
import { rawPathOf } from '../raw-path.ts'
import type { DumpContext } from '../source.ts'
import { shownAddress, type PlainAddress } from '../server-address.ts'
import { ask, connect, firstLine, isOfRights, type Connection } from './ask.ts'
import { flavourOf } from './client.ts'
import type { Flavour } from './option-file.ts'

/** Accounts that every server makes for itself. */
const ownAccounts = new Set(['mariadb.sys', 'mysql.sys', 'mysql.session', 'mysql.infoschema', 'PUBLIC'])

interface Account {
  readonly name: string
  /** Empty for a role of MariaDB. */
  readonly host: string
  readonly isRole: boolean
}

/**
 * Users, roles and grants as SQL that can be run more than once: it makes who is missing, leaves the passwords of those who
 * are there, and grants. Hashes of passwords are in it.
 *
 * An account that may not read them gets its own, with a finding.
 */
export async function* streamGrants(
  context: DumpContext,
  address: PlainAddress,
  at: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const connection = await connect(context.host, address, '', signal)
  const [[version = '', comment = ''] = []] = await ask(connection, ['select version(), @@version_comment'], signal)
  const flavour = flavourOf(`${version} ${comment}`)
  let isAll = true
  let made: { statements: string[]; accounts: number }
  try {
    made = await allAccounts(connection, flavour, signal)
  } catch (thrown) {
    if (!isOfRights(thrown)) throw thrown
    isAll = false
    made = { statements: await statementsFor(connection, flavour, ['current_user()'], signal), accounts: 1 }
    context.report({
      subject: `users of ${shownAddress(address)}`,
      severity: 'notice',
      text: 'the backup user may not read the users of the server, so that only its own grants are kept; to keep all: GRANT SELECT ON mysql.* TO …',
    })
  }
  const heading = `-- Users, roles and grants of a ${flavour === 'mariadb' ? 'MariaDB' : 'MySQL'} server, version ${version}\n`
  yield Buffer.from(
    `${heading}${made.statements.map((statement) => `${statement};\n`).join('')}-- End of users, roles and grants\n`,
  )
  const facts = { serverVersion: version, accounts: made.accounts, complete: isAll ? 'yes' : 'own account only' }
  context.record({ path: rawPathOf(at), kind: 'globals', facts })
}

async function allAccounts(connection: Connection, flavour: Flavour, signal?: AbortSignal) {
  const isRole = flavour === 'mariadb' ? 'is_role' : "'N'"
  const rows = await ask(connection, [`select user, host, ${isRole} from mysql.user order by 3 desc, 1, 2`], signal)
  const accounts = rows
    .map(([name = '', host = '', role]): Account => ({ name, host, isRole: role === 'Y' }))
    .filter(({ name }) => !ownAccounts.has(name))
  const roles = accounts.filter((account) => account.isRole).map(nameOf)
  const users = await known(connection, accounts.filter((account) => !account.isRole).map(nameOf), signal)
  const statements = [
    ...roles.map((role) => `CREATE ROLE IF NOT EXISTS ${role}`),
    ...(await statementsFor(connection, flavour, users, signal)),
    ...(
      await shown(
        connection,
        roles.map((role) => `show grants for ${role}`),
        signal,
      )
    ).filter((line) => !saysNothing(line)),
  ]
  return { statements: [...new Set(statements)].sort(byKind), accounts: accounts.length }
}

/** Accounts before grants, and grants before the roles that are on by default. */
function byKind(one: string, other: string): number {
  const rank = (text: string): number =>
    ['CREATE ROLE', 'CREATE USER', 'GRANT'].findIndex((start) => text.startsWith(start)) >>> 0
  return rank(one) - rank(other)
}

async function statementsFor(
  connection: Connection,
  flavour: Flavour,
  users: readonly string[],
  signal?: AbortSignal,
): Promise<string[]> {
  // The hashes of MySQL 8 are bytes of any value.
  const before = flavour === 'mysql' ? ['/*!80017 set session print_identified_with_as_hex = 1 */'] : []
  const created = await shown(connection, [...before, ...users.map((user) => `show create user ${user}`)], signal)
  const granted = await shown(
    connection,
    users.map((user) => `show grants for ${user}`),
    signal,
  )
  return [
    ...created.map((line) => line.replace(/^CREATE USER (?!IF )/, 'CREATE USER IF NOT EXISTS ')),
    // because the password stands in CREATE USER already, and here it would replace that of a user who is there
    ...granted
      .map((line) => line.replace(/ IDENTIFIED (?:BY PASSWORD|VIA|WITH) .*?(?=$| REQUIRE | WITH )/s, ''))
      .filter((line) => !saysNothing(line)),
  ]
}

function saysNothing(line: string): boolean {
  return /^GRANT USAGE ON \*\.\* TO (?:`(?:[^`]|``)*`(?:@`(?:[^`]|``)*`)?)$/.test(line)
}

/** Leaves out accounts that the server does not know although they stand in its table: names of hosts it never looks up. */
async function known(connection: Connection, users: readonly string[], signal?: AbortSignal): Promise<string[]> {
  const found: string[] = []
  for (let from = 0; from < users.length; from += usersAtOnce) {
    const some = users.slice(from, from + usersAtOnce)
    for (let unknown = 0; unknown !== -1;) {
      unknown = await firstUnknown(connection, some, signal)
      if (unknown !== -1) some.splice(unknown, 1)
    }
    found.push(...some)
  }
  return found
}

async function firstUnknown(connection: Connection, users: readonly string[], signal?: AbortSignal): Promise<number> {
  try {
    await ask(
      connection,
      users.map((user) => `show grants for ${user}`),
      signal,
    )
    return -1
  } catch (thrown) {
    const reason = thrown instanceof AppError ? String(thrown.facts['reason']) : ''
    const line = /^ERROR 1(?:133|141) .*? at line (\d+): /s.exec(reason)?.[1]
    if (line === undefined) throw thrown
    return Number(line) - firstLine
  }
}

/** Users at once in one call. */
const usersAtOnce = 200

async function shown(connection: Connection, statements: readonly string[], signal?: AbortSignal): Promise<string[]> {
  const lines: string[] = []
  for (let from = 0; from < statements.length; from += usersAtOnce) {
    const rows = await ask(connection, statements.slice(from, from + usersAtOnce), signal)
    lines.push(...rows.map((row) => row.join('\t')))
  }
  return lines
}

/** Strings in quotes, because a name in a statement of users is not one of a table. */
function nameOf({ name, host, isRole }: Account): string {
  const quoted = (text: string): string => `'${text.replaceAll("'", "''").replaceAll('\\', '\\\\')}'`
  return isRole ? quoted(name) : `${quoted(name)}@${quoted(host)}`
}
