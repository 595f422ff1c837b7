import type { KitVault } from './gather-facts.ts'

/** All words of a kit in one language; the compiler asks each language for each of them. */
export interface KitWords {
  readonly locale: string
  readonly title: string
  /** Two sentences that a frightened person reads first. */
  readonly lead: string
  readonly facts: { readonly kit: string; readonly made: string; readonly machine: string }
  readonly keep: string
  readonly call: string
  readonly noContacts: string
  readonly vaults: string
  readonly vaultsLead: string
  readonly location: string
  readonly place: string
  readonly tiers: Readonly<Record<KitVault['tier'], string>>
  readonly password: string
  readonly passwordNamed: (letter: string, isOnly: boolean) => string
  readonly projects: string
  readonly hostKeys: string
  readonly noHostKeys: string
  readonly alsoNeeded: string
  readonly needs: Readonly<Record<KitVault['needs'][number], string>>
  readonly withoutPassword: string
  readonly whereKept: string
  readonly passwordLead: string
  readonly spelled: string
  readonly camera: string
  readonly share: (number: number, count: number) => string
  readonly shareLead: (needed: number, count: number) => string
  readonly shareHolders: string
  readonly withBewaar: string
  readonly installBewaar: string
  readonly recover: string
  readonly recoverShares: (needed: number) => string
  readonly restoreEach: string
  readonly withoutBewaar: string
  readonly installRestic: string
  readonly reach: string
  readonly fetch: string
  readonly followRestore: string
  readonly postgresql: string
  readonly mysql: string
  readonly joinShares: string
  readonly check: string
  readonly checkLead: string
  readonly checkTable: { readonly day: string; readonly name: string; readonly result: string }
}
