import { vaultsOf, type KnownSnapshot, type Project, type Vault } from '#model'
import { usecaseError } from '../errors.ts'
import type { Services } from '../services.ts'
import { lookInto } from '../vaults/known-snapshots.ts'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault } from '../vaults/open-vault.ts'

/** Which backup is wanted. A date is a day of the calendar, `2025-11-21`, in the organisation's time zone. */
export type Wanted =
  | { readonly kind: 'latest' }
  | { readonly kind: 'date'; readonly date: string }
  | { readonly kind: 'snapshot'; readonly id: string }

export interface ChosenBackup {
  readonly vault: Vault
  readonly snapshot: KnownSnapshot
  /** Why it is read from that vault. */
  readonly because: string
  /** Vaults that would have been nearer and could not be looked at. */
  readonly troubles: readonly { readonly vault: string; readonly error: unknown }[]
}

/**
 * Finds the backup that is wanted: the newest one, the newest up to the end of a day, or that of an id. Of copies in
 * several vaults the one in the nearest vault: hot before archive.
 *
 * @throws `restore.no-backup`; `restore.ambiguous`; `repository.missing`; what kept the only vault from being looked at.
 */
export async function chooseBackup(
  services: PlaceServices & Pick<Services, 'catalog'>,
  project: Project,
  wanted: Wanted,
  only: Vault | undefined,
  signal?: AbortSignal,
): Promise<ChosenBackup> {
  const { configuration } = services
  const vaults = vaultsOf(configuration, project).filter((vault) => !only || vault === only)
  const nearest = vaults.toSorted((a, b) => Number(a.tier === 'archive') - Number(b.tier === 'archive'))
  const found: { vault: Vault; snapshot: KnownSnapshot }[] = []
  const troubles: { vault: string; error: unknown }[] = []
  for (const vault of nearest) {
    const { snapshots, trouble } = await lookInto(services, vault, project, signal)
    if (trouble) troubles.push({ vault: vault.name, error: trouble })
    else
      for (const snapshot of snapshots)
        if (fits(snapshot, wanted, configuration.timezone)) found.push({ vault, snapshot })
  }
  // Because somebody may have put other snapshots into the repository with restic, which only an id can mean.
  const ours = found.filter(({ snapshot }) => wanted.kind === 'snapshot' || snapshot.run !== undefined)
  const others = found.filter(({ snapshot }) => snapshot.safety === undefined)
  const [best] = (ours.length > 0 ? ours : others).toSorted((a, b) => b.snapshot.time - a.snapshot.time)
  if (best) {
    assertUnambiguous(wanted, project, found)
    return { ...best, because: whyFrom(best, found, only), troubles }
  }
  if (troubles[0] && troubles.length === vaults.length) throw troubles[0].error
  // Because a vault without a repository has no backups either, and says more of what is wrong.
  await (await openVault(services, nearest[0]!, project.name, signal))[Symbol.asyncDispose]()
  throw usecaseError('restore.no-backup', {
    project: project.name,
    which: inWords(wanted),
    vaults: vaults.map(({ name }) => name).join(', '),
  })
}

function whyFrom(
  { vault, snapshot }: { readonly vault: Vault; readonly snapshot: KnownSnapshot },
  found: readonly { readonly vault: Vault; readonly snapshot: KnownSnapshot }[],
  only: Vault | undefined,
): string {
  if (only) return 'it was asked for'
  const others = found.filter((one) => one.vault !== vault && one.snapshot.time === snapshot.time)
  if (vault.tier === 'archive') return 'no hot vault has it'
  return others.length > 0 ? 'it is hot, and the nearest that has it' : 'it is the only one that has it'
}

function fits(snapshot: KnownSnapshot, wanted: Wanted, timezone: string): boolean {
  switch (wanted.kind) {
    case 'latest':
      return true
    case 'snapshot':
      return snapshot.id.startsWith(wanted.id)
    case 'date':
      return dayOf(snapshot.time, timezone) <= wanted.date
    default:
      return wanted satisfies never
  }
}

function assertUnambiguous(wanted: Wanted, project: Project, found: readonly { snapshot: KnownSnapshot }[]): void {
  const ids = new Set(found.map(({ snapshot }) => snapshot.id))
  if (wanted.kind !== 'snapshot' || ids.size === 1) return
  throw usecaseError('restore.ambiguous', { snapshot: wanted.id, count: ids.size, project: project.name })
}

function inWords(wanted: Wanted): string {
  if (wanted.kind === 'latest') return 'at all'
  return wanted.kind === 'date' ? `of ${wanted.date} or before` : `with the id ${wanted.id}`
}

/** `2025-11-21`: its order as text is the order of days. */
function dayOf(time: number, timezone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(time).toZonedDateTimeISO(timezone).toPlainDate().toString()
}
