import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { createLocal, createRepository, forgetSnapshots, openLocal, openRepository, planPrune } from '#engine'
import { cheapKey } from '#engine/testing'
import { needs } from '../needs.ts'
import { chanceOf, seedOf } from './chance.ts'
import { History, opening } from './history.ts'
import { saidOf, startPrune } from './killed-prunes.ts'
import { start } from './program.ts'
import { SmallDisk } from './small-disk.ts'

const skip = needs('restic', 'unshare', 'root')
const seed = seedOf(20_260_606)

interface FullPlace extends AsyncDisposable {
  readonly disk: SmallDisk
  readonly folder: string
  readonly history: History
  /** Of the disk. */
  free(): number
}

/** A repository on a small disk, with packs that nobody needs any more, and no room but what `left` says. */
async function fullPlace(left: number): Promise<FullPlace> {
  const scratch = mkdtempSync(join(tmpdir(), 'bewaar-full-'))
  const disk = await SmallDisk.mount(scratch, 60)
  const history = new History(chanceOf(seed), { files: 12, largest: 400_000 })
  const folder = disk.inside('repository')
  await using backend = await createLocal(folder)
  await using repository = await createRepository(backend, { ...opening, cost: cheapKey })
  for (let nth = 0; nth < 6; nth++) {
    history.change()
    await history.backUp(repository)
  }
  using other = new History(chanceOf(seed + 1), { files: 20, largest: 900_000 })
  const whole = await other.backUp(repository)
  await forgetSnapshots(repository, [whole, ...history.letGo(0.7)])
  disk.fill(join(scratch, 'ballast'), left)
  return {
    disk,
    folder,
    history,
    free: () => Number(disk.run('df', '--output=avail', '-B1', scratch).split('\n')[1]),
    async [Symbol.asyncDispose]() {
      history[Symbol.dispose]()
      disk[Symbol.dispose]()
      rmSync(scratch, { recursive: true, force: true })
    },
  }
}

async function assertSound({ disk, folder, history }: FullPlace, hasRoom = true): Promise<void> {
  const inside = folder.slice(folder.indexOf('/root/') + 5)
  const env = { ...process.env, RESTIC_PASSWORD: opening.password.reveal(), RESTIC_REPOSITORY: inside }
  const command = [...disk.under, 'restic', 'check', '--read-data', '--no-lock', '--no-cache']
  const { code, stdout, stderr } = await start(command, env).ended
  assert.equal(code, 0, stdout + stderr)
  if (hasRoom) await history.assertWhole(await openLocal(folder), 'on a full disk')
}

test(
  'on a disk that is nearly full a prune frees what it can without copying, and the rest when there is room',
  { skip },
  async () => {
    await using place = await fullPlace(100_000)
    const before = place.free()
    const first = saidOf(await startPrune(place.folder).ended)
    assert.ok(first.bytesFreed! > 500_000, JSON.stringify(first))
    assert.ok(place.free() >= before + first.bytesFreed!)
    await assertSound(place)
    rmSync(place.disk.inside('ballast'))
    const second = saidOf(await startPrune(place.folder).ended)
    assert.deepEqual([second.isComplete, second.findings], [true, []])
    await assertSound(place)
  },
)

test(
  'on a disk without any room a prune says so and harms nothing, and forgetting a snapshot makes room for its lock',
  { skip },
  async () => {
    await using place = await fullPlace(0)
    assert.equal(saidOf(await startPrune(place.folder).ended).error, 'backend.full')
    await assertSound(place, false)
    const [id] = place.history.records.keys()
    place.history.records.delete(id!)
    await using repository = await openRepository(await openLocal(place.folder), opening)
    assert.ok((await planPrune(repository)).packs.removed.count > 0)
    const { removed, findings } = await forgetSnapshots(repository, [id!])
    assert.deepEqual([removed, findings], [[id], []])
    const said = saidOf(await startPrune(place.folder).ended)
    assert.equal(said.error, undefined, JSON.stringify(said))
    await assertSound(place)
  },
)
