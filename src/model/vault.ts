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
  /** SFTP: the private key to log in with. */
  readonly identity?: SecretReference
  /** SFTP: file with the host keys that are trusted. */
  readonly knownHosts?: string
  readonly accessKey?: SecretReference
  readonly secretKey?: SecretReference
  readonly objectLock?: ObjectLock
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
