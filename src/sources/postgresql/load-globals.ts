import { randomHex, Secret } from '#base'
import { statementsOf } from '../globals-statements.ts'
import type { GlobalsOptions, GlobalsResult, LoadTarget } from '../load-contract.ts'
import type { SourceFinding } from '../finding.ts'
import { askJson, quotedText, type Scene } from './ask.ts'
import { clientCall, loadFault } from './connection.ts'
import { besideScene, sceneOf } from './inspect-target.ts'
import { demandRestrictable } from './plain-dump.ts'

const name = String.raw`("(?:[^"]|"")+"|[^\s;"]+)`
const shapes = {
  create: new RegExp(`^CREATE ROLE ${name}$`),
  alter: new RegExp(`^(?:ALTER ROLE|COMMENT ON ROLE) ${name} `),
  grant: new RegExp(`^GRANT ${name} TO ${name}`),
  password: / PASSWORD '(?:[^']|'')*'/,
} as const

/** Roles that are in globals of PostgreSQL. */
export function rolesIn(statements: readonly string[]): string[] {
  return statements.flatMap((statement) => {
    const found = shapes.create.exec(statement)
    return found ? [unquoted(found[1]!)] : []
  })
}

/** As `loadGlobals`, for PostgreSQL. */
export async function loadPostgresqlGlobals(
  target: LoadTarget,
  globals: AsyncIterable<Uint8Array>,
  { passwords, only }: GlobalsOptions,
  signal?: AbortSignal,
): Promise<GlobalsResult> {
  const scene = await besideScene(await sceneOf(target, signal), signal)
  demandRestrictable(scene.client, scene.host)
  const statements = await statementsOf(globals)
  const wanted = rolesIn(statements).filter((role) => only === undefined || only.includes(role))
  const known = await askJson<string[]>(scene, `select coalesce(json_agg(rolname), '[]') from pg_roles`, signal)
  const made = new Set(wanted.filter((role) => !known.includes(role)))
  const chosen = statements.flatMap((statement) => {
    const text = choose(statement, made, new Set(wanted))
    return text === undefined ? [] : [passwords ? text : text.replace(shapes.password, '')]
  })
  const refused = await attemptAll(scene, chosen, signal)
  const subject = 'roles'
  const findings = refused.map(([nth, reason]): SourceFinding => {
    return { subject, severity: 'warning', text: `${inWords(chosen[nth]!)} was refused: ${reason}` }
  })
  const spaces = statements.filter((statement) => statement.startsWith('CREATE TABLESPACE ')).length
  const text = `${spaces} tablespaces were not made: their folders must be made first, by an administrator`
  if (spaces > 0) findings.push({ subject, severity: 'notice', text })
  const failed = new Set(refused.map(([nth]) => shapes.create.exec(chosen[nth]!)?.[1]).flatMap((one) => one ?? []))
  return {
    made: [...made].filter((role) => ![...failed].some((one) => unquoted(one) === role)),
    left: wanted.filter((role) => !made.has(role)),
    findings,
  }
}

function choose(statement: string, made: ReadonlySet<string>, wanted: ReadonlySet<string>): string | undefined {
  const role = shapes.create.exec(statement)?.[1] ?? shapes.alter.exec(statement)?.[1]
  if (role !== undefined) return made.has(unquoted(role)) ? statement : undefined
  const grant = shapes.grant.exec(statement)
  if (!grant || !wanted.has(unquoted(grant[2]!))) return undefined
  // because who granted it may not be there, and then the login grants it
  return statement.replace(/ GRANTED BY ("(?:[^"]|"")+"|[^\s;"]+)$/, '')
}

/**
 * Each statement by itself, so that one that is refused stops no other.
 *
 * @returns the refused, by their place in the list.
 */
async function attemptAll(
  scene: Scene,
  statements: readonly string[],
  signal?: AbortSignal,
): Promise<(readonly [nth: number, reason: string])[]> {
  // a word of chance, which no statement can hold
  const tag = `$b${randomHex(12)}$`
  const attempt = (statement: string, nth: number): string =>
    `do ${tag} begin execute ${quotedText(statement)};
     exception when others then insert into pg_temp.bewaar values (${nth}, sqlerrm); end ${tag};`
  const script = [
    'create temporary table bewaar (nth int, reason text);',
    ...statements.map(attempt),
    `select coalesce(json_agg(json_build_array(nth, reason) order by nth), '[]') from pg_temp.bewaar;`,
  ].join('\n')
  const options = ['--no-psqlrc', '--quiet', '--no-align', '--tuples-only', '--set=ON_ERROR_STOP=1', '--file=-']
  const call = clientCall(scene, scene.client.program('psql'), options)
  try {
    // by standard input, because there are passwords in it
    const input = pieces(new Secret(`\\restrict ${randomHex(24)}\n${script}\n`))
    return JSON.parse(await scene.host.run({ ...call, input }, signal)) as [number, string][]
  } catch (thrown) {
    throw loadFault(thrown, scene)
  }
}

async function* pieces(text: Secret): AsyncGenerator<Uint8Array, void, void> {
  yield Buffer.from(text.reveal())
}

/** What a statement is about, without what may be secret in it. */
function inWords(statement: string): string {
  return statement.replace(/ (?:WITH|PASSWORD|IS|SET) [^]*$/, '').slice(0, 120)
}

function unquoted(role: string): string {
  return role.startsWith('"') ? role.slice(1, -1).replaceAll('""', '"') : role
}
