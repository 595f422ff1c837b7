import { join } from 'node:path'

import { textOf } from '#base'
import type { Host } from '../host/host.ts'
import { snapshotFolders } from '../placement.ts'
import { rawPathOf, shownPath } from '../raw-path.ts'
import type { DumpContext, SourcePart, SourceType } from '../source.ts'
import { askGit, runsAsOwner, streamGit } from './connection.ts'
import type { GitRepository } from './inspect.ts'

export interface GitOptions extends GitRepository {
  /** True when `files/` holds `.git` as it lies, so that nothing of it is left out. */
  readonly alsoInFiles: boolean
}

const at = snapshotFolders.git

/** Settings beside the history; the first two names hold for every repository, the others where they are there. */
const settings = ['config', 'info/exclude', 'info/attributes', 'info/sparse-checkout', 'logs/refs/stash'] as const

/** A git repository: all references and their history as one bundle, what is not committed as a patch, and its settings. */
export const gitSource: SourceType<GitOptions> = {
  describe: ({ path, bundle, notInBundle, alsoInFiles }) => {
    const about = notInBundle.length > 0 ? [`.git as it lies, because ${notInBundle.join(' and ')}`] : []
    if (!bundle) return { takes: about, leavesOut: [] }
    return {
      takes: [
        `git history of ${path}: every branch, tag, stash and note, uncommitted changes, settings and hooks`,
        ...about,
      ],
      leavesOut: alsoInFiles ? [] : ["reflogs, but for the stash's"],
    }
  },

  async *dump(repository, context, signal) {
    if (repository.notInBundle.length > 0) {
      const form = repository.bundle ? 'in addition to the bundle' : 'without a bundle'
      const text = `Its .git is taken as it lies, ${form}: ${repository.notInBundle.join(', ')}`
      context.report({ subject: repository.path, severity: 'notice', text })
    }
    if (!repository.bundle) return
    const { host } = context
    yield* settingsParts(host, repository)
    yield* patchParts(repository, context, signal)
    const stashes = await olderStashes(host, repository, signal)
    context.record({ path: `${at}/repository.bundle`, kind: 'git', facts: await factsOf(host, repository, signal) })
    const args = ['bundle', 'create', '--quiet', '-', '--all', ...stashes]
    yield {
      kind: 'content',
      at: `${at}/repository.bundle`,
      content: { kind: 'stream', open: (stop) => streamGit(context.host, repository, args, stop) },
    }
  },
}

async function* settingsParts(
  host: Host,
  { gitFolder, commonFolder }: GitRepository,
): AsyncGenerator<SourcePart, void, void> {
  yield host.filePart(`${at}/HEAD`, rawPathOf(join(gitFolder, 'HEAD')))
  const hooks = (await namesIn(host, join(commonFolder, 'hooks'))).filter((name) => !name.endsWith('.sample'))
  for (const name of [...settings, ...hooks.map((hook) => `hooks/${hook}`)]) {
    const path = rawPathOf(join(commonFolder, name))
    const status = await host.findStatus(path)
    if (status && status.kind !== 'dir') yield host.filePart(`${at}/${name}`, path)
  }
}

/** A patch only where there is something to patch. The files themselves hold the same changes. */
async function* patchParts(
  repository: GitRepository,
  context: DumpContext,
  signal?: AbortSignal,
): AsyncGenerator<SourcePart, void, void> {
  if (!runsAsOwner(context.host, repository)) {
    const text =
      'No patch of uncommitted changes is made, because the repository belongs to another user; its files hold them'
    context.report({ subject: repository.path, severity: 'notice', text })
    return
  }
  const args = ['diff', '--binary', '--no-color', '--no-ext-diff', '--no-textconv', 'HEAD', '--']
  try {
    const status = await askGit(
      context.host,
      repository,
      ['status', '--porcelain', '--untracked-files=no', '--ignore-submodules'],
      signal,
    )
    if (status === '') return
    await askGit(context.host, repository, ['rev-parse', '--verify', '--quiet', 'HEAD'], signal)
  } catch (thrown) {
    signal?.throwIfAborted()
    const text = `No patch of uncommitted changes could be made; the files hold them: ${textOf(thrown)}`
    context.report({ subject: repository.path, severity: 'notice', text })
    return
  }
  yield {
    kind: 'content',
    at: `${at}/uncommitted.patch`,
    content: { kind: 'stream', open: (stop) => streamGit(context.host, repository, args, stop) },
  }
}

/** Commits of all stashes but the newest: only the reflog knows them, so a bundle of all references does not. */
async function olderStashes(host: Host, repository: GitRepository, signal?: AbortSignal): Promise<string[]> {
  const list = await askGit(
    host,
    repository,
    ['log', '-g', '--format=%H', '--ignore-missing', 'refs/stash', '--'],
    signal,
  ).catch(
    () => '', // because a repository without a stash answers with an error
  )
  signal?.throwIfAborted()
  return [...new Set(list.split('\n').filter((line) => line !== ''))].slice(1)
}

async function factsOf(
  host: Host,
  repository: GitRepository,
  signal?: AbortSignal,
): Promise<Record<string, string | number>> {
  const commits = await askGit(host, repository, ['rev-list', '--all', '--count'], signal)
  const refs = await askGit(host, repository, ['for-each-ref', '--format=%(refname)'], signal)
  const version = await askGit(host, repository, ['--version'], signal)
  return {
    git: version.trim().replace(/^git version /, ''),
    commits: Number(commits),
    references: refs.split('\n').length - 1,
  }
}

async function namesIn(host: Host, folder: string): Promise<string[]> {
  try {
    return (await host.list(rawPathOf(folder))).map(({ name }) => shownPath(name))
  } catch {
    return [] // because a repository need not have this folder
  }
}
