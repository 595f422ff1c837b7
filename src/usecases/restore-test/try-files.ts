import { AppError } from '#base'
import { performRestore, planRestore, type Repository } from '#engine'
import { compareRows, type Artifact } from '#model'
import type { Workplace } from '#sandbox'
import { countRecords, examineSqlite, localHost } from '#sources'
import { answer, damage, impossible, reasonOf, type Answer } from './answer.ts'
import { placeOf, type RestoredCopy } from './restored-copy.ts'
import type { Tried } from './try-postgresql.ts'

/** Looks through a SQLite database at its place in the copy. */
export async function trySqlite(copy: RestoredCopy, artifact: Artifact, signal: AbortSignal): Promise<Tried> {
  const { path, rows = {} } = artifact
  const database = placeOf(copy.folder, artifact)
  const { complaints, rows: found } = await examineSqlite({ database, queries: [], wholly: true }, signal)
  if (complaints.length > 0 && Object.keys(found).length === 0) {
    return { answer: answer(1, [damage(path, `SQLite cannot read it: ${complaints.join('; ')}`)]) }
  }
  const findings = [...complaints.map((complaint) => damage(path, complaint)), ...compareRows(path, rows, found)]
  const total = Object.values(found).reduce((sum, count) => sum + count, 0)
  const place = Buffer.from(database, 'latin1').toString()
  return {
    answer: answer(Object.keys(rows).length + 2, findings, total),
    database: {
      name: path.replace(/^files\//, ''),
      path,
      environment: { DB_CONNECTION: 'sqlite', DB_DATABASE: place, DB_URL: '' },
      ask: async (query, stop) => {
        const { answers } = await examineSqlite({ database, queries: [query], wholly: false }, stop)
        const [first] = answers
        if (first && 'rows' in first) return first.rows
        throw new Error(first?.failed ?? 'it gives no answer')
      },
    },
  }
}

/** Reads a JSON database, and counts its records. */
export async function tryJson(copy: RestoredCopy, artifact: Artifact): Promise<Answer> {
  const { path, rows = {} } = artifact
  const text = await localHost('/').findText(placeOf(copy.folder, artifact))
  try {
    const found = countRecords(JSON.parse(text ?? ''))
    const total = Object.values(found).reduce((sum, count) => sum + count, 0)
    return answer(Object.keys(rows).length + 1, compareRows(path, rows, found), total)
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown
    return answer(1, [damage(path, `it is not JSON: ${thrown.message}`)])
  }
}

/** Clones the history out of its bundle, and counts what is in it. */
export async function tryGit(
  workplace: Workplace,
  repository: Repository,
  tree: string,
  { path, facts = {} }: Artifact,
  signal: AbortSignal,
): Promise<Answer> {
  const folder = workplace.makeFolder('git')
  const plan = await planRestore(repository, { tree, strip: 'git', target: folder, existing: 'overwrite' }, signal)
  await performRestore(repository, plan, {}, signal)
  await workplace.handOver(folder, signal)
  const git = (args: readonly string[]): Promise<string> =>
    workplace.run({ program: 'git', args: ['-C', folder, '-c', 'gc.auto=0', ...args] }, signal)
  try {
    await git(['clone', '--mirror', '--quiet', 'repository.bundle', 'history'])
    await git(['-C', 'history', 'fsck', '--connectivity-only', '--no-dangling', '--no-progress'])
    const commits = Number(await git(['-C', 'history', 'rev-list', '--all', '--count']))
    const was = facts['commits']
    if (was === undefined || commits === Number(was)) return answer(2, [])
    return answer(2, [damage(path, `it holds ${commits} commits, and held ${was}`)])
  } catch (thrown) {
    signal.throwIfAborted()
    if (thrown instanceof AppError && thrown.code === 'program.missing') return impossible(path, thrown.message)
    const reason = reasonOf(thrown)
    if (reason === undefined) throw thrown
    if (/No such file or directory/.test(reason) && /(?:nice|prlimit|setpriv).*git/.test(reason)) {
      return impossible(path, 'git is not installed here')
    }
    return answer(1, [damage(path, `the history cannot be cloned: ${reason}`)])
  }
}
