import { AppError } from '#base'
import {
  costOf,
  growthDays,
  judgeCapacity,
  judgeWorth,
  monthlyPrice,
  usedBytes,
  type Capacity,
  type Configuration,
  type JudgedWorth,
  type ProbeRecord,
  type ProjectCost,
  type Vault,
  type VaultMeasurement,
} from '#model'
import type { Services } from '../services.ts'
import { measuredIn, measureVault } from './measure-vault.ts'
import type { PlaceServices } from './open-place.ts'

/** A vault as it is known: what it is worth, how full it is and what it costs. */
export interface VaultState {
  readonly vault: Vault
  readonly worth: JudgedWorth
  readonly probe?: ProbeRecord
  /** Absent when it was never measured. */
  readonly measured?: MeasuredVault
  /** In the currency of the vault's price. */
  readonly pricePerMonth?: number
  /** Why it could not be measured now; then `measured` is what was known before. */
  readonly trouble?: AppError
}

export interface MeasuredVault {
  /** Milliseconds since 1970, UTC. */
  readonly at: number
  readonly capacity: Capacity
  /** The largest first. */
  readonly projects: readonly MeasuredProject[]
}

export interface MeasuredProject {
  readonly project: string
  readonly files: number
  readonly bytes: number
  readonly olderBytes: number
  /** Of what is used, 0 to 1. */
  readonly share: number
  readonly cost?: ProjectCost
}

/** `when-old`: a vault that was not measured for a day. */
export type WhenToMeasure = 'always' | 'when-old' | 'never'

type Needed = PlaceServices & Pick<Services, 'catalog' | 'progress'>

const dayMs = 24 * 60 * 60 * 1000

/** The vaults of the configuration, in its order. One that cannot be reached keeps none of the others from being shown. */
export async function listVaults(services: Needed, measure: WhenToMeasure, signal: AbortSignal): Promise<VaultState[]> {
  const states: VaultState[] = []
  for (const vault of services.configuration.vaults) {
    const trouble = await measureWhenDue(services, vault, measure, signal)
    states.push({ ...(await stateOf(services, vault)), ...(trouble && { trouble }) })
  }
  return states
}

/** What the catalog knows of a vault. */
export async function stateOf(
  { catalog, clock, configuration }: Pick<Services, 'catalog' | 'clock' | 'configuration'>,
  vault: Vault,
): Promise<VaultState> {
  const now = clock.now()
  const probe = await catalog.probes.latest(vault.name)
  const measurements = await catalog.measurements.list(vault.name, now - growthDays * dayMs)
  const latest = measurements.at(-1)
  return {
    vault,
    worth: judgeWorth(probe, now),
    ...(probe && { probe }),
    ...(latest && {
      measured: {
        at: latest.at,
        capacity: judgeCapacity(measurements, vault.capacityBytes),
        projects: projectsOf(configuration, vault, latest),
      },
    }),
    ...(vault.price && { pricePerMonth: monthlyPrice(vault.price) }),
  }
}

async function measureWhenDue(
  services: Needed,
  vault: Vault,
  measure: WhenToMeasure,
  signal: AbortSignal,
): Promise<AppError | undefined> {
  const { catalog, clock } = services
  if (measure === 'never') return undefined
  const [known] = (await catalog.measurements.list(vault.name, clock.now() - dayMs)).slice(-1)
  const wanted = await measuredIn(services, vault)
  // because a project that came since was not measured
  const isWhole = known !== undefined && wanted.length === known.repositories.length
  if (measure === 'when-old' && isWhole) return undefined
  try {
    await measureVault(services, vault, signal)
    return undefined
  } catch (thrown) {
    signal.throwIfAborted()
    if (!(thrown instanceof AppError)) throw thrown
    return thrown
  }
}

function projectsOf(configuration: Configuration, vault: Vault, latest: VaultMeasurement): MeasuredProject[] {
  const used = usedBytes(latest)
  const sorted = latest.repositories.toSorted((a, b) => b.bytes - a.bytes)
  return sorted.map(({ project, files, bytes, olderBytes }) => {
    const share = used === 0 ? 0 : bytes / used
    const keep = configuration.projects.find(({ name }) => name === project)?.keep.get(vault.name)
    const term = keep?.for ?? keep?.within
    return { project, files, bytes, olderBytes, share, ...(vault.price && { cost: costOf(vault.price, share, term) }) }
  })
}
