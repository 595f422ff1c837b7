import type { Bandwidth } from './bandwidth.ts'
import type { Location } from './location.ts'
import type { SecretReference } from './secret-reference.ts'

export const tiers = ['hot', 'archive'] as const
/** `hot`: files can be read at once. `archive`: kept for long, perhaps woken before they can be read. */
export type Tier = (typeof tiers)[number]

export const objectLocks = ['governance', 'compliance'] as const
export type ObjectLock = (typeof objectLocks)[number]

/** A named place that keeps backups, with one repository for each project. */
export interface Vault {
  readonly name: string
  readonly location: Location
  readonly tier: Tier
  /** Opens every repository in it. */
  readonly password: SecretReference
  /** SFTP and REST over SSH: the private key to log in with. */
  readonly identity?: SecretReference
  /** SFTP and REST over SSH: file with the host keys that are trusted. */
  readonly knownHosts?: string
  /** REST: of the user that the location names. */
  readonly loginPassword?: SecretReference
  /** REST: file with the certificates that are trusted in place of the system's, absolute. */
  readonly authorities?: string
  readonly accessKey?: SecretReference
  readonly secretKey?: SecretReference
  readonly objectLock?: ObjectLock
  /** S3: absent, what the endpoint says. */
  readonly region?: string
  /** Operations at once; absent: what the kind of place bears. */
  readonly connections?: number
  /** What may be sent and received in a second. */
  readonly bandwidth?: Bandwidth
  readonly place?: { readonly site?: string; readonly provider?: string; readonly region?: string }
  readonly capacityBytes?: number
  readonly price?: Price
}

export interface Price {
  readonly amount: number
  /** ISO 4217: `EUR`. */
  readonly currency: string
  readonly per: 'month' | 'year'
}
