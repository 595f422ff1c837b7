/** The vectors that fix the format: each is held by a test, and the repository among them is used as a whole. */
import assert from 'node:assert/strict'
import {
  globSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { Secret } from '#base'
import { check, decodeTree, openLocal, openRepository, performRestore, planRestore } from '#engine'
import { remove } from './battery.ts'
import { at } from './trees.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const vectors = join(root, 'tests/fixtures/vectors')

const { passwords, files, expected } = JSON.parse(readFileSync(join(vectors, 'fixture-repo.json'), 'utf8')) as {
  passwords: string[]
  files: Record<string, string>
  expected: {
    config: { id: string }
    snapshots: Record<string, string>
    trees: Record<string, string>
    data: Record<string, string>
  }
}

/** A folder with the repository as restic left it, gone in the end. */
function placeRepository(): { readonly scratch: string; readonly repository: string } & Disposable {
  const scratch = mkdtempSync(join(tmpdir(), 'bewaar-vectors-'))
  const repository = join(scratch, 'repository')
  for (const [path, base64] of Object.entries(files)) {
    mkdirSync(join(repository, dirname(path)), { recursive: true })
    writeFileSync(join(repository, path), Buffer.from(base64, 'base64'))
  }
  mkdirSync(join(repository, 'locks'))
  return { scratch, repository, [Symbol.dispose]: () => remove(scratch) }
}

test('every file of vectors is held by a test, but for the one of a protocol that is not spoken yet', () => {
  const tests = globSync('{src,tests}/**/*.test.ts', { cwd: root, exclude: ['tests/compat/vectors.test.ts'] })
  const texts = tests.map((path) => readFileSync(join(root, path), 'utf8'))
  const isHeld = (name: string): boolean =>
    texts.some((text) => text.includes(`vectors/${name}`) || text.includes(`read('${basename(name, '.json')}')`))
  const names = readdirSync(vectors)
  const all = ['chunker', 'crypto', 'fixture-repo', 'rest-api', 'timestamps', 'tolerance', 'tree-names']
  assert.deepEqual(
    names.toSorted(),
    all.map((name) => `${name}.json`),
  )
  assert.deepEqual(
    names.filter((name) => !isHeld(name)),
    ['rest-api.json'],
  )
})

for (const [nth, text] of passwords.entries()) {
  test(`a repository that restic made opens with password ${nth + 1}, is sound, and is restored as it was`, async () => {
    using place = placeRepository()
    await using backend = await openLocal(place.repository)
    await using repository = await openRepository(backend, { password: new Secret(text), lockTimings: { settleMs: 0 } })
    assert.equal(repository.config.id, expected.config.id)
    const { snapshots, damaged } = await repository.listSnapshots()
    assert.deepEqual([snapshots.map(({ id }) => id), damaged], [Object.keys(expected.snapshots), []])
    const { findings, damagedSnapshots } = await check(repository, { readShare: 1 })
    assert.deepEqual([findings, damagedSnapshots], [[], []])

    await repository.loadIndex()
    for (const { id, snapshot } of snapshots) {
      const target = join(place.scratch, id)
      const result = await performRestore(repository, await planRestore(repository, { tree: snapshot.tree, target }))
      assert.deepEqual(
        result.findings.filter(({ severity }) => severity !== 'notice'),
        [],
      )
      assertIsTree(target, snapshot.tree)
      assert.equal(lstatSync(join(target, 'hardlink')).ino, lstatSync(join(target, 'small.txt')).ino)
    }
  })
}

/** What lies in a folder is what the vectors say of a tree, and nothing else. */
function assertIsTree(folder: string | Buffer, id: string): void {
  const nodes = decodeTree(Buffer.from(expected.trees[id]!))
  assert.deepEqual(
    readdirSync(folder, { encoding: 'buffer' }).toSorted((a, b) => Buffer.compare(a, b)),
    nodes.map(({ name }) => Buffer.from(name)),
  )
  for (const { name, type, mode, mtimeNs, content, linkTarget, subtree } of nodes) {
    const path = at(folder, name)
    const stats = lstatSync(path, { bigint: true })
    assert.equal(stats.mtimeNs, mtimeNs)
    if (type !== 'symlink') assert.equal(Number(stats.mode) & 0o7777, mode)
    if (linkTarget) assert.deepEqual(readlinkSync(path, { encoding: 'buffer' }), Buffer.from(linkTarget))
    if (subtree) assertIsTree(path, subtree)
    if (!content) continue
    const bytes = Buffer.concat(content.map((blob) => Buffer.from(expected.data[blob]!, 'base64')))
    assert.ok(readFileSync(path).equals(bytes))
  }
}
