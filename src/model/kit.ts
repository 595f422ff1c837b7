import type { SeenTrouble, TroubleKind } from './incident.ts'

const hourMs = 60 * 60 * 1000
/** One failure is made up for by the next day's attempt. */
const ownBackupLateMs = 25 * hourMs
const yearMs = 365 * 24 * hourMs

/** How a kit holds the password: not at all, as it is, or split into shares. */
export type KitForm = 'without' | 'password' | 'shares'

/** A recovery kit that was made. Moments are milliseconds since 1970, UTC. */
export interface KitRecord {
  /** What stands on the paper: 8 lower-case hex digits. */
  readonly id: string
  readonly madeAt: number
  readonly who: string
  readonly form: KitForm
  /** Of shares: so many of so many give the password back. */
  readonly shares?: { readonly needed: number; readonly count: number }
  /** The vaults that it names. */
  readonly vaults: readonly string[]
}

/** That the password which a person keeps was tried. */
export interface KitCheck {
  readonly id: string
  readonly at: number
  readonly who: string
  readonly by: 'password' | 'shares'
  /** Of shares, the kit that they are of. */
  readonly kit?: string
  /** `complete`: it opened everything in every vault that was asked for. */
  readonly status: 'complete' | 'failed'
  /** The vaults in which it opened everything. */
  readonly vaults: readonly string[]
}

/** The last backup of Bewaar's own configuration and catalog in a vault. */
export interface OwnBackup {
  readonly vault: string
  readonly triedAt: number
  /** The newest that was made. */
  readonly madeAt?: number
  readonly snapshot?: string
  /** Of what it was made, besides the rest of the catalog: see `isOwnBackupDue`. Absent: nobody knows. */
  readonly of?: string
  /** Why the last attempt failed; absent when it did not. */
  readonly error?: string
}

/** What {@link recoveryTroubles} can find. */
export const recoveryKinds = ['own-backup', 'kit'] as const satisfies readonly TroubleKind[]

export interface RecoveryFacts {
  /** Vaults in use. */
  readonly vaults: readonly string[]
  readonly backups: readonly OwnBackup[]
  /** Newest first. */
  readonly checks: readonly KitCheck[]
  /** Vaults in which damage of Bewaar's own backups was found that nobody has seen mended. */
  readonly damaged: readonly string[]
  /** Since when Bewaar looks after something; absent: for no time yet. */
  readonly since?: number
}

/** What would keep Bewaar itself from being recovered from a vault: its own backup there is old, or nobody has proven the password. */
export function recoveryTroubles(facts: RecoveryFacts, now: number): SeenTrouble[] {
  const { vaults, backups } = facts
  const damaged = facts.damaged.flatMap((vault): SeenTrouble[] => {
    if (!vaults.includes(vault)) return []
    const text = 'the verification of the backups of the configuration and the catalog there found damage'
    const advice = `Run \`bewaar verify --project=bewaar --vault=${vault}\` to see what; docs/operate/recovery.md says what to do.`
    return [{ kind: 'own-backup', vault, criticality: 'medium', text, advice }]
  })
  const late = backups.flatMap(({ vault, madeAt, error }): SeenTrouble[] => {
    if (error === undefined || !vaults.includes(vault) || now - (madeAt ?? 0) <= ownBackupLateMs) return []
    if (facts.damaged.includes(vault)) return []
    return [
      {
        kind: 'own-backup',
        vault,
        criticality: 'medium',
        text: `the configuration and the catalog could not be backed up there: ${error}`,
        advice: 'See that the vault answers, then run `bewaar run`.',
      },
    ]
  })
  const unproven = vaults.filter((vault) => now - (provenAt(facts, vault) ?? now) > yearMs)
  const own = [...damaged, ...late]
  if (unproven.length === 0) return own
  const text = `for a year nobody has proven that the password on paper opens ${unproven.join(', ')}`
  const advice = 'Run `bewaar kit check` with the password or the shares in hand; `bewaar kit` prints a new kit.'
  return [...own, { kind: 'kit', criticality: 'low', text, advice }]
}

/** Since when the proof of a vault's password is waited for: the last one, or the beginning. */
function provenAt({ checks, since }: RecoveryFacts, vault: string): number | undefined {
  return checks.find(({ vaults }) => vaults.includes(vault))?.at ?? since
}
