import { createRepository, openRepository, type Repository } from '#engine'
import { formatLocation, locationIn, type Vault } from '#model'
import { createPlace, openPlace, type Place, type PlaceServices } from './open-place.ts'

/** A repository together with the place it lies in; disposing closes both. */
export interface OpenedVault extends AsyncDisposable {
  readonly vault: Vault
  readonly repository: Repository
}

/** The place of a project's repository in a vault, for messages. */
export function placeOf(vault: Vault, project: string): string {
  return formatLocation(locationIn(vault.location, project))
}

/** @throws `repository.missing`; `repository.password`; errors of the credentials and of the place. */
export async function openVault(
  services: PlaceServices,
  vault: Vault,
  project: string,
  signal?: AbortSignal,
): Promise<OpenedVault> {
  const { clock } = services
  const backend = await openPlace(services, vault, project, signal)
  return await guarded(backend, vault, async () => {
    const password = await services.secret(vault.password, signal)
    return await openRepository(backend, { password, clock }, signal)
  })
}

/**
 * Makes the repository of a project in a vault.
 *
 * @param polynomial - that of the project's other repositories, so that copies between them share their chunks.
 */
export async function createVault(
  services: PlaceServices,
  vault: Vault,
  project: string,
  polynomial: bigint | undefined,
  signal?: AbortSignal,
): Promise<OpenedVault> {
  const { clock } = services
  const password = await services.secret(vault.password, signal)
  const backend = await createPlace(services, vault, project, signal)
  const options = { password, clock, ...(polynomial !== undefined && { polynomial }) }
  return await guarded(backend, vault, () => createRepository(backend, options, signal))
}

async function guarded(backend: Place, vault: Vault, open: () => Promise<Repository>): Promise<OpenedVault> {
  try {
    const repository = await open()
    if ('keepPacks' in backend) backend.keepPacks((pack) => repository.index.holdsTrees(pack))
    return {
      vault,
      repository,
      [Symbol.asyncDispose]: async () => {
        await repository[Symbol.asyncDispose]()
        await backend[Symbol.asyncDispose]()
      },
    }
  } catch (thrown) {
    await backend[Symbol.asyncDispose]()
    throw thrown
  }
}
