import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

import { dumpSources } from '../dump-sources.ts'
import { bytesOf } from '../raw-path.ts'
import { drainParts, recordingContext, sourceSuite, temporaryFolder, type Drained } from '../testing.ts'
import { localHost } from '../host/local-host.ts'
import { inspectGit } from './inspect.ts'
import { loadGit } from './load.ts'

const environment = {
  PATH: process.env['PATH'],
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.org',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.org',
  GIT_CONFIG_COUNT: '2',
  GIT_CONFIG_KEY_0: 'safe.directory',
  GIT_CONFIG_VALUE_0: '*',
  GIT_CONFIG_KEY_1: 'protocol.file.allow',
  GIT_CONFIG_VALUE_1: 'always',
}

function git(path: string, ...args: string[]): string {
  return execFileSync('git', ['-C', path, ...args], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] }).toString()
}

/** A repository with branches, tags, a note, two stashes, a hook, changes that are not committed, and odd names. */
function makeRepository(path: string): void {
  mkdirSync(path, { recursive: true })
  git(path, 'init', '--quiet', '--initial-branch=main')
  for (let round = 0; round < 5; round++) {
    writeFileSync(join(path, 'text.txt'), `round ${round}\n`.repeat(100 + round))
    writeFileSync(join(path, "it's – odd\n.txt"), `${round}`)
    git(path, 'add', '--all')
    git(path, 'commit', '--quiet', '--message', `round ${round}`)
  }
  git(path, 'tag', '--annotate', '--message', 'first', 'v1')
  git(path, 'notes', 'add', '--message', 'a note')
  git(path, 'branch', 'feature/odd-ü', 'HEAD~2')
  for (const text of ['older', 'newer']) {
    writeFileSync(join(path, 'text.txt'), text)
    git(path, 'stash', 'push', '--quiet', '--message', text)
  }
  writeFileSync(join(path, '.git/hooks/pre-push'), '#!/bin/sh\nexit 0\n')
  chmodSync(join(path, '.git/hooks/pre-push'), 0o755)
  writeFileSync(join(path, '.git/info/exclude'), 'private\n')
  git(path, 'config', 'remote.origin.url', 'https://example.org/shop.git')
  writeFileSync(join(path, 'text.txt'), 'not committed')
  writeFileSync(join(path, 'picture.bin'), Buffer.from([0, 1, 2, 255]))
  git(path, 'add', 'picture.bin')
}

async function dump(path: string, temporary: string) {
  const repository = await inspectGit(localHost('/tmp'), path)
  assert.ok(repository)
  const context = recordingContext(temporary)
  const drained = await drainParts(
    await dumpSources(path, [{ kind: 'git', options: { ...repository, alsoInFiles: false } }], context),
  )
  return { repository, context, drained }
}

/** Lays what was drained below `git/` on disk, as a restore does. */
function layDown(drained: Drained, target: string): string {
  for (const [path, bytes] of drained) {
    const file = bytesOf(`${target}/${path}`)
    mkdirSync(dirname(file.toString()), { recursive: true })
    writeFileSync(file, bytes, { mode: path.includes('/hooks/') ? 0o755 : 0o600 })
  }
  return join(target, 'git')
}

test('a repository comes back with every reference, stash, note, setting and hook', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'shop')
  makeRepository(path)
  const { repository, context, drained } = await dump(path, folder.path)
  assert.deepEqual(repository.notInBundle, [])
  assert.deepEqual(context.findings, [])
  assert.deepEqual([...drained.keys()].sort(), [
    'git/HEAD',
    'git/config',
    'git/hooks/pre-push',
    'git/info/exclude',
    'git/logs/refs/stash',
    'git/repository.bundle',
    'git/uncommitted.patch',
  ])

  const from = layDown(drained, join(folder.path, 'restored'))
  const to = join(folder.path, 'again')
  mkdirSync(to)
  for (const name of ['text.txt', "it's – odd\n.txt", 'picture.bin']) {
    writeFileSync(join(to, name), readFileSync(join(path, name)))
  }
  await loadGit({ from, to })
  assert.equal(git(to, 'for-each-ref'), git(path, 'for-each-ref'))
  assert.equal(git(to, 'rev-list', '--all', '--objects'), git(path, 'rev-list', '--all', '--objects'))
  assert.equal(git(to, 'symbolic-ref', 'HEAD'), 'refs/heads/main\n')
  assert.equal(git(to, 'stash', 'list'), git(path, 'stash', 'list'))
  assert.equal(git(to, 'stash', 'show', '--patch', 'stash@{1}'), git(path, 'stash', 'show', '--patch', 'stash@{1}'))
  assert.equal(git(to, 'config', 'remote.origin.url'), 'https://example.org/shop.git\n')
  assert.equal(lstatSync(join(to, '.git/hooks/pre-push')).mode & 0o777, 0o755)
  assert.equal(readFileSync(join(to, '.git/info/exclude'), 'utf8'), 'private\n')
  assert.deepEqual(git(to, 'status', '--porcelain').split('\n').sort(), ['', ' M text.txt', '?? picture.bin'])
  git(to, 'fsck', '--strict')
  await assert.rejects(loadGit({ from, to }), { code: 'source.repository-exists' })
})

