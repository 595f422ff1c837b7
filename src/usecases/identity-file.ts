import type { SecretReference } from '#model'
import type { Services, TemporaryFolder } from './services.ts'

/**
 * Lays a private key where ssh can read it, in a folder that is gone with the connection.
 *
 * @returns the file; undefined without a key.
 * @throws errors of `credentials`.
 */
export async function identityFile(
  { secret }: Pick<Services, 'secret'>,
  reference: SecretReference | undefined,
  folder: TemporaryFolder,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const key = reference && (await secret(reference, signal))
  return key && (await folder.write('identity', `${key.reveal().trimEnd()}\n`))
}
