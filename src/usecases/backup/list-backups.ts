import { vaultsOf, type KnownSnapshot, type Project, type Vault } from '#model'
import type { Services } from '../services.ts'
import { lookInto } from '../vaults/known-snapshots.ts'
import type { PlaceServices } from '../vaults/open-place.ts'

export interface BackupList {
  /** Newest first; copies of one in the order of the project's vaults. */
  readonly backups: readonly KnownSnapshot[]
  /** Vaults that could not be looked at; what the catalog remembers of them is in the list. */
  readonly troubles: readonly { readonly vault: string; readonly project: string; readonly error: unknown }[]
}

/** The backups of projects in the vaults that hold them, as the vaults themselves say. */
export async function listBackups(
  services: PlaceServices & Pick<Services, 'catalog'>,
  projects: readonly Project[],
  only: Vault | undefined,
  signal?: AbortSignal,
): Promise<BackupList> {
  const backups: KnownSnapshot[] = []
  const troubles: { vault: string; project: string; error: unknown }[] = []
  for (const project of projects) {
    for (const vault of vaultsOf(services.configuration, project)) {
      if (only && vault !== only) continue
      const content = await lookInto(services, vault, project, signal)
      for (const snapshot of content.snapshots) backups.push(snapshot)
      if (content.trouble) troubles.push({ vault: vault.name, project: project.name, error: content.trouble })
    }
  }
  backups.sort((a, b) => b.time - a.time)
  return { backups, troubles }
}
