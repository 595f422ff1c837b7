import type { ReceivedSnapshot } from '#catalog'
import {
  findStops,
  getVault,
  isDamaged,
  planRetention,
  vaultsOf,
  type CleanupMode,
  type CleanupRecord,
  type CleanupStop,
  type JudgedSnapshot,
  type Project,
  type RetainedSnapshot,
  type RetentionCase,
  type Vault,
} from '#model'
import type { Services } from '../services.ts'
import { lookInto } from '../vaults/known-snapshots.ts'
import type { PlaceServices } from '../vaults/open-place.ts'

/** What a clean-up of one project in one vault would come to. */
export interface VaultSituation {
  readonly vault: Vault
  /** Newest first. */
  readonly judged: readonly JudgedSnapshot[]
  /** What the catalog knows of each snapshot, by its id. */
  readonly known: ReadonlyMap<string, ReceivedSnapshot>
  /** What keeps it from being done by itself. */
  readonly stops: readonly CleanupStop[]
  /** The clean-ups before, newest first. */
  readonly before: readonly CleanupRecord[]
}

type Needed = PlaceServices & Pick<Services, 'catalog'>

/** So many clean-ups are looked back. */
const mostBefore = 100

/**
 * Looks into a vault, and says what is kept there of a project and why.
 *
 * @throws what keeps the vault from being looked into.
 */
export async function judgeVault(
  services: Needed,
  project: Project,
  name: string,
  mode: CleanupMode,
  signal: AbortSignal,
): Promise<VaultSituation> {
  const { catalog, clock, configuration } = services
  const vault = getVault(configuration, name)
  const { trouble } = await lookInto(services, vault, project, signal)
  if (trouble) throw trouble
  const received = await catalog.snapshots.listReceived(project.name)
  const here = received.filter((one) => one.vault === name)
  const awaited = name === project.vault ? await findAwaited(services, project, received) : undefined
  const policy = project.keep.get(name)
  const situation: RetentionCase = {
    project: project.name,
    vault: name,
    hasLocks: vault.objectLock !== undefined,
    snapshots: here.map((one) => retained(one, awaited)),
    holds: await catalog.holds.list({ project: project.name }),
    timezone: configuration.timezone,
    now: clock.now(),
    isArchiveCleanup: mode === 'archive',
    ...(policy && { policy }),
  }
  const judged = planRetention(situation)
  const before = await catalog.cleanups.list({ project: project.name, vault: name, limit: mostBefore })
  const last = before.find(({ status }) => status === 'complete')
  const written = received.filter((one) => one.vault === project.vault).map((one) => retained(one))
  const stops = findStops({
    situation,
    project,
    judged,
    written,
    damagedVaults: await findDamaged(services, project),
    moments: await catalog.log.timesSince(last?.logNumber ?? { project: project.name }),
    ...(last && { lastAt: last.endedAt ?? last.startedAt }),
  })
  return { vault, judged, known: new Map(here.map((one) => [one.id, one])), stops, before }
}

/** Of runs whose snapshot has to be copied: the vaults that lack it, and when the last of those that have it got it. */
type Awaited = ReadonlyMap<string, Pick<RetainedSnapshot, 'awaitedBy' | 'copiedAt'>>

async function findAwaited(
  { catalog }: Needed,
  project: Project,
  received: readonly ReceivedSnapshot[],
): Promise<Awaited> {
  const awaited = new Map<string, { awaitedBy: string[]; copiedAt: number }>()
  for (const { vault, made } of received) {
    if (vault === project.vault && made) awaited.set(made.run, { awaitedBy: [], copiedAt: -Infinity })
  }
  for (const { to } of project.copies) {
    const arrivals = new Map(
      received.flatMap(({ vault, made, receivedAt }) =>
        vault === to && made ? [[made.run, receivedAt] as const] : [],
      ),
    )
    const removed = new Set((await catalog.cleanups.removals(project.name, to)).map(({ run }) => run))
    for (const [run, state] of awaited) {
      const arrivedAt = arrivals.get(run)
      if (arrivedAt !== undefined) state.copiedAt = Math.max(state.copiedAt, arrivedAt)
      else if (!removed.has(run)) state.awaitedBy.push(to)
    }
  }
  return awaited
}

function retained(one: ReceivedSnapshot, awaited?: Awaited): RetainedSnapshot {
  const { id, time, receivedAt, made, run, verifiedAt, testedAt } = one
  return {
    id,
    claimedAt: time,
    seenAt: receivedAt,
    isVerified: verifiedAt !== undefined || testedAt !== undefined,
    ...(made && { made }),
    ...(run !== undefined && { run }),
    ...(made && awaited?.get(made.run)),
  }
}

async function findDamaged({ catalog, configuration }: Needed, project: Project): Promise<string[]> {
  const damaged: string[] = []
  for (const { name: vault } of vaultsOf(configuration, project)) {
    const readings = await catalog.verifications.readingsOfDamage({ project: project.name, vault })
    if (isDamaged(readings)) damaged.push(vault)
  }
  return damaged
}
