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

/** A vault that is being opened while other things are done. */
export interface OpeningVault extends AsyncDisposable {
  /** Rejects as {@link openVault} does. */
  readonly opened: Promise<OpenedVault>
}

/** Opens a vault beside other work, since deriving its key takes a while. Disposing closes it, or gives the opening up. */
export function beginOpening(
  services: PlaceServices,
  vault: Vault,
  project: string,
  signal: AbortSignal,
): OpeningVault {
  const stop = new AbortController()
  let isOver = false
  const opened = openVault(services, vault, project, AbortSignal.any([signal, stop.signal]))
  const ended = opened.then(
    () => (isOver = true),
    () => (isOver = true), // because whoever awaits `opened` gets it
  )
  return {
    opened,
    [Symbol.asyncDispose]: async () => {
      if (!isOver) stop.abort()
      await ended
      await (await opened.catch(() => undefined))?.[Symbol.asyncDispose]()
    },
  }
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
