import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { archive, type ArchiveResult, check, forgetSnapshots, type MemoryPlace, prune, type Repository } from '#engine'
import { MemoryBackend, memoryRepository } from '#engine/testing'
import { chanceOf } from './chance.ts'
import { History } from './history.ts'
import { assertSame, contentsOf, SnapshotReader } from './record.ts'

class HeldMemory implements MemoryPlace {
  bytes: Uint8Array | undefined

  async load(): Promise<Uint8Array | undefined> {
    return this.bytes
  }

  async save(bytes: Uint8Array): Promise<void> {
    this.bytes = bytes
  }
}

async function backUp(
  repository: Repository,
  folder: string,
  memory: MemoryPlace,
  parent?: ArchiveResult,
): Promise<ArchiveResult> {
  return await archive(repository, {
    parts: [{ kind: 'folder', at: 'files', path: folder }],
    timeNs: 1_700_000_000_000_000_000n,
    paths: [folder],
    hostname: 'here',
    memory,
    ...(parent && { parent: { id: parent.snapshot, tree: parent.tree, timeNs: 1_700_000_000_000_000_000n } }),
  })
}

async function assertWhole(repository: Repository, snapshot: string, folder: string): Promise<void> {
  const { findings } = await check(repository, { readShare: 1 })
  assert.deepEqual(findings, [])
  assertSame(await new SnapshotReader(repository).contents(snapshot), contentsOf(folder), 'the backup after the prune')
}

for (const maxUnusedShare of [0, 0.05, 1]) {
  test(`a backup whose parent was forgotten and pruned is whole, with ${maxUnusedShare} of waste allowed`, async () => {
    const backend = new MemoryBackend()
    await using repository = await memoryRepository(backend)
    using stays = new History(chanceOf(8), { files: 15, largest: 50_000 })
    using history = new History(chanceOf(7), { files: 40, largest: 50_000 })
    await stays.backUp(repository)
    const memory = new HeldMemory()
    const first = await backUp(repository, history.folder, memory)
    const parent = await backUp(repository, history.folder, memory, first)
    await forgetSnapshots(repository, [first.snapshot, parent.snapshot])
    const { removed } = await prune(repository, { maxUnusedShare })
    assert.ok(removed.count > 0)
    // as by a run that had looked for its parent just before
    const after = await backUp(repository, history.folder, memory, parent)
    await assertWhole(repository, after.snapshot, history.folder)
  })
}

test('a memory serves on after a prune that removed nothing of what it rests on', async () => {
  const backend = new MemoryBackend()
  await using repository = await memoryRepository(backend)
  const folder = mkdtempSync(join(tmpdir(), 'bewaar-parent-'))
  try {
    writeFileSync(join(folder, 'file'), 'some text')
    using other = new History(chanceOf(7), { files: 20, largest: 50_000 })
    const gone = await other.backUp(repository)
    const memory = new HeldMemory()
    const parent = await backUp(repository, folder, memory)
    await forgetSnapshots(repository, [gone])
    await prune(repository)
    const after = await backUp(repository, folder, memory, parent)
    assert.equal(after.bytesAdded, 0)
    await assertWhole(repository, after.snapshot, folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
})
