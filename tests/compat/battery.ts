import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { Secret } from '#base'
import {
  archive,
  check,
  createLocal,
  createRepository,
  performRestore,
  planRestore,
  type ArchiveResult,
  type Backend,
  type Repository,
} from '#engine'
import { cheapKey, stockRestic, type StockRestic } from '#engine/testing'
import { needs } from '../needs.ts'
import { allocatedBytes, assertSameTree } from './compare.ts'
import type { Tree } from './trees.ts'

/** What changed so shortly before a backup is read again by the next one, because its times cannot be trusted. */
const clockTickMs = 60

const password = new Secret('password of the battery')

interface Stage {
  readonly restic: StockRestic
  readonly backend: Backend
  readonly repository: Repository
}

/**
 * Sends trees through backups and restores in every combination of ours and restic's, in one repository that is ours, and
 * at the end has all of it checked by both.
 *
 * @param place - where sources, repository and restored trees lie. Default: the folder for temporary files.
 */
export function battery(trees: readonly Tree[], place?: string): void {
  describe('in a repository of ours', { skip: needs('restic', 'rsync', 'setfattr') }, () => {
    let stage: Stage
    before(async () => {
      const restic = await stockRestic(password, place)
      const backend = await createLocal(restic.repository)
      const options = { password, cost: cheapKey, lockTimings: { settleMs: 0 } }
      stage = { restic, backend, repository: await createRepository(backend, options) }
    })
    after(async () => {
      await stage.repository[Symbol.asyncDispose]()
      await stage.backend[Symbol.asyncDispose]()
      remove(stage.restic.scratch)
    })

    for (const [nth, tree] of trees.entries()) {
      test(`${tree.title} is the same after every backup and restore`, { skip: needs(...(tree.needs ?? [])) }, () =>
        goThrough(stage, tree, `tree-${nth}`),
      )
    }

    test('restic finds no fault in any byte of it, and neither do we', async () => {
      assert.match(await stage.restic.run('check', '--read-data'), /no errors were found/)
      const { findings } = await check(stage.repository, { readShare: 1 })
      assert.deepEqual(findings, [])
    })
  })
}

async function goThrough({ restic, repository }: Stage, tree: Tree, name: string): Promise<void> {
  const { blind = [], leftOut = [] } = tree
  const source = join(restic.scratch, name)
  const restored = join(restic.scratch, 'restored')
  mkdirSync(source)
  tree.build(source)
  try {
    await pause(clockTickMs)
    const first = await backUp(repository, source, name)
    assert.deepEqual(
      first.findings.map(({ path, code }) => `${code} ${path}`),
      leftOut.map((path) => `left-out ${name}/${path}`).sort(),
    )
    await restore(repository, first.tree, name, join(restored, 'ours by us'))
    assertSameTree(source, join(restored, 'ours by us'), {
      leftOut,
      blind: blind.filter((spot) => spot === 'deep-paths'),
    })
    if (tree.isSparse) assert.ok(allocatedBytes(join(restored, 'ours by us')) < 10_000_000, 'holes are written')

    const second = await backUp(repository, source, name, first)
    assert.deepEqual([second.bytesRead, second.tree], [0, first.tree])
    const { snapshot } = await repository.findSnapshot(second.snapshot)
    assert.deepEqual([snapshot.summary?.dataBlobs, snapshot.summary?.treeBlobs], [0, 0])

    if (blind.includes('deep-paths')) return
    await restic.run('restore', first.snapshot, '--target', join(restored, 'ours by restic'))
    assertSameTree(source, join(restored, 'ours by restic', name), { blind, leftOut })

    const theirs = await backUpWithRestic(restic, name)
    assert.equal(theirs.data_blobs, 0, 'restic cuts and knows the same blobs')
    await repository.loadIndex()
    const stored = await repository.findSnapshot(theirs.snapshot_id)
    const lost = blind.filter((spot) => spot === 'link-targets' || spot === 'link-attributes')
    if (lost.length === 0) assert.equal(stored.snapshot.tree, first.tree, 'restic writes the same trees')
    // because the same trees and blobs are the same restore
    if (stored.snapshot.tree === first.tree && process.env['BEWAAR_LONG'] !== '1') return
    await restore(repository, stored.snapshot.tree, name, join(restored, "restic's by us"))
    assertSameTree(source, join(restored, "restic's by us"), { blind: lost, leftOut })
  } finally {
    remove(restored)
    remove(source)
  }
}

type Backup = ArchiveResult & { readonly timeNs: bigint }

async function backUp(repository: Repository, path: string, name: string, before?: Backup): Promise<Backup> {
  const timeNs = BigInt(Date.now()) * 1_000_000n
  const result = await archive(repository, {
    parts: [{ kind: 'folder', at: name, path }],
    parent: before && { id: before.snapshot, tree: before.tree, timeNs: before.timeNs },
    timeNs,
    paths: [path],
    hostname: hostname(),
  })
  return { ...result, timeNs }
}

/** Restores a folder of a snapshot, which must go without any finding. */
export async function restore(repository: Repository, tree: string, folder: string, target: string): Promise<void> {
  mkdirSync(join(target, '..'), { recursive: true })
  const result = await performRestore(repository, await planRestore(repository, { tree, target, strip: folder }))
  assert.deepEqual([result.findings, result.unset], [[], []])
}

interface ResticSummary {
  readonly snapshot_id: string
  readonly data_blobs: number
  readonly tree_blobs: number
}

export async function backUpWithRestic(restic: StockRestic, ...args: readonly string[]): Promise<ResticSummary> {
  const lines = (await restic.run('backup', '--json', ...args)).trim().split('\n')
  return JSON.parse(lines.at(-1)!) as ResticSummary
}

/** Whatever its depth, which node:fs cannot. */
export function remove(folder: string): void {
  execFileSync('rm', ['-rf', folder])
}
