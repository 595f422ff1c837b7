import assert from 'node:assert/strict'
import { globSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { createLocal, createRepository, forgetSnapshots, openLocal, openRepository } from '#engine'
import { cheapKey, memoryPassword, stockRestic } from '#engine/testing'
import type { Chance } from './chance.ts'
import { History, opening } from './history.ts'
import { type Ended, start, type Started } from './program.ts'
import { assertRestoredByRestic } from './pruned-history.ts'

/** Each operation of a prune takes so long, so that kills strike between any two of them. */
const delayMs = 12
const program = fileURLToPath(new URL('./pruning-program.ts', import.meta.url))

/** What the program of a prune said. */
export interface PruneSaid {
  readonly isComplete?: boolean
  readonly bytesFreed?: number
  readonly removed?: { readonly count: number; readonly bytes: number }
  readonly findings?: readonly { readonly text: string }[]
  readonly error?: string
}

export function startPrune(folder: string, slowMs = 0, under: readonly string[] = []): Started {
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', program]
  return start([...under, ...node, folder, String(slowMs)])
}

export function saidOf({ stdout, stderr }: Ended): PruneSaid {
  assert.notEqual(stdout, '', stderr)
  return JSON.parse(stdout) as PruneSaid
}

/**
 * Prunes that are killed at chance moments between their lock and their end, each time with more backups before it. After each
 * everything that must be there is, and after the next prune nothing else.
 *
 * @returns what happened, in words.
 */
export async function killPrunes(chance: Chance, moments: number, restoreEvery: number): Promise<string> {
  await using restic = await stockRestic(memoryPassword)
  using history = new History(chance, { files: 20, largest: 100_000 })
  const { repository: folder } = restic
  await using backend = await createLocal(folder)
  await using repository = await createRepository(backend, { ...opening, cost: cheapKey })
  const figures = { killed: 0, ended: 0, withLock: 0, withNewIndex: 0, packsLeft: 0 }
  const backUpSome = async (): Promise<void> => {
    for (let nth = 0; nth < 2; nth++) {
      history.change()
      await history.backUp(repository)
    }
    await forgetSnapshots(repository, history.letGo(0.5))
  }
  await backUpSome()
  let { workMs } = await pruneWhole(folder)
  for (let nth = 0; nth < moments; nth++) {
    await backUpSome()
    const indexes = filesIn(folder, 'index')
    const { child, ended } = startPrune(folder, delayMs)
    await untilLocked(folder, ended)
    await Promise.race([pause(((nth + chance.next()) / moments) * workMs), ended])
    child.kill('SIGKILL')
    figures[(await ended).code === 137 ? 'killed' : 'ended']++
    if (filesIn(folder, 'locks').length > 0) figures.withLock++
    if (filesIn(folder, 'index').some((name) => !indexes.includes(name))) figures.withNewIndex++
    await history.assertWhole(backend, `killed at moment ${nth}`)
    if (restoreEvery === 1 && nth % 4 === 0) await restic.run('check', '--read-data')
    const packs = packsIn(folder)
    const { said, workMs: lastMs } = await pruneWhole(folder)
    assert.deepEqual([said.isComplete, said.findings], [true, []])
    workMs = (workMs + lastMs) / 2
    if (packsIn(folder) < packs) figures.packsLeft++
  }
  await history.assertWhole(await openLocal(folder), 'at the end')
  await using checked = await openRepository(backend, opening)
  assert.deepEqual((await checked.listSnapshots()).damaged, [])
  await restic.run('check', '--read-data')
  await assertRestoredByRestic(history, restic, restoreEvery)
  return JSON.stringify({ ...figures, workMs: Math.round(workMs) })
}

/** @returns also the time from the lock to the end. */
async function pruneWhole(folder: string): Promise<{ readonly said: PruneSaid; readonly workMs: number }> {
  const { ended } = startPrune(folder, delayMs)
  await untilLocked(folder, ended)
  const began = performance.now()
  const said = saidOf(await ended)
  return { said, workMs: performance.now() - began }
}

async function untilLocked(folder: string, ended: Promise<unknown>): Promise<void> {
  const over = new AbortController()
  void ended.then(() => over.abort())
  while (!over.signal.aborted && filesIn(folder, 'locks').length === 0) await pause(2)
}

function filesIn(folder: string, type: string): string[] {
  return readdirSync(join(folder, type)).filter((name) => /^[0-9a-f]{64}$/.test(name))
}

function packsIn(folder: string): number {
  return globSync('data/??/*', { cwd: folder }).length
}
