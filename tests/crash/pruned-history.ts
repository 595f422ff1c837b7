import assert from 'node:assert/strict'
import { globSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { createRepository, createLocal, forgetSnapshots, openLocal, openRepository, planPrune, prune } from '#engine'
import { cheapKey, memoryPassword, type StockRestic, stockRestic } from '#engine/testing'
import type { Chance } from './chance.ts'
import { History, opening } from './history.ts'
import { assertSame, contentsOf } from './record.ts'

/**
 * Backups of one folder by us and by restic, forgotten and pruned now and then by the one or the other, with restic as the judge.
 *
 * @param restoreEvery - every so many of the snapshots at the end are restored by restic.
 * @returns what happened, in words.
 */
export async function pruneHistory(chance: Chance, snapshots: number, restoreEvery: number): Promise<string> {
  await using restic = await stockRestic(memoryPassword)
  using history = new History(chance, { files: 30, largest: 150_000 })
  await using backend = await createLocal(restic.repository)
  await using repository = await createRepository(backend, { ...opening, cost: cheapKey })
  const counts = { byRestic: 0, prunedByRestic: 0, prunes: 0, freed: 0 }
  for (let nth = 0; nth < snapshots; nth++) {
    history.change()
    if (chance.next() < 0.12) {
      await backUpByRestic(history, restic)
      counts.byRestic++
    } else await history.backUp(repository)
    const isLast = nth === snapshots - 1
    if (!isLast && chance.next() > 0.08) continue
    const gone = history.letGo(0.3 + chance.next() * 0.5)
    if (!isLast && chance.next() < 0.2) {
      await restic.run('forget', '--prune', ...gone)
      counts.prunedByRestic++
      continue
    }
    if (chance.next() < 0.2) await restic.run('forget', ...gone)
    counts.freed += await pruneByUs(restic.repository, gone, chance.pick([0, 0.05, 0.3]))
    counts.prunes++
  }
  await restic.run('check', '--read-data')
  await history.assertWhole(backend, 'at the end')
  await assertRestoredByRestic(history, restic, restoreEvery)
  return JSON.stringify({ ...counts, left: history.records.size })
}

async function backUpByRestic(history: History, restic: StockRestic): Promise<void> {
  const printed = await restic.run('backup', '--json', '--host', 'there', history.folder)
  const summary = JSON.parse(printed.trim().split('\n').at(-1)!) as { snapshot_id: string }
  const { snapshot_id: short } = summary
  const all = JSON.parse(await restic.run('snapshots', '--json')) as { id: string }[]
  history.take(all.find(({ id }) => id.startsWith(short))!.id, history.folder.slice(1))
}

/** Forgets and prunes as planned, and compares what was planned, what is said to have been done, and the disk. */
async function pruneByUs(folder: string, gone: readonly string[], maxUnusedShare: number): Promise<number> {
  await using backend = await openLocal(folder)
  await using repository = await openRepository(backend, opening)
  const plan = await planPrune(repository, { forget: gone, maxUnusedShare })
  const forgotten = await forgetSnapshots(repository, gone)
  assert.deepEqual([forgotten.removed.length + forgotten.missing.length, forgotten.refused], [gone.length, []])
  const before = bytesOfPacks(folder)
  const result = await prune(repository, { plan })
  const after = bytesOfPacks(folder)
  assert.deepEqual([result.isComplete, result.findings, result.plan.findings], [true, [], []])
  assert.deepEqual(result.plan, plan)
  const { removed, repacked, unindexed } = plan.packs
  assert.equal(result.removed.count, removed.count + repacked.count + unindexed.count)
  assert.equal(result.removed.bytes, removed.bytes + repacked.bytes + unindexed.bytes)
  assert.deepEqual(result.copied, plan.copied)
  assert.equal(result.bytesFreed, before - after)
  assert.equal(plan.bytesFreed, result.bytesFreed + result.added.count * 36) // the frame of each new header
  const again = await planPrune(repository, { maxUnusedShare })
  const { used, unused, duplicate } = again.blobs
  assert.equal(unused.bytes + duplicate.bytes, plan.bytesUnusedLeft)
  assert.ok(plan.bytesUnusedLeft <= (maxUnusedShare / (1 - maxUnusedShare)) * used.bytes)
  assert.deepEqual([again.packs.removed.count, again.packs.repacked.count, again.indexFiles.replaced], [0, 0, 0])
  return result.bytesFreed
}

function bytesOfPacks(folder: string): number {
  return globSync('data/??/*', { cwd: folder }).reduce((sum, path) => sum + statSync(join(folder, path)).size, 0)
}

/** Restores each snapshot that must be there with stock restic. */
export async function assertRestoredByRestic(history: History, restic: StockRestic, every = 1): Promise<void> {
  for (const [nth, [id, { contents, strip }]] of [...history.records].entries()) {
    if (nth % every !== 0) continue
    const target = join(restic.scratch, 'restored')
    await restic.run('restore', id, '--target', target)
    assertSame(contentsOf(join(target, strip)), contents, `restic's restore of ${id}`)
    rmSync(target, { recursive: true })
  }
}
