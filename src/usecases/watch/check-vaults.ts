import { AppError } from '#base'
import { parseTime } from '#engine'
import {
  ageAllowed,
  gravest,
  judgeFreshness,
  type Freshness,
  type FoundInVault,
  type Project,
  type Reason,
  type Vault,
  type Verdict,
} from '#model'
import type { PlaceServices } from '../vaults/open-place.ts'
import { openVault } from '../vaults/open-vault.ts'

/** How fresh the backups of a project are, as the vaults themselves say. */
export interface VaultsReport {
  readonly project: string
  /** The gravest of its vaults'. */
  readonly verdict: Verdict
  readonly vaults: readonly VaultReport[]
}

export interface VaultReport extends Freshness {
  readonly vault: string
  readonly verdict: Verdict
  readonly snapshots: number
}

export interface VaultsRequest {
  readonly projects: readonly Project[]
  /** Of each project, those that are asked. */
  vaultsOf(project: Project): readonly Vault[]
  /** How old the newest backup may be, in milliseconds; default: what the schedules of the project say. */
  readonly maxAgeMs?: number
}

/**
 * Asks vaults themselves how fresh their backups are: no catalog, no schedule that is believed, nothing is written there and
 * nothing is locked. A vault that cannot be asked is `unreachable`, and keeps none of the others from being asked.
 */
export async function checkVaults(
  services: PlaceServices,
  request: VaultsRequest,
  signal: AbortSignal,
): Promise<VaultsReport[]> {
  const reports: VaultsReport[] = []
  for (const project of request.projects) {
    const vaults: VaultReport[] = []
    for (const vault of request.vaultsOf(project))
      vaults.push(await checkVault(services, request, project, vault, signal))
    reports.push({ project: project.name, verdict: gravest(vaults.flatMap(({ reasons }) => reasons)), vaults })
  }
  return reports
}

async function checkVault(
  services: PlaceServices,
  { maxAgeMs }: VaultsRequest,
  project: Project,
  vault: Vault,
  signal: AbortSignal,
): Promise<VaultReport> {
  const about = { vault: vault.name }
  let found: FoundInVault
  try {
    found = await lookAt(services, project, vault, signal)
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    const reasons: Reason[] = [
      { verdict: 'unreachable', text: `it cannot be asked: ${thrown.message}`, advice: thrown.hint },
    ]
    return { ...about, verdict: 'unreachable', reasons, snapshots: 0 }
  }
  const now = services.clock.now()
  const { timezone } = services.configuration
  const allowed = (newestAt: number): number => maxAgeMs ?? ageAllowed(project, vault.name, newestAt, now, timezone)
  const freshness = judgeFreshness(found, project.paused ? undefined : allowed, now)
  return { ...about, ...freshness, verdict: gravest(freshness.reasons), snapshots: found.times.length }
}

/** What others may have put into the repository is no backup of the project. */
async function lookAt(
  services: PlaceServices,
  { name }: Project,
  vault: Vault,
  signal: AbortSignal,
): Promise<FoundInVault> {
  await using opened = await openVault(services, vault, name, signal)
  const { snapshots, damaged } = await opened.repository.listSnapshots(signal)
  const own = snapshots.filter(({ snapshot }) => snapshot.tags?.includes(`project:${name}`))
  const times = own.map(({ snapshot }) => Number(parseTime(snapshot.time) / 1_000_000n))
  return { times, damaged: damaged.length }
}
