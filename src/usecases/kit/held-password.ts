import type { Secret } from '#base'
import { isShare, joinShares, sharesMissing } from '#credentials'
import type { KitCheck, SecretReference } from '#model'
import type { Services } from '../services.ts'

/** What a person keeps, ready to open a vault. */
export interface Held extends Pick<KitCheck, 'by' | 'kit'> {
  readonly secret: Secret
}

/**
 * A password as it is, or what shares come to.
 *
 * @returns how many shares are missing, when there are too few. @throws errors of the credentials.
 */
export async function joinGiven(given: readonly Secret[]): Promise<Held | { readonly missing: number }> {
  const [first] = given
  if (first && given.length === 1 && !isShare(first.reveal())) return { by: 'password', secret: first }
  const missing = sharesMissing(given)
  if (missing > 0) return { missing }
  return { by: 'shares', ...joinShares(given) }
}

export async function readSecret(
  services: Pick<Services, 'secret'>,
  reference: SecretReference,
  signal?: AbortSignal,
): Promise<Secret> {
  return await services.secret(reference, signal)
}
