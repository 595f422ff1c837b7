import { join } from 'node:path'

import { AppError } from '#base'
import { performRestore, planRestore } from '#engine'
import type { Finding, Project } from '#model'
import { loadGit, localHost, rawPathOf } from '#sources'
import type { Services } from '../services.ts'
import type { OpenSnapshot } from './folder-plans.ts'
import { namesIn } from './layout.ts'

/** Whether the history comes from the bundle: it is wanted, the project has no `.git`, and the files bring none. */
export async function isGitMadeAnew(
  { repository, tree, layout }: OpenSnapshot,
  project: Project,
  include: readonly string[] | undefined,
): Promise<boolean> {
  if (!layout.top.includes('git') || (include && !include.includes('git'))) return false
  if (await localHost('/').findStatus(rawPathOf(join(project.path, '.git')))) return false
  const names = await namesIn(repository, tree, ['files'])
  return !names.some((name) => name.toString() === '.git')
}

/** Makes `.git` anew. */
export async function restoreGit(
  services: Pick<Services, 'temporaryFolder'>,
  project: Project,
  { repository, tree, layout }: OpenSnapshot,
  signal: AbortSignal,
): Promise<Finding[]> {
  await using folder = await services.temporaryFolder()
  const from = join(folder.path, 'git')
  const plan = await planRestore(repository, { tree, strip: 'git', target: from }, signal)
  const result = await performRestore(repository, plan, {}, signal)
  const about = { project: project.name, subject: 'git', severity: 'warning' } as const
  if (result.findings.some(({ severity }) => severity !== 'notice')) {
    return [{ ...about, text: 'the bundle could not be read from the vault, so .git was not made anew' }]
  }
  try {
    await loadGit({ from, to: project.path, owner: layout.owner }, signal)
    return []
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    if (thrown.code === 'source.repository-exists') return []
    return [{ ...about, text: `.git was not made anew: ${thrown.message}` }]
  }
}
