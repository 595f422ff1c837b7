import { measureFiles, openS3, spaceOfLocal, spaceOfSftp, type PlaceSpace, type PlaceUsage } from '#engine'
import { locationIn, vaultsOf, type Project, type RepositorySize, type Vault, type VaultMeasurement } from '#model'
import { usecaseError } from '../errors.ts'
import { forItself, listItself } from '../recover/own-places.ts'
import type { Services } from '../services.ts'
import { openPlace, type PlaceServices } from './open-place.ts'
import { placeOf } from './open-vault.ts'
import { placeOptions, type PlaceOptions } from './place-options.ts'

/**
 * Adds up what each project takes in a vault, asks how much room is left, and enters both into the catalog.
 *
 * Every file is listed: in S3 a thousand with each request, and all versions of it.
 *
 * @throws `vault.emptied`; errors of the credentials and of the place. Then nothing is entered.
 */
export async function measureVault(
  given: PlaceServices & Pick<Services, 'catalog' | 'progress'>,
  vault: Vault,
  signal: AbortSignal,
): Promise<VaultMeasurement> {
  const services = forItself(given)
  const { catalog, clock } = services
  const at = clock.now()
  await using temporary = await services.temporaryFolder()
  const place = await placeOptions(services, vault, vault.location, temporary, signal)
  const projects = await measuredIn(given, vault)
  const space = await spaceOf(place, signal)
  const repositories: RepositorySize[] = []
  for (const { name } of projects) {
    services.progress({
      label: `measuring ${vault.name}`,
      done: repositories.length,
      total: projects.length,
      unit: 'items',
      detail: name,
    })
    const usage = await usageOf(services, vault, place, name, signal)
    if (usage.files === 0) await requireEmpty(services, vault, name)
    repositories.push({ project: name, ...usage })
  }
  const measurement = { vault: vault.name, at, repositories, ...(space && { space }) }
  await catalog.measurements.add(measurement)
  return measurement
}

/** The projects that a vault is for, and Bewaar itself when it was backed up there. */
export async function measuredIn(
  services: Pick<Services, 'catalog' | 'configuration'>,
  vault: Vault,
): Promise<Project[]> {
  const { configuration } = services
  const isHere = (project: Project): boolean => vaultsOf(configuration, project).includes(vault)
  return [...configuration.projects, ...(await listItself(services))].filter(isHere)
}

/** Because a disk that is not mounted would look like a vault that was emptied. @throws `vault.emptied`. */
async function requireEmpty({ catalog }: Pick<Services, 'catalog'>, vault: Vault, project: string): Promise<void> {
  const { length: count } = await catalog.snapshots.list({ vault: vault.name, project })
  if (count > 0) throw usecaseError('vault.emptied', { place: placeOf(vault, project), project, count })
}

async function usageOf(
  services: PlaceServices,
  vault: Vault,
  place: PlaceOptions,
  project: string,
  signal: AbortSignal,
): Promise<PlaceUsage> {
  const location = locationIn(vault.location, project)
  if (place.kind === 's3' && location.kind === 's3') {
    await using bucket = await openS3({ ...place.options, prefix: location.prefix }, signal)
    const { currentFiles, currentBytes, olderBytes } = await bucket.usage(signal)
    return { files: currentFiles, bytes: currentBytes + olderBytes, olderBytes }
  }
  await using backend = await openPlace(services, vault, project, signal)
  return await measureFiles(backend, signal)
}

/** S3 and REST do not tell. */
async function spaceOf(place: PlaceOptions, signal: AbortSignal): Promise<PlaceSpace | undefined> {
  switch (place.kind) {
    case 'local':
      return await spaceOfLocal(place.path)
    case 'sftp':
      return await spaceOfSftp(place.options, signal)
    case 's3':
    case 'rest':
    case 'rest-ssh':
      return undefined
    default:
      return place satisfies never
  }
}
