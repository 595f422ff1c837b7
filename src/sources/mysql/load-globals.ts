import { AppError } from '#base'
import type { SourceFinding } from '../finding.ts'
import { statementsOf } from '../globals-statements.ts'
import type { GlobalsOptions, GlobalsResult, LoadTarget } from '../load-contract.ts'
import { connectionOf, knownAccounts } from './inspect-target.ts'
import { execute } from './play.ts'

const quoted = "(?:`(?:[^`]|``)*`|'(?:[^']|'')*')"
const account = new RegExp(`^(?:CREATE (?:USER|ROLE) (?:IF NOT EXISTS )?)(${quoted}(?:@${quoted})?)`)
const grantee = new RegExp(` TO (${quoted}(?:@${quoted})?)`)
/** How an account proves who it is, with its hash. */
const proof = / IDENTIFIED (?:BY PASSWORD|VIA|WITH) .*?(?=$| REQUIRE | WITH | PASSWORD | ACCOUNT | DEFAULT )/s

/** Users and roles that are in globals of MySQL: `shop@localhost`. */
export function accountsIn(statements: readonly string[]): string[] {
  return statements.flatMap((statement) => {
    const found = account.exec(statement)
    return found ? [normal(found[1]!)] : []
  })
}

/** As `loadGlobals`, for MySQL and MariaDB. */
export async function loadMysqlGlobals(
  target: LoadTarget,
  globals: AsyncIterable<Uint8Array>,
  { passwords, only }: GlobalsOptions,
  signal?: AbortSignal,
): Promise<GlobalsResult> {
  const connection = await connectionOf(target, signal)
  // because CREATE … IF NOT EXISTS leaves those that are there as they are, also where they cannot be seen
  const known = (await knownAccounts(connection, signal)) ?? new Set()
  const made: string[] = []
  const left: string[] = []
  const findings: SourceFinding[] = []
  const wanted = (name: string): boolean =>
    only === undefined || only.some((one) => normal(one) === nameOf(name) || normal(one) === normal(name))
  for (const statement of await statementsOf(globals)) {
    const created = account.exec(statement)?.[1]
    const name = created ?? grantee.exec(statement)?.[1]
    if (name === undefined || !wanted(name)) continue
    if (created !== undefined && known.has(normal(created))) {
      left.push(normal(created))
      continue
    }
    const isUser = created !== undefined && statement.startsWith('CREATE USER')
    // because an account without a password would let everybody in
    const text = isUser && !passwords ? `${statement.replace(proof, '')} ACCOUNT LOCK` : statement
    try {
      await execute(connection, [text], signal)
      if (created !== undefined) made.push(normal(created))
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.code !== 'source.load-failed') throw thrown
      const about = created === undefined ? `a right of ${normal(name)}` : normal(name)
      const reason = withoutStatement(String(thrown.facts['reason']))
      findings.push({ subject: 'users', severity: 'warning', text: `${about} was refused: ${reason}` })
    }
  }
  return { made, left, findings }
}

/** The client repeats what it was given, and there may be a hash in it. */
function withoutStatement(reason: string): string {
  return /ERROR \d+ \(\w+\)/.exec(reason)?.[0] ?? 'the server gave no reason'
}

/** `shop@localhost`, whatever the quotes. */
function normal(name: string): string {
  return name.replaceAll(/[`']((?:[^`']|``|'')*)[`']/g, '$1')
}

/** Without the host. */
function nameOf(name: string): string {
  return normal(name).replace(/@[^@]*$/, '')
}
