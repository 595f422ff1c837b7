import {
  cached,
  createLocal,
  createRest,
  createRestOverSsh,
  createS3,
  createSftp,
  limited,
  openLocal,
  openRest,
  openRestOverSsh,
  openS3,
  openSftp,
  retrying,
  type Backend,
  type CachedBackend,
  type S3Options,
} from '#engine'
import { bandwidthAt, getProject, locationIn, lockTerm, type Location, type Vault } from '#model'
import { identityFile } from '../identity-file.ts'
import type { Services, TemporaryFolder } from '../services.ts'

export type PlaceServices = Pick<
  Services,
  'cacheFolder' | 'clock' | 'configuration' | 'readText' | 'secret' | 'temporaryFolder'
>

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

type Verb = 'open' | 'create'

async function open(
  services: PlaceServices,
  vault: Vault,
  project: string,
  verb: Verb,
  signal?: AbortSignal,
): Promise<Place> {
  const location = locationIn(vault.location, project)
  if (location.kind === 'local') return await { open: openLocal, create: createLocal }[verb](location.path)
  const { cacheFolder: folder, clock, configuration } = services
  await using resources = new AsyncDisposableStack()
  const temporary = resources.use(await services.temporaryFolder())
  const connect = await wayTo(services, vault, location, project, temporary, signal)
  const reconnect = (): Promise<Backend> => connect('open')
  const tried = resources.use(retrying(await connect(verb, signal), { reconnect, clock }))
  const { bandwidth, connections } = vault
  const slowed = limited(disposing(tried, resources.move()), {
    clock,
    ...(connections !== undefined && { connections }),
    ...(bandwidth && { bandwidth: (now) => bandwidthAt(bandwidth, now, configuration.timezone) }),
  })
  return cached(slowed, { folder })
}

type Connect = (verb: Verb, signal?: AbortSignal) => Promise<Backend>

/** How a place is reached, as often as it takes. */
async function wayTo(
  services: PlaceServices,
  vault: Vault,
  location: Exclude<Location, { kind: 'local' }>,
  project: string,
  temporary: TemporaryFolder,
  signal?: AbortSignal,
): Promise<Connect> {
  const secret = async (reference: Vault['accessKey']) => reference && (await services.secret(reference, signal))
  const { connections } = vault
  const most = connections !== undefined && { connections }
  switch (location.kind) {
    case 'sftp': {
      const target = await loginOf(services, vault, location, temporary, signal)
      const place = { target, path: location.path, folder: temporary.path, ...sessions(vault) }
      return async (verb, signal) => await { open: openSftp, create: createSftp }[verb](place, signal)
    }
    case 's3': {
      const { endpoint, bucket, prefix } = location
      const [accessKey, secretKey] = await Promise.all([secret(vault.accessKey), secret(vault.secretKey)])
      if (!accessKey || !secretKey) throw new TypeError(`the vault ${vault.name} is in S3 and has no keys`)
      const { region } = vault
      const place = { endpoint, bucket, prefix, accessKey, secretKey, ...(region !== undefined && { region }), ...most }
      const options = { ...place, ...lockOf(services, vault, project) }
      return async (verb, signal) => await { open: openS3, create: createS3 }[verb](options, signal)
    }
    case 'rest': {
      const url = new URL(location.url)
      const user = decodeURIComponent(url.username)
      url.username = ''
      const password = await secret(vault.loginPassword)
      const ca = vault.authorities === undefined ? undefined : await services.readText(vault.authorities)
      const options = {
        url: url.href,
        ...(user !== '' && { user }),
        ...(password && { password }),
        ...(ca !== undefined && { ca }),
        ...most,
      }
      return async (verb, signal) => await { open: openRest, create: createRest }[verb](options, signal)
    }
    case 'rest-ssh': {
      const { path } = location
      const target = await loginOf(services, vault, location, temporary, signal)
      return async (verb, signal) =>
        await { open: openRestOverSsh, create: createRestOverSsh }[verb]({ target, path, ...most }, signal)
    }
    default:
      return location satisfies never
  }
}

/** Two operations go on at once in each session of SFTP. */
function sessions({ connections }: Vault): { connections?: number } {
  return connections === undefined ? {} : { connections: Math.max(1, Math.ceil(connections / 2)) }
}

async function loginOf(
  services: PlaceServices,
  { identity: reference, knownHosts }: Vault,
  { host, user, port }: { host: string; user?: string; port?: number },
  folder: TemporaryFolder,
  signal?: AbortSignal,
) {
  const identity = await identityFile(services, reference, folder, signal)
  return {
    // because a URL has an IPv6 address in brackets, and ssh has not
    host: host.replace(/^\[(.*)\]$/, '$1'),
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port }),
    ...(identity !== undefined && { identity }),
    ...(knownHosts !== undefined && { knownHosts }),
  }
}

function lockOf(
  { clock, configuration }: PlaceServices,
  vault: Vault,
  project: string,
): Pick<S3Options, 'objectLock'> | undefined {
  const until = lockTerm(vault, getProject(configuration, project), clock.now(), configuration.timezone)
  return vault.objectLock && until && { objectLock: { mode: vault.objectLock, until } }
}

/** The same backend; disposing it disposes `resources`. */
function disposing(backend: Backend, resources: AsyncDisposableStack): Backend {
  return {
    place: backend.place,
    connections: backend.connections,
    save: (ref, body, signal) => backend.save(ref, body, signal),
    load: (ref, range, signal) => backend.load(ref, range, signal),
    list: (type, signal) => backend.list(type, signal),
    remove: (ref, signal) => backend.remove(ref, signal),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
