import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { AppError } from '#base'
import { askGit, type GitPlace } from './connection.ts'

/** What is known of a project's git repository. */
export interface GitRepository extends GitPlace {
  /** `.git` itself, or the folder of a linked worktree; absolute. */
  readonly gitFolder: string
  /** Where settings, hooks and objects lie; absolute. */
  readonly commonFolder: string
  /** False when there is nothing to bundle, or a bundle would not be whole. */
  readonly bundle: boolean
  /** Why the bundle does not stand for all of `.git`; empty when it does. */
  readonly notInBundle: readonly string[]
}

/** What may lie in `.git` that no bundle holds, and is more than a settings file. */
const extras: readonly (readonly [path: string, reason: string])[] = [
  ['modules', 'it has submodules'],
  ['lfs', 'it has Git LFS objects'],
  ['worktrees', 'it has linked worktrees'],
  ['annex', 'it has git-annex objects'],
]

/**
 * Looks at the git repository of a folder.
 *
 * @returns undefined when the folder has none. One that git cannot read is described all the same: without a bundle, and
 * with the reason.
 */
export async function inspectGit(path: string, signal?: AbortSignal): Promise<GitRepository | undefined> {
  const dotGit = join(path, '.git')
  const status = lstatSync(dotGit, { throwIfNoEntry: false })
  if (!status || status.isSymbolicLink()) return undefined
  const place: GitPlace = { path, uid: status.uid, gid: status.gid }
  try {
    const answer = await askGit(
      place,
      ['rev-parse', '--absolute-git-dir', '--git-common-dir', '--is-shallow-repository'],
      signal,
    )
    const [gitFolder = dotGit, common = '.git', shallow] = answer.trimEnd().split('\n')
    const commonFolder = join(common.startsWith('/') ? '' : path, common)
    const without = await whyNoBundle(place, commonFolder, shallow === 'true', signal)
    const reasons = extras.filter(([name]) => hasEntries(join(commonFolder, name))).map(([, reason]) => reason)
    if (status.isFile()) reasons.push('it is a worktree or submodule whose repository lies elsewhere')
    return {
      ...place,
      gitFolder,
      commonFolder,
      bundle: without === undefined,
      notInBundle: without === undefined ? reasons : [without],
    }
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    signal?.throwIfAborted()
    return { ...place, gitFolder: dotGit, commonFolder: dotGit, bundle: false, notInBundle: [thrown.message] }
  }
}

async function whyNoBundle(
  place: GitPlace,
  commonFolder: string,
  shallow: boolean,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (shallow) return 'it is a shallow clone'
  const config = await askGit(place, ['config', '--local', '--list', '--name-only'], signal)
  if (/^(?:extensions\.partialclone|remote\..*\.promisor)$/im.test(config)) return 'it is a partial clone'
  const refs = await askGit(place, ['for-each-ref', '--count=1', '--format=%(refname)'], signal)
  if (refs === '' && !existsSync(join(commonFolder, 'packed-refs'))) return 'it has no commits yet'
  if (refs === '') return 'it has no references'
  // Because a bundle that fails half-way would leave a history that is nowhere in the snapshot.
  await askGit(place, ['rev-list', '--objects', '--all', '--quiet'], signal)
  return undefined
}

function hasEntries(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0
  } catch {
    return false // because what cannot be listed is taken with .git or reported by the archive
  }
}
