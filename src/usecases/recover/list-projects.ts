import { AppError } from '#base'
import { parseTime, type Repository, type StoredSnapshot } from '#engine'
import type { Manifest, Vault } from '#model'
import { readLayout } from '../restore/layout.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault } from '../vaults/open-vault.ts'

/** A project that can be restored from a vault. */
export interface RecoverableProject {
  readonly name: string
  readonly title?: string
  readonly snapshots: number
  /** Milliseconds since 1970; absent when there is none. */
  readonly newest?: number
  /** Of the newest backup; absent when it was not asked for, or none could be read. */
  readonly manifest?: Manifest
  /** Why it could not be looked at. */
  readonly error?: AppError
}

/** Opens the repositories of projects, one after the other, and says what they hold. */
export async function listRecoverable(
  services: PlaceServices,
  vault: Vault,
  names: readonly string[],
  options: { readonly isManifestWanted: boolean },
  signal: AbortSignal,
): Promise<RecoverableProject[]> {
  const found: RecoverableProject[] = []
  for (const name of names) {
    try {
      await using opened = await openVault(services, vault, name, signal)
      const { snapshots } = await opened.repository.listSnapshots(signal)
      const [last] = snapshots.slice(-1)
      const manifest = options.isManifestWanted ? await manifestOf(opened.repository, snapshots, signal) : undefined
      found.push({
        name,
        snapshots: snapshots.length,
        ...(last && { newest: Number(parseTime(last.snapshot.time) / 1_000_000n) }),
        ...(manifest && { manifest, title: manifest.title }),
      })
    } catch (error) {
      if (signal.aborted || !(error instanceof AppError)) throw error
      found.push({ name, snapshots: 0, error })
    }
  }
  return found
}

/** How many backups are looked at for a manifest that can be read. */
const mostTried = 5

async function manifestOf(
  repository: Repository,
  snapshots: readonly StoredSnapshot[],
  signal: AbortSignal,
): Promise<Manifest | undefined> {
  await repository.loadReadableIndex(signal)
  for (const { snapshot } of snapshots.toReversed().slice(0, mostTried)) {
    try {
      const { manifest } = await readLayout(repository, snapshot.tree, signal)
      if (manifest) return manifest
    } catch (thrown) {
      if (signal.aborted || !(thrown instanceof AppError)) throw thrown
    }
  }
  return undefined
}
