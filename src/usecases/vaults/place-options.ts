import type { RestOptions, RestOverSshOptions, S3Options, SftpPlace } from '#engine'
import type { Location, Vault } from '#model'
import { identityFile } from '../identity-file.ts'
import type { Services, TemporaryFolder } from '../services.ts'

/** What the engine has to be told of a place, by the kind of place. Locks are not in it: they are a project's affair. */
export type PlaceOptions =
  | { readonly kind: 'local'; readonly path: string }
  | { readonly kind: 'sftp'; readonly options: SftpPlace }
  | { readonly kind: 's3'; readonly options: S3Options }
  | { readonly kind: 'rest'; readonly options: RestOptions }
  | { readonly kind: 'rest-ssh'; readonly options: RestOverSshOptions }

type Needed = Pick<Services, 'readText' | 'secret'>

/**
 * How a place in a vault is reached, secrets fetched.
 *
 * @param location - the vault's, or one in it.
 * @param temporary - holds the key and the socket of a login: it must be there as long as the place is used.
 * @throws errors of the credentials.
 */
export async function placeOptions(
  services: Needed,
  vault: Vault,
  location: Location,
  temporary: TemporaryFolder,
  signal?: AbortSignal,
): Promise<PlaceOptions> {
  const secret = async (reference: Vault['accessKey']) => reference && (await services.secret(reference, signal))
  const { connections } = vault
  const most = connections !== undefined && { connections }
  switch (location.kind) {
    case 'local':
      return location
    case 'sftp': {
      const target = await loginOf(services, vault, location, temporary, signal)
      const options = { target, path: location.path, folder: temporary.path, ...sessions(vault) }
      return { kind: 'sftp', options }
    }
    case 's3': {
      const { endpoint, bucket, prefix } = location
      const [accessKey, secretKey] = await Promise.all([secret(vault.accessKey), secret(vault.secretKey)])
      if (!accessKey || !secretKey) throw new TypeError(`the vault ${vault.name} is in S3 and has no keys`)
      const { region } = vault
      const options = {
        endpoint,
        bucket,
        prefix,
        accessKey,
        secretKey,
        ...(region !== undefined && { region }),
        ...most,
      }
      return { kind: 's3', options }
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
      return { kind: 'rest', options }
    }
    case 'rest-ssh': {
      const target = await loginOf(services, vault, location, temporary, signal)
      return { kind: 'rest-ssh', options: { target, path: location.path, ...most } }
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
  services: Needed,
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
