/**
 * The engine's door for tests: the contract of a backend as a suite, backends that live in memory or fail on purpose, and
 * a repository in memory. Nothing that runs in production may enter here.
 */
import { Secret } from '#base'
import type { Backend } from './backend/backend.ts'
import { MemoryBackend } from './backend/memory/memory.ts'
import type { KeyCost } from './repository/keys.ts'
import { createRepository, type CreateOptions, type Repository } from './repository/repository.ts'

export {
  FaultyBackend,
  type Fault,
  type FaultAction,
  type FaultyOptions,
  type PerformedOperation,
} from './backend/faulty.ts'
export { loadAll } from './backend/load-all.ts'
export { MemoryBackend } from './backend/memory/memory.ts'
export { backendSuite } from './backend/suite.ts'
export {
  craftedConfig,
  craftedPassword,
  craftRepository,
  fileNode,
  folderNode,
  type Craft,
  type CraftedBlob,
  type CraftedNode,
  type CraftedRepository,
} from './maintain/crafted-repository.ts'
export { stockRestic, type StockRestic } from './stock-restic.ts'

/** Costs of scrypt that are safe for nothing and take a millisecond. */
export const cheapKey: KeyCost = { N: 1024, r: 1, p: 1 }

/** What the repositories of `memoryRepository` open with. */
export const memoryPassword = new Secret('password of a test')

/** A fresh repository, in memory unless `backend` says otherwise, without the waiting times of a real one. */
export async function memoryRepository(
  backend: Backend = new MemoryBackend(),
  options: Partial<CreateOptions> = {},
): Promise<Repository> {
  const defaults = { password: memoryPassword, cost: cheapKey, lockTimings: { settleMs: 0 } }
  return await createRepository(backend, { ...defaults, ...options })
}
