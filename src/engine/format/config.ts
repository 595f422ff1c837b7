/**
 * The config of a repository: JSON, sealed but never compressed and without the byte that says how it is packed.
 *
 * Source: restic-format §4.
 */
import { damaged } from './errors.ts'
import * as json from './json.ts'

export interface RepositoryConfig {
  /** 1 knows no compression. */
  readonly version: 1 | 2
  /** 64 hex digits, random. */
  readonly id: string
  /** Bit i is the coefficient of x^i. Whether it can be used is for the chunker to say. */
  readonly chunkerPolynomial: bigint
}

export function encodeConfig(config: RepositoryConfig): Uint8Array {
  return json.encodeJson({
    version: config.version,
    id: config.id,
    chunker_polynomial: config.chunkerPolynomial.toString(16),
  })
}

const what = 'config'

/** @throws `format.damaged` also for a version of the format other than 1 and 2. */
export function decodeConfig(bytes: Uint8Array): RepositoryConfig {
  const fields = json.parseObject(bytes, what)
  const { version } = fields
  if (version !== 1 && version !== 2) throw damaged(what, 'its version of the format is neither 1 nor 2')
  const polynomial = json.asText(fields['chunker_polynomial'], what)
  if (!/^[0-9a-fA-F]{1,16}$/.test(polynomial)) throw damaged(what, 'its chunker polynomial is not a hex number')
  return { version, id: json.asId(fields['id'], what), chunkerPolynomial: BigInt(`0x${polynomial}`) }
}
