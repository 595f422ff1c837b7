import { scrypt, type BinaryLike, type ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'

import { cryptoError } from './errors.ts'
import { keyFromBytes, type MasterKey } from './seal.ts'

const scryptAsync: (password: BinaryLike, salt: BinaryLike, length: number, options: ScryptOptions) => Promise<Buffer> =
  promisify(scrypt)

/** Costs and salt of a key derivation. */
export interface ScryptParameters {
  readonly N: number
  readonly r: number
  readonly p: number
  readonly salt: Uint8Array
}

/** Memory that a derivation may take: restic's own take 32 to 64 MiB. */
const maximumMemory = 2 ** 29
/** N·r·p that a derivation may cost: restic's own cost about 2^21 for half a second. */
const maximumCost = 2 ** 26

/**
 * The key that a password and the parameters of a key file make. Runs outside the event loop, for a good part of a second.
 *
 * The password is taken as its UTF-8 bytes, without any normalisation.
 *
 * @throws `crypto.kdf-refused` when the parameters are no valid ones, or would take over 512 MiB or some twenty seconds.
 *
 * Source: restic-format §3.
 */
export async function deriveKey(password: string, { N, r, p, salt }: ScryptParameters): Promise<MasterKey> {
  const isValid =
    [N, r, p].every((cost) => Number.isSafeInteger(cost) && cost >= 1) && N > 1 && Number.isInteger(Math.log2(N))
  const memory = 128 * r * (N + p + 2)
  if (!isValid || memory > maximumMemory || N * r * p > maximumCost) {
    throw cryptoError('crypto.kdf-refused', { N, r, p })
  }
  const bytes = await scryptAsync(Buffer.from(password), salt, 64, { N, r, p, maxmem: 2 * maximumMemory })
  return keyFromBytes(bytes)
}
