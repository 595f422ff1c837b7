import {
  judgeHealth,
  judgeThreeTwoOne,
  vaultsOf,
  type Project,
  type ProjectFacts,
  type ProjectHealth,
  type RuleMet,
  type Vault,
  type VaultFacts,
} from '#model'
import type { Services } from '../services.ts'
import { stateOf } from '../vaults/list-vaults.ts'

export interface HealthReport extends ProjectHealth {
  /** The rule 3-2-1-1-0: advice, and no part of the verdict. */
  readonly rules: readonly RuleMet[]
}

type Needed = Pick<Services, 'catalog' | 'clock' | 'configuration'>

/** Says how healthy projects are, by what the catalog knows: no vault is asked. */
export async function checkHealth(services: Needed, projects: readonly Project[]): Promise<HealthReport[]> {
  const now = services.clock.now()
  const reports: HealthReport[] = []
  for (const project of projects) {
    const facts = await factsOf(services, project)
    reports.push({ ...judgeHealth(facts, now), rules: judgeThreeTwoOne(facts, now) })
  }
  return reports
}

async function factsOf(services: Needed, project: Project): Promise<ProjectFacts> {
  const { catalog, configuration } = services
  const vaults: VaultFacts[] = []
  for (const vault of vaultsOf(configuration, project)) vaults.push(await vaultFacts(services, project, vault))
  const runs = await catalog.runs.list({ project: project.name, limit: 10 })
  // because a run that was cancelled, or has not ended, says nothing
  const lastRun = runs.find(({ status }) => status !== 'running' && status !== 'cancelled')
  return { project, vaults, ...(lastRun && { lastRun }) }
}

async function vaultFacts(services: Needed, project: Project, vault: Vault): Promise<VaultFacts> {
  const { catalog } = services
  const here = { project: project.name, vault: vault.name }
  const [newest] = await catalog.snapshots.list(here)
  const copies = await catalog.copies.list({ project: project.name, to: vault.name, limit: 10 })
  const lastCopy = copies.find(({ status }) => status !== 'cancelled')
  const verifications = await catalog.verifications.list({ ...here, limit: 10 })
  const lastVerification = verifications.find(({ status }) => status !== 'cancelled')
  const { probe, measured } = await stateOf(services, vault)
  return {
    vault,
    ...(newest && { newestAt: newest.time }),
    ...(lastCopy && { lastCopy }),
    ...(lastVerification && { lastVerification }),
    ...(probe && { probe }),
    ...(measured && { capacity: measured.capacity }),
  }
}
