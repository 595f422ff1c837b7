import { repositoriesInLocal, repositoriesInSftp } from '#engine'
import {
  formatLocation,
  namePattern,
  ownProject,
  parseSchedule,
  type Configuration,
  type Location,
  type Project,
  type SecretReference,
  type Vault,
} from '#model'
import { usecaseError } from '../errors.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { placeOptions } from '../vaults/place-options.ts'
import { checkVaults, type VaultsReport } from './check-vaults.ts'

export interface PlaceRequest {
  readonly location: Location
  /** Opens every repository there. */
  readonly password: SecretReference
  /** None: all whose repositories are there. */
  readonly projects: readonly string[]
  readonly maxAgeMs: number
}

/** Where the keys of a place come from that wants some: the variables that stock restic and the tools of S3 know. */
const environment = {
  accessKey: { env: 'AWS_ACCESS_KEY_ID' },
  secretKey: { env: 'AWS_SECRET_ACCESS_KEY' },
  loginPassword: { env: 'RESTIC_REST_PASSWORD' },
} as const satisfies Partial<Vault>

/**
 * The same as `checkVaults` for who has no configuration: another machine, with nothing but a location and a password.
 *
 * @throws `watch.no-list` where a place does not tell what is in it, and no project is named; `watch.nothing-there`; what keeps a
 * place from being listed.
 */
export async function checkPlace(
  services: Omit<PlaceServices, 'configuration'>,
  request: PlaceRequest,
  signal: AbortSignal,
): Promise<VaultsReport[]> {
  const { location, password, maxAgeMs } = request
  const vault = vaultAt(location, password)
  const { projects: named } = request
  // because Bewaar's own backups follow those of the projects
  const names =
    named.length > 0 ? named : (await namesIn(services, vault, signal)).filter((name) => name !== ownProject)
  if (names.length === 0) throw usecaseError('watch.nothing-there', { place: vault.name })
  const projects = names.map((name) => projectNamed(name, vault))
  const configuration = configurationOf(vault, projects)
  return await checkVaults({ ...services, configuration }, { projects, vaultsOf: () => [vault], maxAgeMs }, signal)
}

/** A place as a vault; the keys that it wants come from the environment. */
export function vaultAt(location: Location, password: SecretReference): Vault {
  const { loginPassword, ...keys } = environment
  const hasUser = location.kind === 'rest' && new URL(location.url).username !== ''
  return {
    name: formatLocation(location),
    location,
    tier: 'hot',
    password,
    ...(location.kind === 's3' && keys),
    ...(hasUser && { loginPassword }),
  }
}

/** The names of the repositories in a vault. @throws `watch.no-list`; what keeps a place from being listed. */
export async function namesIn(
  services: Omit<PlaceServices, 'configuration'>,
  vault: Vault,
  signal: AbortSignal,
): Promise<string[]> {
  await using temporary = await services.temporaryFolder()
  const place = await placeOptions(services, vault, vault.location, temporary, signal)
  switch (place.kind) {
    case 'local':
      return projectNames(await repositoriesInLocal(place.path))
    case 'sftp':
      return projectNames(await repositoriesInSftp(place.options, signal))
    case 's3':
    case 'rest':
    case 'rest-ssh':
      throw usecaseError('watch.no-list', { place: vault.name })
    default:
      return place satisfies never
  }
}

function projectNames(folders: readonly string[]): string[] {
  return folders.filter((name) => namePattern.test(name)).toSorted()
}

export function projectNamed(name: string, vault: Vault): Project {
  return {
    name,
    title: name,
    type: 'generic',
    path: '/',
    criticality: 'medium',
    schedule: parseSchedule('daily 00:00'),
    leaveOut: [],
    vault: vault.name,
    copies: [],
    keep: new Map(),
    restore: {},
    paused: false,
  }
}

/** What opens the repositories of a vault when nobody has written a configuration. */
export function configurationOf(vault: Vault, projects: readonly Project[]): Configuration {
  return {
    file: 'the command line',
    files: [],
    timezone: 'UTC',
    language: 'en',
    state: '',
    catalog: { kind: 'sqlite' },
    vaults: [vault],
    projects,
    notify: {},
    serve: { atOnce: 1 },
  }
}
