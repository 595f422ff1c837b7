import { createLocal, openLocal, type Backend, type CachedBackend } from '#engine'
import { locationIn, type Vault } from '#model'
import type { PlaceServices } from './reach-place.ts'

export type { PlaceServices }

/** Where a repository lies: on this machine, or cached. */
export type Place = Backend | CachedBackend

/**
 * The place of a project's repository, without opening what is in it. A place that is not on this machine is asked again
 * when it does not answer, within the limits that the vault sets, and what is read often is kept here.
 *
 * @throws errors of the credentials and of the place; `vault.lock-term`.
 */
export async function openPlace(
  services: PlaceServices,
  vault: Vault,
  project: string,
  signal?: AbortSignal,
): Promise<Place> {
  return await open(services, vault, project, 'open', signal)
}

/** The same after making what has to be there first: folders, and whatever a server wants. Repeating it is harmless. */
export async function createPlace(
  services: PlaceServices,
  vault: Vault,
  project: string,
  signal?: AbortSignal,
): Promise<Place> {
  return await open(services, vault, project, 'create', signal)
}

async function open(
  services: PlaceServices,
  vault: Vault,
  project: string,
  verb: 'open' | 'create',
  signal?: AbortSignal,
): Promise<Place> {
  const location = locationIn(vault.location, project)
  if (location.kind === 'local') return await { open: openLocal, create: createLocal }[verb](location.path)
  // here, because what other machines need takes longer to load than many a command has to do on this one
  const { reachPlace } = await import('./reach-place.ts')
  return await reachPlace(services, vault, location, project, verb, signal)
}
