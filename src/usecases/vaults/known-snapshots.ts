import { listNames, parseTime, type Repository, type StoredSnapshot } from '#engine'
import type { KnownSnapshot, Project, Vault } from '#model'
import type { Services } from '../services.ts'
import { openPlace, type PlaceServices } from './open-place.ts'

/** What a vault holds of a project; `trouble` says why it may be less than there is. */
export interface VaultContent {
  readonly vault: Vault
  readonly project: string
  /** Newest first. */
  readonly snapshots: readonly KnownSnapshot[]
  readonly trouble?: unknown
}

/** What the catalog remembers of a snapshot, as the snapshot itself tells it. */
export function knownFrom({ id, snapshot }: StoredSnapshot, vault: string, project: string): KnownSnapshot {
  const tagged = (label: string): string | undefined =>
    snapshot.tags?.find((tag) => tag.startsWith(label))?.slice(label.length)
  const run = tagged('run:')
  const safety = snapshot.tags?.includes('safety') ? (tagged('restore:') ?? '') : undefined
  return {
    vault,
    project,
    id,
    time: Number(parseTime(snapshot.time) / 1_000_000n),
    bytes: snapshot.summary?.totalBytesProcessed ?? 0,
    files: snapshot.summary?.totalFilesProcessed ?? 0,
    ...(run !== undefined && { run }),
    ...(safety !== undefined && { safety }),
    ...(snapshot.summary && { added: snapshot.summary.dataAddedPacked }),
  }
}

/**
 * Brings the catalog in line with what lies in a vault, and gives that.
 *
 * The names of the snapshots tell whether the catalog knows them all; only when it does not is the repository opened. A
 * vault that cannot be looked at leaves what the catalog remembers, and a trouble.
 */
export async function lookInto(
  services: PlaceServices & Pick<Services, 'catalog'>,
  vault: Vault,
  project: Project,
  signal?: AbortSignal,
): Promise<VaultContent> {
  const { catalog } = services
  const known = await catalog.snapshots.list({ vault: vault.name, project: project.name })
  try {
    const names = await namesOf(services, vault, project.name, signal)
    if (names.size === known.length && known.every(({ id }) => names.has(id))) {
      return { vault, project: project.name, snapshots: known }
    }
    // here, because most of what lists backups opens no repository, and opening one needs a great part of the engine
    const { openVault } = await import('./open-vault.ts')
    await using opened = await openVault(services, vault, project.name, signal)
    await recordAll(services, opened.repository, vault, project.name, signal)
    const snapshots = await catalog.snapshots.list({ vault: vault.name, project: project.name })
    return { vault, project: project.name, snapshots }
  } catch (trouble) {
    signal?.throwIfAborted()
    return { vault, project: project.name, snapshots: known, trouble }
  }
}

/** Makes the catalog say of one project in one vault what the vault itself says. */
export async function recordAll(
  { catalog, clock }: Pick<Services, 'catalog' | 'clock'>,
  repository: Repository,
  vault: Vault,
  project: string,
  signal?: AbortSignal,
): Promise<number> {
  const { snapshots } = await repository.listSnapshots(signal)
  const receivedAt = clock.now()
  const known = snapshots.map((stored) => ({ ...knownFrom(stored, vault.name, project), receivedAt }))
  await catalog.snapshots.replaceAll(vault.name, project, known)
  return known.length
}

async function namesOf(
  services: PlaceServices,
  vault: Vault,
  project: string,
  signal?: AbortSignal,
): Promise<Set<string>> {
  await using backend = await openPlace(services, vault, project, signal)
  return await listNames(backend, 'snapshot', signal)
}
