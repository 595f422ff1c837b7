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
import { bandwidthAt, getProject, lockTerm, type Location, type Vault } from '#model'
import type { Services, TemporaryFolder } from '../services.ts'
import { persistently } from './persistently.ts'
import { placeOptions } from './place-options.ts'

export type PlaceServices = Pick<
  Services,
  'cacheFolder' | 'clock' | 'configuration' | 'readText' | 'secret' | 'temporaryFolder'
>

type Verb = 'open' | 'create'
type RemoteLocation = Exclude<Location, { kind: 'local' }>

/** A place that does not answer at first is soon given up: the next run or copy makes up for it. */
const connectAttempts = 3

/** Opens, or makes, a place that is not on this machine, as `openPlace` promises. */
export async function reachPlace(
  services: PlaceServices,
  vault: Vault,
  location: RemoteLocation,
  project: string,
  verb: Verb,
  signal?: AbortSignal,
): Promise<CachedBackend> {
  const { cacheFolder: folder, clock, configuration } = services
  await using resources = new AsyncDisposableStack()
  const temporary = resources.use(await services.temporaryFolder())
  const connect = await wayTo(services, vault, location, project, temporary, signal)
  const reconnect = (): Promise<Backend> => connect('open')
  const first = await persistently(() => connect(verb, signal), signal, connectAttempts)
  const tried = resources.use(retrying(first, { reconnect, clock, firstAttempts: connectAttempts }))
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
  location: RemoteLocation,
  project: string,
  temporary: TemporaryFolder,
  signal?: AbortSignal,
): Promise<Connect> {
  const place = await placeOptions(services, vault, location, temporary, signal)
  switch (place.kind) {
    case 'local':
      return async (verb) => await { open: openLocal, create: createLocal }[verb](place.path)
    case 'sftp':
      return async (verb, signal) => await { open: openSftp, create: createSftp }[verb](place.options, signal)
    case 's3': {
      const options = { ...place.options, ...lockOf(services, vault, project) }
      return async (verb, signal) => await { open: openS3, create: createS3 }[verb](options, signal)
    }
    case 'rest':
      return async (verb, signal) => await { open: openRest, create: createRest }[verb](place.options, signal)
    case 'rest-ssh':
      return async (verb, signal) =>
        await { open: openRestOverSsh, create: createRestOverSsh }[verb](place.options, signal)
    default:
      return place satisfies never
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
