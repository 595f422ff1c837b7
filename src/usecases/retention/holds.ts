import { randomHex } from '#base'
import { isInForce, vaultsOf, type Hold, type KnownSnapshot, type Project } from '#model'
import { usecaseError } from '../errors.ts'
import { whoOf, type Services } from '../services.ts'
import { lookInto } from '../vaults/known-snapshots.ts'
import type { PlaceServices } from '../vaults/open-place.ts'

export interface HoldRequest {
  readonly project: Project
  /** Default: in all vaults. */
  readonly vault?: string
  /** An id or the beginning of one. Default: all snapshots, also those that come. */
  readonly snapshot?: string
  readonly reason: string
  /** The last day on which it keeps, `2027-06-30`. Default: until it is lifted. */
  readonly until?: string
}

/** A hold, and whether it keeps anything at this moment. */
export interface KnownHold extends Hold {
  readonly isInForce: boolean
}

type Needed = Pick<Services, 'catalog' | 'clock' | 'configuration' | 'hostname' | 'username'>

/**
 * Keeps snapshots of a project whatever its policy says, from this moment on.
 *
 * @throws `hold.over`; `hold.no-snapshot`, `hold.ambiguous`.
 */
export async function addHold(
  services: Needed & PlaceServices,
  request: HoldRequest,
  signal: AbortSignal,
): Promise<Hold> {
  const { catalog, clock, configuration } = services
  const { project, vault, reason, until } = request
  const found = request.snapshot === undefined ? undefined : await findHeld(services, request, signal)
  const hold: Hold = {
    id: `h-${randomHex(3)}`,
    project: project.name,
    reason,
    beganAt: clock.now(),
    who: whoOf(services),
    ...(vault !== undefined && { vault }),
    ...(until !== undefined && { until }),
    ...(found && { snapshot: found.id, ...(found.run !== undefined && { run: found.run }) }),
  }
  if (until !== undefined && !isInForce(hold, hold.beganAt, configuration.timezone)) {
    throw usecaseError('hold.over', { until })
  }
  await catalog.holds.add(hold)
  await note(
    services,
    hold,
    `by ${hold.who} on ${describe(hold)}: ${reason}${until === undefined ? '' : `, until ${until}`}`,
  )
  return hold
}

/** All holds, or those of one project; those that keep something first, and of each sort the newest. */
export async function listHolds(services: Needed, project: Project | undefined): Promise<KnownHold[]> {
  const { catalog, clock, configuration } = services
  const holds = await catalog.holds.list(project && { project: project.name })
  return holds
    .map((hold) => ({ ...hold, isInForce: isInForce(hold, clock.now(), configuration.timezone) }))
    .sort((a, b) => Number(b.isInForce) - Number(a.isInForce) || b.beganAt - a.beganAt)
}

/** Ends a hold; it stays in the list. @throws `hold.missing`, `hold.lifted`. */
export async function liftHold(
  services: Needed,
  { id, reason }: { readonly id: string; readonly reason: string },
): Promise<Hold> {
  const { catalog, clock } = services
  const hold = await catalog.holds.find(id)
  if (!hold) throw usecaseError('hold.missing', { hold: id })
  const lifted = { at: clock.now(), who: whoOf(services), reason }
  // because the last word has the catalog: another process may have been quicker
  if (hold.lifted || !(await catalog.holds.lift(id, lifted))) {
    const { who, at } = (await catalog.holds.find(id))?.lifted ?? lifted
    throw usecaseError('hold.lifted', { hold: id, who, at: new Date(at).toISOString() })
  }
  await note(services, hold, `lifted by ${lifted.who}: ${reason}`)
  return { ...hold, lifted }
}

/** `all of shop`, `3f09ac12 of shop in local`. */
function describe({ project, vault, snapshot }: Hold): string {
  const what = snapshot === undefined ? 'all' : snapshot.slice(0, 8)
  return `${what} of ${project}${vault === undefined ? '' : ` in ${vault}`}`
}

async function note({ catalog, clock }: Needed, { id, project }: Hold, text: string): Promise<void> {
  await catalog.log.add({ time: clock.now(), kind: 'cleanup', level: 'info', project, text: `Hold ${id} ${text}` })
}

async function findHeld(
  services: Needed & PlaceServices,
  { project, vault, snapshot = '' }: HoldRequest,
  signal: AbortSignal,
): Promise<KnownSnapshot> {
  const { catalog, configuration } = services
  const matching = async (): Promise<KnownSnapshot[]> => {
    const known = await catalog.snapshots.list({ project: project.name, ...(vault !== undefined && { vault }) })
    return known.filter(({ id }) => id.startsWith(snapshot))
  }
  let found = await matching()
  let trouble: unknown
  if (found.length === 0) {
    for (const one of vaultsOf(configuration, project)) {
      if (vault !== undefined && one.name !== vault) continue
      trouble ??= (await lookInto(services, one, project, signal)).trouble
    }
    found = await matching()
  }
  const [first] = found
  if (!first && trouble) throw trouble
  if (!first) throw usecaseError('hold.no-snapshot', { project: project.name, snapshot })
  const count = new Set(found.map(({ id }) => id)).size
  if (count > 1) throw usecaseError('hold.ambiguous', { project: project.name, snapshot, count })
  return first
}
