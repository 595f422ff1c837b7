import { join, normalize } from 'node:path'

import { AppError, textOf } from '#base'
import {
  judgeAnswer,
  judgeFresh,
  type Finding,
  type FreshQuestion,
  type RestoreTesting,
  type SqlAssertion,
  type UploadsQuestion,
} from '#model'
import { localHost, rawPathOf } from '#sources'
import { answer, damage, joined, reasonOf, type Answer } from './answer.ts'
import type { LiveDatabase } from './live-database.ts'
import { projectFolder, type RestoredCopy } from './restored-copy.ts'

/** Asks the databases what the owner of the project wants to know of them. */
export async function askOwnersQuestions(
  { uploads, fresh, assertions }: RestoreTesting,
  copy: RestoredCopy,
  databases: readonly LiveDatabase[],
  timezone: string,
  signal: AbortSignal,
): Promise<Answer> {
  const answers: Answer[] = []
  for (const question of uploads) answers.push(await askUploads(question, copy, databases, signal))
  for (const question of fresh) answers.push(await askFresh(question, copy, databases, timezone, signal))
  for (const assertion of assertions) {
    if (assertion.kind === 'sql') answers.push(await askSql(assertion, databases, signal))
  }
  return joined(answers)
}

type Rows = readonly (readonly (string | null)[])[]

/** A query that cannot be asked makes a test fail: what it was to find out is not known. */
async function ask(
  databases: readonly LiveDatabase[],
  { database, query }: { readonly database?: string; readonly query: string },
  signal: AbortSignal,
): Promise<{ readonly rows: Rows; readonly subject: string } | Finding> {
  const found = chooseDatabase(databases, database)
  if (!found) return damage(database ?? 'database', `there is no such database in the copy to ask: ${query}`)
  try {
    return { rows: await found.ask(query, signal), subject: found.path }
  } catch (thrown) {
    signal.throwIfAborted()
    if (thrown instanceof AppError && reasonOf(thrown) === undefined) throw thrown
    return damage(found.path, `${query}: ${reasonOf(thrown) ?? textOf(thrown)}`)
  }
}

export function chooseDatabase(databases: readonly LiveDatabase[], name: string | undefined): LiveDatabase | undefined {
  if (name === undefined) return databases[0]
  return databases.find((one) => one.name === name || one.path === name)
}

const examplesShown = 3

async function askUploads(
  { query, folder, ...about }: UploadsQuestion,
  copy: RestoredCopy,
  databases: readonly LiveDatabase[],
  signal: AbortSignal,
): Promise<Answer> {
  const asked = await ask(databases, { query, ...about }, signal)
  if (!('rows' in asked)) return answer(1, [asked])
  const root = folder.startsWith('/')
    ? join(projectFolder(copy), `+${folder.slice(1)}`)
    : join(projectFolder(copy), folder)
  const host = localHost('/')
  const [missing, empty, other]: [string[], string[], string[]] = [[], [], []]
  for (const [path, size] of asked.rows) {
    if (path === null || path === undefined || path === '') continue
    const place = normalize(join(root, path))
    const status = place.startsWith(`${root}/`) ? await host.findStatus(rawPathOf(place)) : undefined
    if (status?.kind !== 'file') missing.push(path)
    else if (size !== null && size !== undefined && size !== '' && Number(size) !== status.size) other.push(path)
    else if (status.size === 0 && (size === undefined || size === null)) empty.push(path)
  }
  const total = asked.rows.length
  const say = (paths: readonly string[], what: string): Finding[] => {
    if (paths.length === 0) return []
    const more = paths.length > examplesShown ? ` and ${paths.length - examplesShown} more` : ''
    const named = paths.slice(0, examplesShown).join(', ')
    return [damage(folder, `${paths.length} of ${total} files that the database names ${what}: ${named}${more}`)]
  }
  const findings = [
    ...say(missing, 'are not there'),
    ...say(empty, 'are empty'),
    ...say(other, 'have another size than the database says'),
  ]
  return answer(Math.max(1, total), findings)
}

async function askFresh(
  { query, within, ...about }: FreshQuestion,
  copy: RestoredCopy,
  databases: readonly LiveDatabase[],
  timezone: string,
  signal: AbortSignal,
): Promise<Answer> {
  const asked = await ask(databases, { query, ...about }, signal)
  if (!('rows' in asked)) return answer(1, [asked])
  const trouble = judgeFresh({ within }, asked.rows[0]?.[0], copy.madeAt, timezone)
  return answer(1, trouble === undefined ? [] : [damage(asked.subject, trouble)])
}

async function askSql(
  { sql, database, ...expected }: SqlAssertion,
  databases: readonly LiveDatabase[],
  signal: AbortSignal,
): Promise<Answer> {
  const asked = await ask(databases, { query: sql, ...(database !== undefined && { database }) }, signal)
  if (!('rows' in asked)) return answer(1, [asked])
  const trouble = judgeAnswer(expected, asked.rows)
  return answer(1, trouble === undefined ? [] : [damage(asked.subject, `${sql}: ${trouble}`)])
}
