import { verdicts, type ProjectFacts, type Reason, type Verdict } from './project-facts.ts'
import { reasonsOfProject, reasonsOfVault } from './reasons.ts'
import { judgeWorth, type JudgedWorth } from './worth.ts'

export interface VaultHealth {
  readonly vault: string
  readonly verdict: Verdict
  readonly reasons: readonly Reason[]
  readonly newestAt?: number
  readonly worth: JudgedWorth
}

export interface ProjectHealth {
  readonly project: string
  /** The gravest of its own reasons and its vaults'. */
  readonly verdict: Verdict
  /** What is not about one vault. */
  readonly reasons: readonly Reason[]
  readonly vaults: readonly VaultHealth[]
}

/**
 * Says how healthy a project is, and why it is not. A paused one is never late.
 *
 * @param now - milliseconds since 1970, UTC.
 */
export function judgeHealth(facts: ProjectFacts, now: number): ProjectHealth {
  const judged = facts.vaults.map((one): VaultHealth => {
    const { vault, newestAt, probe } = one
    const reasons = reasonsOfVault(facts, one, now)
    const worth = judgeWorth(probe, now)
    return { vault: vault.name, verdict: gravest(reasons), reasons, worth, ...(newestAt !== undefined && { newestAt }) }
  })
  const reasons = reasonsOfProject(facts, now)
  return {
    project: facts.project.name,
    verdict: gravest([...reasons, ...judged.flatMap((vault) => vault.reasons)]),
    reasons,
    vaults: judged,
  }
}

/** The verdict of the gravest reason. */
export function gravest(reasons: readonly Reason[]): Verdict {
  return (
    reasons.map(({ verdict }) => verdict).toSorted((a, b) => verdicts.indexOf(a) - verdicts.indexOf(b))[0] ?? 'healthy'
  )
}
