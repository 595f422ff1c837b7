import { AppError } from '#base'
import { getVault, vaultsOf, type Project, type Vault } from '#model'
import type { Services } from '../services.ts'
import type { PlaceServices } from './open-place.ts'
import { createVault, openVault, placeOf, type OpenedVault } from './open-vault.ts'
import { recordAll } from './known-snapshots.ts'

export interface InitialisedRepository {
  readonly project: string
  readonly vault: string
  readonly place: string
  readonly state: 'created' | 'present' | 'failed'
  /** Backups found in it. */
  readonly snapshots: number
  /** Why it failed. */
  readonly error?: AppError
}

type Needed = PlaceServices & Pick<Services, 'catalog' | 'progress'>

/**
 * Makes what is missing: the repository of each project in each of its vaults, all of a project cut alike. What is there
 * is opened with its password, and its backups are entered into the catalog, so a lost catalog comes back.
 * A vault that fails keeps none of the others from being made. Repeating it is harmless.
 */
export async function initialise(
  services: Needed,
  projects: readonly Project[],
  signal?: AbortSignal,
): Promise<InitialisedRepository[]> {
  const { configuration } = services
  const done: InitialisedRepository[] = []
  const pairs = projects.map((project) => ({ project, vaults: vaultsOf(configuration, project) }))
  const total = pairs.reduce((sum, { vaults }) => sum + vaults.length, 0)
  for (const { project, vaults } of pairs) {
    const main = getVault(configuration, project.vault)
    const missing: Vault[] = []
    let polynomial: bigint | undefined
    const tell = (vault: Vault): void =>
      services.progress({ label: 'preparing vaults', done: done.length, total, unit: 'items', detail: vault.name })
    // because what is there decides how files are cut in what is made, and first of all the vault that runs write to
    for (const vault of mainFirst(vaults, main)) {
      tell(vault)
      const open = (): Promise<OpenedVault> => openVault(services, vault, project.name, signal)
      const found = await settle(services, vault, project, 'present', open, signal)
      if (found.report.error?.code === 'repository.missing') missing.push(vault)
      else done.push(found.report)
      polynomial ??= found.polynomial
    }
    for (const vault of missing) {
      tell(vault)
      const create = (): Promise<OpenedVault> => createVault(services, vault, project.name, polynomial, signal)
      const made = await settle(services, vault, project, 'created', create, signal)
      done.push(made.report)
      polynomial ??= made.polynomial
    }
  }
  return inOrder(done, pairs)
}

/** Opens or makes one repository and enters its backups into the catalog; what keeps from it becomes the report. */
async function settle(
  services: Needed,
  vault: Vault,
  project: Project,
  state: 'created' | 'present',
  open: () => Promise<OpenedVault>,
  signal?: AbortSignal,
): Promise<{ readonly report: InitialisedRepository; readonly polynomial?: bigint }> {
  const about = { project: project.name, vault: vault.name, place: placeOf(vault, project.name) }
  try {
    await using opened = await open()
    const snapshots = await recordAll(services, opened.repository, vault, project.name, signal)
    return { report: { ...about, state, snapshots }, polynomial: opened.repository.config.chunkerPolynomial }
  } catch (thrown) {
    if (signal?.aborted || !(thrown instanceof AppError)) throw thrown
    return { report: { ...about, state: 'failed', snapshots: 0, error: thrown } }
  }
}

function inOrder(
  done: readonly InitialisedRepository[],
  pairs: readonly { readonly project: Project; readonly vaults: readonly Vault[] }[],
): InitialisedRepository[] {
  return pairs.flatMap(({ project, vaults }) =>
    vaults.flatMap((vault) => done.filter((one) => one.project === project.name && one.vault === vault.name)),
  )
}

function mainFirst(vaults: readonly Vault[], main: Vault): Vault[] {
  return [main, ...vaults.filter((vault) => vault !== main)]
}
