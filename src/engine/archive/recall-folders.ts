import type { Accounts } from '../filesystem/accounts.ts'
import type { Repository } from '../repository/repository.ts'
import { FolderMemory, type FolderMemoryWriter } from './folder-memory.ts'

/** Where the memory of the folders is kept between two backups; whoever reads or changes it decides what is backed up. */
export interface MemoryPlace {
  /** Undefined when nothing was saved. */
  load(): Promise<Uint8Array | undefined>
  /** In place of what was there, whole or not at all. */
  save(bytes: Uint8Array): Promise<void>
}

/**
 * The memory of the backup that made the snapshot `parent`. Wants a lock on the repository, and its index loaded.
 *
 * Undefined when there is none, or it must not be believed: it is damaged, is about another repository or snapshot, an
 * index file it rests on is gone (and with it perhaps blobs), or users or groups were renamed.
 */
export async function recallFolders(
  repository: Repository,
  place: MemoryPlace,
  parent: string,
  accounts: Accounts,
): Promise<FolderMemory | undefined> {
  const bytes = await place.load().catch(() => undefined) // because without it the backup only takes longer
  const memory = bytes && FolderMemory.decode(bytes)
  if (memory?.repository !== repository.config.id || memory.snapshot !== parent) return undefined
  const nameOfUser = (uid: number): string => accounts.nameOfUser(uid)
  const nameOfGroup = (gid: number): string => accounts.nameOfGroup(gid)
  if (!memory.hasSameNames(nameOfUser, nameOfGroup)) return undefined
  return memory.indexes.every((index) => repository.indexFiles.has(index)) ? memory : undefined
}

/** Saves the memory for the next backup. Wants the lock under which `snapshot` was made. */
export async function rememberFolders(
  repository: Repository,
  place: MemoryPlace,
  snapshot: string,
  folders: FolderMemoryWriter,
  signal: AbortSignal,
): Promise<void> {
  try {
    const indexes = await Array.fromAsync(repository.backend.list('index', signal), ({ name }) => name)
    await place.save(folders.encode({ repository: repository.config.id, snapshot, indexes }))
  } catch {
    // because the snapshot is there, and the next backup only takes longer
  }
}
