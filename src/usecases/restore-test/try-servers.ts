import { AppError } from '#base'
import type { Artifact } from '#model'
import { type PostgresqlServer, type Workplace } from '#sandbox'
import { localHost } from '#sources'
import { answer, impossible, joined, notice, type Answer } from './answer.ts'
import type { LiveDatabase } from './live-database.ts'
import { placeOf, type RestoredCopy } from './restored-copy.ts'
import { loadMysqlUsers, questionDefiners, tryMysql } from './try-mysql.ts'
import { loadPostgresqlRoles, tryPostgresql, type RestoredDump } from './try-postgresql.ts'

export interface TriedServers {
  readonly answer: Answer
  readonly databases: readonly LiveDatabase[]
}

/** Loads the dumps of servers into servers of their kind and version, with the roles and users that came with them. */
export async function tryServers(copy: RestoredCopy, workplace: Workplace, signal: AbortSignal): Promise<TriedServers> {
  const { artifacts } = copy.manifest
  const globals = artifacts.filter(({ kind }) => kind === 'globals')
  const isOfMysql = ({ facts = {} }: Artifact): boolean => 'accounts' in facts
  const tried = [
    await tryPostgresqlServer(
      copy,
      workplace,
      globals.filter((one) => !isOfMysql(one)),
      signal,
    ),
    await tryMysqlServer(copy, workplace, globals.filter(isOfMysql), signal),
  ]
  return {
    answer: joined(tried.map((one) => one.answer)),
    databases: tried.flatMap(({ databases }) => databases),
  }
}

async function tryPostgresqlServer(
  copy: RestoredCopy,
  workplace: Workplace,
  globals: readonly Artifact[],
  signal: AbortSignal,
): Promise<TriedServers> {
  const dumps = await dumpsOf(copy, 'postgresql')
  if (dumps.length === 0) return { answer: joined([]), databases: [] }
  const major = Math.max(...dumps.map(({ artifact }) => Number.parseInt(String(artifact.facts?.['server'] ?? 0), 10)))
  const server = await orImpossible(() => workplace.startPostgresql(major > 0 ? { major } : {}, signal), dumps)
  if ('answer' in server) return server
  const answers: Answer[] = [sayVersion(server, major, dumps)]
  for (const one of globals) answers.push(await loadPostgresqlRoles(server, one.path, await textOf(copy, one)))
  const databases: LiveDatabase[] = []
  for (const [number, dump] of dumps.entries()) {
    const tried = await tryPostgresql(server, dump, number, signal)
    answers.push(tried.answer)
    if (tried.database) databases.push(tried.database)
  }
  return { answer: joined(answers), databases }
}

function sayVersion(server: PostgresqlServer, major: number, [first]: readonly RestoredDump[]): Answer {
  if (major === 0 || Number.parseInt(server.version, 10) === major) return answer(0, [])
  const text = `it was loaded into PostgreSQL ${server.version}, because ${major} is not installed here`
  return answer(0, [notice(first!.artifact.path, text)])
}

async function tryMysqlServer(
  copy: RestoredCopy,
  workplace: Workplace,
  globals: readonly Artifact[],
  signal: AbortSignal,
): Promise<TriedServers> {
  const dumps = await dumpsOf(copy, 'mysql')
  if (dumps.length === 0) return { answer: joined([]), databases: [] }
  const server = await orImpossible(() => workplace.startMariadb({}, signal), dumps)
  if ('answer' in server) return server
  const answers: Answer[] = []
  const databases: LiveDatabase[] = []
  for (const dump of dumps) {
    const unlike = whyUnlike(dump.artifact, server.version)
    if (unlike !== undefined) {
      answers.push(impossible(dump.artifact.path, unlike))
      continue
    }
    const tried = await tryMysql(server, dump, signal)
    answers.push(tried.answer)
    if (tried.database) databases.push(tried.database)
  }
  for (const one of globals) answers.push(await loadMysqlUsers(server, one, await textOf(copy, one)))
  const hasAll = globals.some(({ facts }) => facts?.['complete'] === 'yes')
  for (const { name, path } of hasAll ? databases : []) answers.push(await questionDefiners(server, name, path))
  return { answer: joined(answers), databases }
}

/** Because what one of both writes the other does not always read, nor an older one what a newer one writes. */
function whyUnlike({ facts = {} }: Artifact, version: string): string | undefined {
  if (facts['server'] === 'MySQL')
    return `it is of MySQL, and there is no throw-away MySQL here, only MariaDB ${version}`
  const [was, here] = [String(facts['serverVersion'] ?? ''), version].map((one) =>
    one.split('.').map((part) => parseInt(part, 10)),
  )
  if (was![0] === undefined || Number.isNaN(was![0])) return undefined
  const isOlder = here![0]! < was![0] || (here![0] === was![0] && here![1]! < (was![1] ?? 0))
  return isOlder
    ? `it is of MariaDB ${String(facts['serverVersion'])}, and only ${version} is installed here`
    : undefined
}

/** A server that cannot be started says nothing of the backup. */
async function orImpossible<Server extends object>(
  start: () => Promise<Server>,
  dumps: readonly RestoredDump[],
): Promise<Server | TriedServers> {
  try {
    return await start()
  } catch (thrown) {
    if (!(thrown instanceof AppError) || !thrown.code.startsWith('sandbox.')) throw thrown
    return { answer: impossible(dumps[0]!.artifact.path, thrown.message), databases: [] }
  }
}

/** What is in the manifest and not there is found before. */
async function dumpsOf(copy: RestoredCopy, kind: 'postgresql' | 'mysql'): Promise<RestoredDump[]> {
  const host = localHost('/')
  const dumps: RestoredDump[] = []
  for (const artifact of copy.manifest.artifacts.filter((one) => one.kind === kind)) {
    const place = placeOf(copy.folder, artifact)
    if ((await host.findStatus(place))?.kind !== 'file') continue
    dumps.push({ artifact, name: nameOf(artifact.path), read: () => host.read(place) })
  }
  return dumps
}

/** `database/shop.sql` is of `shop`; what stands for a character that no file's name can have is turned back. */
function nameOf(path: string): string {
  const bare = path.replace(/^.*\//, '').replace(/\.(?:sql|dump)$/, '')
  return bare.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
}

async function textOf(copy: RestoredCopy, artifact: Artifact): Promise<string> {
  return (await localHost('/').findText(placeOf(copy.folder, artifact))) ?? ''
}
