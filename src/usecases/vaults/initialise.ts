import { AppError } from '#base'
import { getVault, vaultsOf, type Project, type Vault } from '#model'
import type { Services } from '../services.ts'
import type { PlaceServices } from './open-place.ts'
import { createVault, openVault, placeOf } from './open-vault.ts'
import { recordAll } from './known-snapshots.ts'

export interface InitialisedRepository {
  readonly project: string
  readonly vault: string
  readonly place: string
  readonly state: 'created' | 'present'
  /** Backups found in it. */
  readonly snapshots: number
}

/**
 * Makes what is missing: the repository of each project in each of its vaults, all of a project cut alike. What is there
 * is opened with its password, and its backups are entered into the catalog, so a lost catalog comes back.
 * Repeating it is harmless.
 */
export async function initialise(
  services: PlaceServices & Pick<Services, 'catalog' | 'progress'>,
  projects: readonly Project[],
  signal?: AbortSignal,
): Promise<InitialisedRepository[]> {
  const { configuration } = services
  const done: InitialisedRepository[] = []
  const pairs = projects.map((project) => ({ project, vaults: vaultsOf(configuration, project) }))
  const total = pairs.reduce((sum, { vaults }) => sum + vaults.length, 0)
  for (const { project, vaults } of pairs) {
    let polynomial: bigint | undefined
    for (const vault of presentFirst(vaults, getVault(configuration, project.vault))) {
      services.progress({ label: 'preparing vaults', done: done.length, total, unit: 'items', detail: project.name })
      const { opened, state } = await openOrCreate(services, vault, project.name, polynomial, signal)
      await using _ = opened
      polynomial ??= opened.repository.config.chunkerPolynomial
      const snapshots = await recordAll(services, opened.repository, vault, project.name, signal)
      done.push({ project: project.name, vault: vault.name, place: placeOf(vault, project.name), state, snapshots })
    }
  }
  return done
}

/** The vault that runs write to decides how files are cut. */
function presentFirst(vaults: readonly Vault[], main: Vault): Vault[] {
  return [main, ...vaults.filter((vault) => vault !== main)]
}

async function openOrCreate(
  services: PlaceServices,
  vault: Vault,
  project: string,
  polynomial: bigint | undefined,
  signal?: AbortSignal,
): Promise<{ opened: Awaited<ReturnType<typeof openVault>>; state: InitialisedRepository['state'] }> {
  try {
    return { opened: await openVault(services, vault, project, signal), state: 'present' }
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'repository.missing') throw thrown
    return { opened: await createVault(services, vault, project, polynomial, signal), state: 'created' }
  }
}
