/** Prunes the repository in the folder of its argument, slowly, so that there is time to kill it at each step. */
import { openLocal, openRepository, prune } from '#engine'
import { FaultyBackend } from '#engine/testing'
import { opening } from './history.ts'

const [folder = '', delayMs = '0'] = process.argv.slice(2)
const delay = { at: 1, action: 'delay', times: Number.MAX_SAFE_INTEGER, delayMs: Number(delayMs) } as const
await using backend = new FaultyBackend(await openLocal(folder), { faults: [delay] })
await using repository = await openRepository(backend, opening)
try {
  const { isComplete, bytesFreed, removed, findings } = await prune(repository, { maxUnusedShare: 0 })
  console.log(JSON.stringify({ isComplete, bytesFreed, removed, findings }))
} catch (thrown) {
  console.log(JSON.stringify({ error: thrown instanceof Error && 'code' in thrown ? thrown.code : String(thrown) }))
  process.exitCode = 1
}
