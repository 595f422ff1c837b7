import { createReadStream, existsSync } from 'node:fs'
import { cp, lchown, lstat, mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'

import { sourceError } from '../errors.ts'
import { runOwnGit } from './connection.ts'

export interface GitLoad {
  /** A folder that holds what `git/` in the snapshot holds. */
  readonly from: string
  /** The folder that shall have `.git`; made when it is not there. Its files are not touched. */
  readonly to: string
  /** Whom `.git` shall belong to; default: the owner of `to`. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined
}

/** What `git/` holds beside the bundle, and where it belongs; copied last, so that no setting of it guides the loading. */
const settings = ['info', 'logs', 'hooks', 'config'] as const

/**
 * Makes `.git` anew from a snapshot's `git/`: all references and objects, the current branch, stashes, settings, hooks.
 *
 * The index is that of the last commit, so what was not committed shows as changes again.
 *
 * @throws `source.repository-exists`; `program.missing`; `program.failed` when the bundle is not whole.
 */
export async function loadGit({ from, to, owner }: GitLoad, signal?: AbortSignal): Promise<void> {
  const dotGit = join(to, '.git')
  if (existsSync(dotGit)) throw sourceError('source.repository-exists', { path: to })
  const bundle = join(from, 'repository.bundle')
  await mkdir(to, { recursive: true })
  await runOwnGit(to, ['init', '--quiet', '--template=', `--object-format=${await objectFormat(bundle)}`], signal)
  const everything = ['--update-head-ok', '--no-auto-gc', '--no-write-fetch-head', bundle, '+refs/*:refs/*']
  await runOwnGit(to, ['fetch', '--quiet', ...everything], signal)
  await cp(join(from, 'HEAD'), join(dotGit, 'HEAD'))
  await runOwnGit(to, ['reset', '--quiet'], signal)
  for (const name of settings) {
    if (existsSync(join(from, name))) await cp(join(from, name), join(dotGit, name), { recursive: true, force: true })
  }
  await giveTo(dotGit, owner ?? (await lstat(to)))
}

/** Source: git's bundle format; version 3 names the hash in its head. */
async function objectFormat(bundle: string): Promise<string> {
  for await (const head of createReadStream(bundle, { end: 511 })) {
    return /^@object-format=(\w+)$/m.exec((head as Buffer).toString('latin1'))?.[1] ?? 'sha1'
  }
  return 'sha1'
}

async function giveTo(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): Promise<void> {
  if (process.getuid?.() !== 0) return
  const inside = await readdir(path, { recursive: true })
  for (const name of ['', ...inside]) await lchown(join(path, name), uid, gid)
}
