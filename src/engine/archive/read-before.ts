import { AppError } from '#base'
import { Accounts } from '../filesystem/accounts.ts'
import type { BegunLock } from '../repository/lock.ts'
import type { Repository } from '../repository/repository.ts'
import type { FolderMemory } from './folder-memory.ts'
import { type MemoryPlace, recallFolders } from './recall-folders.ts'

/** What of earlier backups is known before anything is looked at. */
export interface Recalled {
  readonly accounts: Accounts
  /** What was said of index files that are damaged. */
  readonly unreadable: readonly AppError[]
  readonly memory: FolderMemory | undefined
}

interface RecallRequest {
  readonly memory?: MemoryPlace | undefined
  readonly parent?: { readonly id: string } | undefined
}

/** Loads the index and the memory of the folders while it settles whose lock it is, and again where that was too early. */
export async function readBefore(
  repository: Repository,
  request: RecallRequest,
  lock: BegunLock,
  signal: AbortSignal,
): Promise<Recalled> {
  const settled = lock.settle(signal)
  settled.catch(() => {}) // because it is awaited below
  let early: Recalled | undefined
  try {
    early = await recall(repository, request, signal)
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.kind !== 'missing') throw thrown
  }
  await settled
  // because whoever was alone in the repository until then may have removed index files, and the blobs they name
  if (early && (await repository.isIndexCurrent(signal))) return early
  return await recall(repository, request, signal)
}

async function recall(repository: Repository, request: RecallRequest, signal: AbortSignal): Promise<Recalled> {
  const { memory: place, parent } = request
  const accounts = new Accounts()
  const unreadable = await repository.loadReadableIndex(signal)
  // because a memory may rest on what an index file said that cannot be read any more
  const isBelieved = place !== undefined && parent !== undefined && unreadable.length === 0
  const memory = isBelieved ? await recallFolders(repository, place, parent.id, accounts) : undefined
  return { accounts, unreadable, memory }
}
