import type { Capacity } from './capacity.ts'
import { oldestCopyInTime, oldestInTime } from './late.ts'
import type { Project } from './project.ts'
import type { CopyRecord, VerificationRecord } from './record.ts'
import type { Run } from './run.ts'
import type { Vault } from './vault.ts'
import { judgeWorth, type JudgedWorth, type ProbeRecord } from './worth.ts'

/** What is known of one project in one of its vaults. Moments are milliseconds since 1970, UTC. */
export interface VaultFacts {
  readonly vault: Vault
  /** When its newest backup was made; absent when it has none. */
  readonly newestAt?: number
  /** Absent in the vault that runs write to, and where nothing was copied yet. */
  readonly lastCopy?: Pick<CopyRecord, 'status' | 'endedAt' | 'findings'>
  readonly lastVerification?: Pick<VerificationRecord, 'status' | 'endedAt'>
  readonly probe?: ProbeRecord
  readonly capacity?: Capacity
}

/** What is known of one project. */
export interface ProjectFacts {
  readonly project: Project
  /** The latest that has ended, or that runs. */
  readonly lastRun?: Pick<Run, 'status' | 'startedAt'>
  /** The one that runs write to first. */
  readonly vaults: readonly VaultFacts[]
}

/** From the gravest. */
export const verdicts = ['damaged', 'late', 'failed', 'incomplete', 'full', 'weak', 'healthy'] as const
/**
 * A project's or vault's health in one word. `weak`: the vault does not hold what the configuration claims of it. `full`:
 * there is little room left.
 */
export type Verdict = (typeof verdicts)[number]

export interface Reason {
  readonly verdict: Exclude<Verdict, 'healthy'>
  /** One sentence for people, without a full stop. */
  readonly text: string
  /** What to do. */
  readonly advice: string
}

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

/** Under this share of its room a vault is `full`. */
const leastFreeShare = 0.1

/** Says how healthy a project is, and why it is not. A paused one is never late. */
export function judgeHealth({ project, lastRun, vaults }: ProjectFacts, now: number): ProjectHealth {
  const judged = vaults.map((facts): VaultHealth => {
    const reasons = reasonsOf(project, facts, now)
    const { vault, newestAt, probe } = facts
    const worth = judgeWorth(probe, now)
    return { vault: vault.name, verdict: gravest(reasons), reasons, worth, ...(newestAt !== undefined && { newestAt }) }
  })
  const reasons = reasonsOfRun(project, lastRun)
  return {
    project: project.name,
    verdict: gravest([...reasons, ...judged.flatMap((vault) => vault.reasons)]),
    reasons,
    vaults: judged,
  }
}

/** Whether the newest backup in a vault is older than it may be, or there is none. */
export function isLate(project: Project, { vault, newestAt }: VaultFacts, now: number): boolean {
  return newestAt === undefined || now - newestAt > oldestAllowed(project, vault.name)
}

function oldestAllowed({ schedule, vault, copies }: Project, name: string): number {
  if (name === vault) return oldestInTime(schedule)
  return oldestCopyInTime(schedule, copies.find(({ to }) => to === name)?.schedule)
}

function gravest(reasons: readonly Reason[]): Verdict {
  return verdicts.find((verdict) => reasons.some((reason) => reason.verdict === verdict)) ?? 'healthy'
}

function reasonsOfRun({ name }: Project, run: ProjectFacts['lastRun']): Reason[] {
  const advice = `Run \`bewaar logs --project=${name}\` to see why.`
  if (run?.status === 'failed') return [{ verdict: 'failed', text: 'the last run made no backup', advice }]
  if (run?.status !== 'incomplete') return []
  return [{ verdict: 'incomplete', text: 'the last run could not take or copy everything', advice }]
}

function reasonsOf(project: Project, facts: VaultFacts, now: number): Reason[] {
  return [
    ...verified(project, facts),
    ...(project.paused ? [] : inTime(project, facts, now)),
    ...copied(project, facts),
    ...roomy(facts),
    ...asClaimed(facts, now),
  ]
}

function verified({ name }: Project, { vault, lastVerification }: VaultFacts): Reason[] {
  if (lastVerification?.status !== 'damaged') return []
  const advice = `Run \`bewaar verify --project=${name} --vault=${vault.name}\`, and restore from another vault.`
  return [{ verdict: 'damaged', text: 'its last verification found damage', advice }]
}

function inTime(project: Project, facts: VaultFacts, now: number): Reason[] {
  if (!isLate(project, facts, now)) return []
  const { newestAt, vault } = facts
  const limit = ageOf(oldestAllowed(project, vault.name))
  const { name } = project
  const verb = vault.name === project.vault ? `run --project=${name}` : `copy --project=${name} --to=${vault.name}`
  const advice = `Run \`bewaar ${verb}\`, and see that something runs it on time.`
  if (newestAt === undefined) return [{ verdict: 'late', text: 'it holds no backup yet', advice }]
  return [{ verdict: 'late', text: `its newest backup is ${ageOf(now - newestAt)} old, and may be ${limit}`, advice }]
}

function copied({ name }: Project, { vault, lastCopy }: VaultFacts): Reason[] {
  if (lastCopy?.status !== 'failed') return []
  const because = lastCopy.findings[0]?.text
  const text = `the last copy to it failed${because === undefined ? '' : `: ${because}`}`
  return [{ verdict: 'failed', text, advice: `Run \`bewaar copy --project=${name} --to=${vault.name}\`.` }]
}

function roomy({ vault, capacity }: VaultFacts): Reason[] {
  const { freeBytes, totalBytes } = capacity ?? {}
  if (freeBytes === undefined || totalBytes === undefined || freeBytes >= totalBytes * leastFreeShare) return []
  const text = `only ${Math.floor((freeBytes / totalBytes) * 100)}% of its room is free`
  return [{ verdict: 'full', text, advice: `Make room in ${vault.name}, or raise its quota; \`bewaar vault list\`.` }]
}

/** What was never tried is no reason: nobody has seen it fail. */
function asClaimed({ vault, probe }: VaultFacts, now: number): Reason[] {
  if (vault.objectLock === undefined || probe === undefined) return []
  const { worth, text } = judgeWorth(probe, now)
  const isWeaker = vault.objectLock === 'compliance' && probe.found.lock?.mode === 'governance'
  if (worth === 'locked' && !isWeaker) return []
  const found = isWeaker ? 'only governance held' : text
  const advice = `See what the keys of ${vault.name} may do, and whether its bucket has Object Lock.`
  return [{ verdict: 'weak', text: `its files should be locked (${vault.objectLock}), and ${found}`, advice }]
}

/** `26 hours`, `3 days`. */
function ageOf(ms: number): string {
  const minutes = Math.floor(ms / 60_000)
  if (minutes < 120) return `${minutes} minutes`
  const hours = Math.floor(minutes / 60)
  return hours <= 72 ? `${hours} hours` : `${Math.floor(hours / 24)} days`
}