test('the patch holds what was not committed', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'shop')
  makeRepository(path)
  const { drained } = await dump(path, folder.path)
  const patch = join(folder.path, 'uncommitted.patch')
  writeFileSync(patch, drained.get('git/uncommitted.patch')!)
  const clone = join(folder.path, 'clone')
  git(folder.path, 'clone', '--quiet', path, clone)
  git(clone, 'apply', patch)
  assert.equal(readFileSync(join(clone, 'text.txt'), 'utf8'), 'not committed')
  assert.deepEqual([...readFileSync(join(clone, 'picture.bin'))], [0, 1, 2, 255])

  git(path, 'reset', '--quiet', '--hard')
  assert.ok(!(await dump(path, folder.path)).drained.has('git/uncommitted.patch'))
})

test('a repository without commits has no bundle, and its .git is to be taken as it lies', async () => {
  await using folder = await temporaryFolder()
  git(folder.path, 'init', '--quiet', 'shop')
  const { repository, context, drained } = await dump(join(folder.path, 'shop'), folder.path)
  assert.equal(repository.bundle, false)
  assert.deepEqual(repository.notInBundle, ['it has no commits yet'])
  assert.equal(context.findings[0]!.severity, 'notice')
  assert.equal(drained.size, 0)
})

test('a detached HEAD outside every branch is in the bundle', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'shop')
  makeRepository(path)
  git(path, 'stash', '--quiet')
  git(path, 'checkout', '--quiet', '--detach')
  git(path, 'commit', '--quiet', '--allow-empty', '--message', 'nowhere else')
  const { drained } = await dump(path, folder.path)
  const to = join(folder.path, 'again')
  await loadGit({ from: layDown(drained, join(folder.path, 'restored')), to })
  assert.equal(git(to, 'log', '-1', '--format=%s'), 'nowhere else\n')
  assert.equal(git(to, 'rev-parse', 'HEAD'), git(path, 'rev-parse', 'HEAD'))
})

test('what no bundle holds is named: submodules, worktrees, shallow clones, a damaged history', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'shop')
  makeRepository(path)
  const reasonsOf = async (at: string): Promise<[boolean, string]> => {
    const repository = await inspectGit(localHost('/tmp'), at)
    return [repository!.bundle, repository!.notInBundle.join('; ')]
  }
  git(folder.path, 'clone', '--quiet', '--depth=1', `file://${path}`, 'shallow')
  assert.deepEqual(await reasonsOf(join(folder.path, 'shallow')), [false, 'it is a shallow clone'])

  git(folder.path, 'clone', '--quiet', path, 'parent')
  git(join(folder.path, 'parent'), 'submodule', '--quiet', 'add', path, 'child')
  git(join(folder.path, 'parent'), 'commit', '--quiet', '--message', 'child')
  assert.deepEqual(await reasonsOf(join(folder.path, 'parent')), [true, 'it has submodules'])

  git(path, 'worktree', 'add', '--quiet', join(folder.path, 'tree'), 'feature/odd-ü')
  assert.match((await reasonsOf(join(folder.path, 'tree')))[1], /whose repository lies elsewhere/)
  const { drained } = await dump(join(folder.path, 'tree'), folder.path)
  assert.equal(Buffer.from(drained.get('git/HEAD')!).toString(), 'ref: refs/heads/feature/odd-ü\n')

  const hurt = join(folder.path, 'hurt')
  git(folder.path, 'clone', '--quiet', '--no-hardlinks', path, hurt)
  const packs = join(hurt, '.git/objects/pack')
  for (const name of readdirSync(packs)) if (name.endsWith('.pack')) rmSync(join(packs, name))
  for (const name of readdirSync(join(hurt, '.git/objects'))) {
    if (/^[0-9a-f]{2}$/.test(name)) rmSync(join(hurt, '.git/objects', name), { recursive: true })
  }
  const [bundle, reason] = await reasonsOf(hurt)
  assert.equal(bundle, false)
  assert.notEqual(reason, '')
})

test('a folder without .git, and one whose .git is a link, have no repository', async () => {
  await using folder = await temporaryFolder()
  assert.equal(await inspectGit(localHost('/tmp'), folder.path), undefined)
})

test(
  'nothing that the repository names is run with the rights of root',
  { skip: process.getuid?.() !== 0 },
  async () => {
    await using folder = await temporaryFolder()
    chmodSync(folder.path, 0o777)
    const path = join(folder.path, 'shop')
    makeRepository(path)
    const witness = join(folder.path, 'witness')
    const script = join(path, 'run.sh')
    writeFileSync(script, `#!/bin/sh\nid -u >> ${witness}\ncat\n`)
    chmodSync(script, 0o755)
    for (const [key, value] of [
      ['core.fsmonitor', script],
      ['diff.external', script],
      ['core.pager', script],
      ['filter.evil.clean', script],
      ['filter.evil.required', 'true'],
    ] as const) {
      git(path, 'config', key, value)
    }
    writeFileSync(join(path, '.gitattributes'), '*.txt filter=evil diff=evil\n')
    git(path, 'config', 'diff.evil.textconv', script)
    for (const name of ['', ...readdirSync(path, { recursive: true, encoding: 'utf8' })])
      chownSync(join(path, name), 12345, 12345)
    rmSync(witness, { force: true })
    const { drained, context } = await dump(path, folder.path)
    assert.deepEqual(context.findings, [])
    assert.ok(drained.has('git/repository.bundle') && drained.has('git/uncommitted.patch'))
    const ranAs = existsSync(witness) ? readFileSync(witness, 'utf8').trim().split('\n') : []
    assert.ok(ranAs.length > 0 && ranAs.every((uid) => uid === '12345'), ranAs.join())
  },
)

sourceSuite('git', {
  prepare: async (path) => {
    makeRepository(path)
    return { kind: 'git', options: { ...(await inspectGit(localHost('/tmp'), path))!, alsoInFiles: false } }
  },
})
