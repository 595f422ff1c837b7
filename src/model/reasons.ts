import { ageOf } from './age.ts'
import { isFuture } from './clock.ts'
import type { ProjectFacts, Reason, VaultFacts } from './project-facts.ts'
import { ageAllowed, hasMissedTwo } from './late.ts'
import type { Finding } from './finding.ts'
import { isReadInTime, readWithinDays, shareRead } from './reading.ts'
import { testedWithin } from './restore-test.ts'
import { usualTesting } from './restore-testing.ts'
import { isFull } from './room.ts'
import { longestUnderWay, usual } from './stuck.ts'
import { judgeWorth } from './worth.ts'

/** What is wrong with a project, and not in one of its vaults. */
export function reasonsOfProject(facts: ProjectFacts, now: number): Reason[] {
  return [...ran(facts), ...underWay(facts, now), ...timed(facts, now), ...proven(facts, now), ...notCleanedUp(facts)]
}

/** What is wrong with a project in one of its vaults. */
export function reasonsOfVault(facts: ProjectFacts, one: VaultFacts, now: number): Reason[] {
  return [
    ...verified(facts, one),
    ...(facts.project.paused ? [] : inTime(facts, one, now)),
    ...copied(facts, one),
    ...ofItsTime(facts, one),
    ...roomy(one),
    ...asClaimed(one, now),
    ...(facts.project.paused ? [] : readBack(facts, one, now)),
    ...cleanedUp(facts, one),
  ]
}

function ran({ project: { name, vault }, lastRun, vaults }: ProjectFacts): Reason[] {
  const advice = `Run \`bewaar logs --project=${name}\` to see why.`
  const findings = (lastRun?.findings ?? []).filter(({ severity }) => severity !== 'notice')
  if (lastRun?.status === 'failed') {
    return [{ verdict: 'failed', text: `the last run made no backup${becauseOf(findings)}`, advice }]
  }
  if (lastRun?.status !== 'incomplete') return []
  const others = new Set(vaults.map((one) => one.vault.name).filter((one) => one !== vault))
  // because a copy that failed is a reason of its own, as long as it was not made up for
  const own = findings.filter((finding) => finding.vault === undefined || !others.has(finding.vault))
  if (findings.length > 0 && own.length === 0) return []
  return [{ verdict: 'incomplete', text: `the last run could not take everything${becauseOf(own)}`, advice }]
}

function becauseOf(findings: readonly Finding[]): string {
  const worst = findings.find(({ severity }) => severity === 'damage') ?? findings[0]
  if (worst === undefined) return ''
  const more = findings.length > 1 ? `, and ${findings.length - 1} more` : ''
  return worst.subject === 'run' ? `: ${worst.text}` : `: ${worst.subject}: ${worst.text}${more}`
}

function underWay({ project: { name }, runningSince, durations = [] }: ProjectFacts, now: number): Reason[] {
  if (runningSince === undefined || now - runningSince <= longestUnderWay(durations)) return []
  const known = durations.length > 0 ? `, and usually takes ${ageOf(usual(durations))}` : ''
  const text = `a run is under way for ${ageOf(now - runningSince)}${known}`
  const advice = `See what it waits for; a run that is ended is closed, and \`bewaar run --project=${name}\` begins another.`
  return [{ verdict: 'stuck', text, advice }]
}

function timed({ clockWas }: ProjectFacts, now: number): Reason[] {
  if (clockWas === undefined || !isFuture(clockWas, now)) return []
  const text = `the clock of this machine is ${ageOf(clockWas - now)} behind what it was`
  const advice = 'Set the clock, and see that it is kept right (`timedatectl`). Until then nothing is known of ages.'
  return [{ verdict: 'clock', text, advice }]
}

/** That a test could not be made is no reason by itself: it is made again, and then overdue. */
function proven({ project, tests }: ProjectFacts, now: number): Reason[] {
  if (!tests) return []
  const { name, restoreTest = usualTesting, schedule, paused } = project
  const { last, passedAt, since } = tests
  const advice = `Run \`bewaar test --project=${name}\`; it shows what was found.`
  if (last?.status === 'failed') {
    const worst = last.findings.find(({ severity }) => severity === 'damage')
    const because = worst ? `: ${worst.subject}: ${worst.text}` : ''
    const text = `the restore test of ${last.snapshot.slice(0, 8)} in ${last.vault} failed${because}`
    return [{ verdict: 'test-failed', text, advice }]
  }
  const allowed = testedWithin(restoreTest, schedule)
  const from = passedAt ?? since
  if (paused || allowed === undefined || from === undefined || now - from <= allowed) return []
  const why =
    last?.status === 'impossible' && last.findings[0]
      ? `; the last test was not possible: ${last.findings[0].text}`
      : ''
  const never = passedAt === undefined
  const text = never
    ? `no backup ever passed a restore test${why}`
    : `the last good restore test is ${ageOf(now - from)} old${why}`
  return [{ verdict: 'untested', text, advice }]
}

function notCleanedUp({ project: { name }, cleanupFailure }: ProjectFacts): Reason[] {
  if (cleanupFailure === undefined) return []
  const text = `the last clean-up failed: ${cleanupFailure}`
  return [{ verdict: 'cleanup-failed', text, advice: `Run \`bewaar cleanup --project=${name}\`.` }]
}

