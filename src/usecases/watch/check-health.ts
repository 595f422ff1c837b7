import { judgeHealth, judgeThreeTwoOne, type Project, type ProjectHealth, type RuleMet } from '#model'
import type { Services } from '../services.ts'
import { gatherFacts } from './health-facts.ts'

export interface HealthReport extends ProjectHealth {
  /** The rule 3-2-1-1-0: advice, and no part of the verdict. */
  readonly rules: readonly RuleMet[]
}

/** Says how healthy projects are, by what the catalog knows: no vault is asked. */
export async function checkHealth(
  services: Pick<Services, 'catalog' | 'clock' | 'configuration'>,
  projects: readonly Project[],
): Promise<HealthReport[]> {
  const now = services.clock.now()
  const facts = await gatherFacts(services, projects)
  return facts.map((one) => ({ ...judgeHealth(one, now), rules: judgeThreeTwoOne(one, now) }))
}
