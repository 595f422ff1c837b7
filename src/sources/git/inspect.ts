import { join } from 'node:path'

import { AppError } from '#base'
import type { Host } from '../host/host.ts'
import { rawPathOf } from '../raw-path.ts'
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
export async function inspectGit(host: Host, path: string, signal?: AbortSignal): Promise<GitRepository | undefined> {
  const dotGit = join(path, '.git')
  const status = await host.findStatus(rawPathOf(dotGit))
  if (!status || status.kind === 'symlink') return undefined
  const place: GitPlace = { path, uid: status.uid, gid: status.gid }
  try {
    const answer = await askGit(
      host,
      place,
      ['rev-parse', '--absolute-git-dir', '--git-common-dir', '--is-shallow-repository'],
      signal,
    )
    const [gitFolder = dotGit, common = '.git', shallow] = answer.trimEnd().split('\n')
    const commonFolder = join(common.startsWith('/') ? '' : path, common)
    const without = await whyNoBundle(host, place, commonFolder, shallow === 'true', signal)
    const reasons: string[] = []
    for (const [name, reason] of extras) if (await hasEntries(host, join(commonFolder, name))) reasons.push(reason)
    if (status.kind === 'file') reasons.push('it is a worktree or submodule whose repository lies elsewhere')
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
  host: Host,
  place: GitPlace,
  commonFolder: string,
  shallow: boolean,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (shallow) return 'it is a shallow clone'
  const config = await askGit(host, place, ['config', '--local', '--list', '--name-only'], signal)
  if (/^(?:extensions\.partialclone|remote\..*\.promisor)$/im.test(config)) return 'it is a partial clone'
  const refs = await askGit(host, place, ['for-each-ref', '--count=1', '--format=%(refname)'], signal)
  if (refs === '' && !(await host.kindAt(rawPathOf(join(commonFolder, 'packed-refs'))))) return 'it has no commits yet'
  if (refs === '') return 'it has no references'
  // Because a bundle that fails half-way would leave a history that is nowhere in the snapshot.
  await askGit(host, place, ['rev-list', '--objects', '--all', '--quiet'], signal)
  return undefined
}

async function hasEntries(host: Host, folder: string): Promise<boolean> {
  try {
    return (await host.list(rawPathOf(folder))).length > 0
  } catch {
    return false // because what cannot be listed is taken with .git or reported by the archive
  }
}