function cleanedUp({ project: { name } }: ProjectFacts, { vault, lastCleanup }: VaultFacts): Reason[] {
  if (lastCleanup?.status !== 'failed') return []
  const because = lastCleanup.findings[0]?.text
  const text = `the last clean-up failed${because === undefined ? '' : `: ${because}`}`
  return [
    { verdict: 'cleanup-failed', text, advice: `Run \`bewaar cleanup --project=${name} --vault=${vault.name}\`.` },
  ]
}

function verified({ project: { name } }: ProjectFacts, { vault, lastVerification }: VaultFacts): Reason[] {
  if (lastVerification?.status !== 'damaged') return []
  const advice = `Run \`bewaar verify --project=${name} --vault=${vault.name}\`, and restore from another vault.`
  return [{ verdict: 'damaged', text: 'its last verification found damage', advice }]
}

/** Whether the newest backup in a vault is older than it may be, or there is none. */
export function isLate(facts: ProjectFacts, one: VaultFacts, now: number): boolean {
  return judgeLate(facts, one, now) !== undefined
}

/** @returns why it is late, in words; undefined when it is not. */
function judgeLate(facts: ProjectFacts, one: VaultFacts, now: number): string | undefined {
  const { project, timezone, lastRun } = facts
  const { newestAt, vault } = one
  const began = workBegan(facts, one, now)
  if (newestAt === undefined) {
    // because the first one is being made
    return began !== undefined && lastRun === undefined ? undefined : 'it holds no backup yet'
  }
  // because what was in time when a run or a copy began is being renewed
  const at = began ?? now
  const allowed = ageAllowed(project, vault.name, newestAt, at, timezone)
  if (at - newestAt > allowed) return `its newest backup is ${ageOf(now - newestAt)} old, and may be ${ageOf(allowed)}`
  const isOwn = vault.name === project.vault
  if (!isOwn || !hasMissedTwo(project.schedule, newestAt, at, timezone)) return undefined
  return `its newest backup is ${ageOf(now - newestAt)} old, and two runs in a row did not come`
}

/** When what will bring a new backup to a vault began, unless it is stuck. A run brings it to those that get a copy after it. */
function workBegan(
  { project, runningSince, durations = [] }: ProjectFacts,
  one: VaultFacts,
  now: number,
): number | undefined {
  const copying = project.copies.find(({ to }) => to === one.vault.name)
  const isServed = copying?.schedule === undefined
  const begins = [
    ...(isServed && runningSince !== undefined && now - runningSince <= longestUnderWay(durations)
      ? [runningSince]
      : []),
    ...(one.copyingSince !== undefined && now - one.copyingSince <= longestUnderWay([]) ? [one.copyingSince] : []),
  ].filter((at) => at <= now)
  return begins.length === 0 ? undefined : Math.min(...begins)
}

function inTime(facts: ProjectFacts, one: VaultFacts, now: number): Reason[] {
  const text = judgeLate(facts, one, now)
  if (text === undefined) return []
  const { name, vault } = facts.project
  const verb = one.vault.name === vault ? `run --project=${name}` : `copy --project=${name} --to=${one.vault.name}`
  return [{ verdict: 'late', text, advice: `Run \`bewaar ${verb}\`, and see that something runs it on time.` }]
}

function copied({ project: { name } }: ProjectFacts, { vault, lastCopy }: VaultFacts): Reason[] {
  if (lastCopy?.status !== 'failed') return []
  const because = lastCopy.findings[0]?.text
  const text = `the last copy to it failed${because === undefined ? '' : `: ${because}`}`
  return [{ verdict: 'copy-failed', text, advice: `Run \`bewaar copy --project=${name} --to=${vault.name}\`.` }]
}

function ofItsTime({ timezone }: ProjectFacts, { futureAt }: VaultFacts): Reason[] {
  if (futureAt === undefined) return []
  const day = Temporal.Instant.fromEpochMilliseconds(Math.floor(futureAt)).toZonedDateTimeISO(timezone).toPlainDate()
  const text = `a backup in it says that it is of ${day.toString()}, which is in the future`
  const advice =
    'See whether a clock was wrong when it was made, or who else can write there. It does not count as a fresh one.'
  return [{ verdict: 'clock', text, advice }]
}

function roomy({ vault, freeShares = [] }: VaultFacts): Reason[] {
  if (!isFull(freeShares)) return []
  const text = `only ${Math.floor(freeShares.at(-1)! * 100)}% of its room is free`
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

function readBack(
  { project: { name } }: ProjectFacts,
  { vault, reading, lastVerification }: VaultFacts,
  now: number,
): Reason[] {
  if (reading === undefined || isReadInTime(reading, now)) return []
  const share = Math.floor(shareRead(reading, now) * 100)
  const much = share === 0 ? 'nothing' : `only ${share}%`
  const failed = lastVerification?.status === 'failed' ? ', and the last verification failed' : ''
  const text = `${much} of it was read back in the last ${readWithinDays} days${failed}`
  const advice = `Run \`bewaar verify --project=${name} --vault=${vault.name}\`, and see that something does it every month.`
  return [{ verdict: 'unverified', text, advice }]
}
