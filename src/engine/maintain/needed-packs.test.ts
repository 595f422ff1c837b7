import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'

import { Secret } from '#base'
import { sha256Hex } from '../crypto/hash.ts'
import { decodeTree } from '../format/tree-node.ts'
import type { BlobType } from '../repository/blob-index.ts'
import { openRepository, type Repository } from '../repository/repository.ts'
import {
  craftedConfig,
  craftedPassword,
  CraftedRepository,
  fileNode,
  folderNode,
  type CraftedBlob,
} from './crafted-repository.ts'
import { findNeededPacks, type KeptSnapshot } from './needed-packs.ts'

/** A folder: names and what is in them, the numbers of data blobs or another folder. */
interface Folder {
  readonly [name: string]: readonly number[] | Folder
}

/** Trees in a repository in which each blob lies in a pack of its own, and every third data blob in two. */
async function made(folders: readonly Folder[]): Promise<{ repository: Repository; roots: string[] }> {
  const crafted = new CraftedRepository()
  await crafted.saveKey()
  crafted.saveConfig(JSON.stringify(craftedConfig))
  const stored = new Set<string>()
  const store = (blob: CraftedBlob, copies: number): string => {
    if (stored.has(blob.id)) return blob.id
    stored.add(blob.id)
    for (let copy = 0; copy < copies; copy++)
      crafted.saveIndex(crafted.pack([crafted.blob('data', String(copy)), blob]))
    return blob.id
  }
  const data = (number: number): string => store(crafted.blob('data', `data ${number}`), number % 3 === 0 ? 2 : 1)
  const tree = (folder: Folder): string => {
    const nodes = Object.entries(folder).toSorted(([one], [other]) => (one < other ? -1 : 1))
    const made = nodes.map(([name, inside]) =>
      Array.isArray(inside) ? fileNode(name, inside.map(data), 6) : folderNode(name, tree(inside as Folder)),
    )
    return store(crafted.tree(...made), 1)
  }
  const roots = folders.map(tree)
  const repository = await openRepository(crafted.backend, { password: new Secret(craftedPassword) })
  return { repository, roots }
}

/** The packs of all that is below a tree, found without any skill. */
async function packsBelow(repository: Repository, root: string): Promise<Set<string>> {
  const packs = new Set<string>()
  const take = (type: BlobType, id: string): void => {
    for (const { packId } of repository.index.find(type, id)) packs.add(packId)
  }
  const walk = async (id: string): Promise<void> => {
    take('tree', id)
    for (const { content = [], subtree } of decodeTree(await repository.loadBlob('tree', id))) {
      for (const blob of content) take('data', blob)
      if (subtree !== undefined) await walk(subtree)
    }
  }
  await walk(root)
  return packs
}

const before: Folder = { a: { b: { file: [1, 2] }, other: [3] }, c: { file: [4] } }
const after: Folder = { a: { b: { file: [1, 2] }, other: [3, 5] }, c: { file: [4] } }

describe('the packs that snapshots need', () => {
  test('are those of every copy of each blob, until the latest date of all that need them', async () => {
    const { repository, roots } = await made([before, after])
    const wanted = roots.map((tree, nth) => ({ tree, untilMs: nth + 1 }))
    const { untilMs, gaps } = await findNeededPacks(repository, wanted, [])
    assert.deepEqual(gaps, [])
    const [old, young] = await Promise.all(roots.map((root) => packsBelow(repository, root)))
    assert.equal(old!.size, 4 + 1 + 4) // data, one of them twice, and trees
    const expected = new Map([...old!].map((pack) => [pack, 1]))
    for (const pack of young!) expected.set(pack, 2)
    assert.deepEqual(untilMs, expected)
  })

  test('after one more backup are sought only in the folders in which something changed', async () => {
    const { repository, roots } = await made([before, after])
    const [old, young] = roots.map((tree) => ({ tree, untilMs: 9 })) as [KeptSnapshot, KeptSnapshot]
    let trees = 0
    const { untilMs } = await findNeededPacks(repository, [young], [old], { onProgress: (count) => (trees = count) })
    assert.equal(trees, 2)
    const known = await packsBelow(repository, old.tree)
    const added = [...untilMs.keys()].filter((pack) => !known.has(pack))
    assert.equal(added.length, 3)
    const longer = { ...young, untilMs: 10 }
    const all = await findNeededPacks(repository, [longer], [old])
    assert.deepEqual(new Set(all.untilMs.keys()), await packsBelow(repository, young.tree))
  })

  test('are all there with those of what was settled, whatever the trees and dates', async () => {
    const file = fc.array(fc.nat(12), { maxLength: 3 })
    const { folder } = fc.letrec<{ folder: Folder; entry: Folder[string] }>((tie) => ({
      entry: fc.oneof({ maxDepth: 3 }, file, tie('folder')),
      folder: fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('entry'), { maxKeys: 3 }),
    }))
    const snapshot = fc.record({ folder, untilMs: fc.integer({ min: 1, max: 4 }), isSettled: fc.boolean() })
    const property = fc.asyncProperty(fc.array(snapshot, { minLength: 1, maxLength: 5 }), async (shapes) => {
      const { repository, roots } = await made(shapes.map((shape) => shape.folder))
      const all = shapes.map(({ untilMs, isSettled }, nth) => ({ tree: roots[nth]!, untilMs, isSettled }))
      const [settled, wanted] = [all.filter((one) => one.isSettled), all.filter((one) => !one.isSettled)]
      const found = new Map((await findNeededPacks(repository, wanted, settled)).untilMs)
      const note = async ({ tree, untilMs }: KeptSnapshot, into: Map<string, number>): Promise<void> => {
        for (const pack of await packsBelow(repository, tree)) into.set(pack, Math.max(into.get(pack) ?? 0, untilMs))
      }
      for (const one of settled) await note(one, found)
      const expected = new Map<string, number>()
      for (const one of all) await note(one, expected)
      assert.deepEqual(found, expected)
    })
    await fc.assert(property, { numRuns: 60 })
  })

  test('are not all known where a tree or the index of a blob is gone, which is told', async () => {
    const { repository, roots } = await made([after])
    const lost = { tree: 'ab'.repeat(32), untilMs: 1 }
    const first = await findNeededPacks(repository, [lost], [])
    assert.deepEqual([...first.gaps], ['the tree ababababab cannot be read'])
    const whole = await findNeededPacks(repository, [{ tree: roots[0]!, untilMs: 1 }], [lost])
    assert.deepEqual([...whole.gaps], [])
    const { packId } = repository.index.find('data', sha256Hex(Buffer.from('data 5')))[0]!
    for await (const { name } of repository.backend.list('index')) {
      const packs = await repository.loadIndexFile(name)
      if (packs.some(({ id }) => id === packId)) await repository.backend.remove({ type: 'index', name })
    }
    const second = await findNeededPacks(repository, [{ tree: roots[0]!, untilMs: 1 }], [])
    assert.deepEqual([...second.gaps], [`no index names the blob ${sha256Hex(Buffer.from('data 5')).slice(0, 10)}`])
    assert.equal(second.untilMs.size, whole.untilMs.size - 1)
  })
})
