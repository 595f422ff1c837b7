import {
  growthDays,
  isDamaged,
  isFuture,
  judgeCapacity,
  readWithinDays,
  vaultsOf,
  type Configuration,
  type KnownSnapshot,
  type Project,
  type ProjectFacts,
  type ProbeRecord,
  type Reading,
  type Run,
  type TestFacts,
  type Vault,
  type VaultFacts,
} from '#model'
import type { Services } from '../services.ts'

type Needed = Pick<Services, 'catalog' | 'clock' | 'configuration'>

const dayMs = 24 * 60 * 60 * 1000
/** More than a person cancels in a row. */
const lookedAt = 20

/** What the catalog knows of projects, as far as their health depends on it. */
export async function gatherFacts(services: Needed, projects: readonly Project[]): Promise<ProjectFacts[]> {
  const { catalog, configuration } = services
  const now = services.clock.now()
  const rooms = new Map<string, Room>()
  for (const vault of vaultsIn(configuration, projects)) rooms.set(vault.name, await roomOf(services, vault, now))
  const [latest] = await catalog.log.latest({ limit: 1 })
  const facts: ProjectFacts[] = []
  for (const project of projects) {
    // because a run that ends meanwhile has entered its backup before, and so is not missed
    const runs = await runFacts(services, project, now)
    const vaults: VaultFacts[] = []
    for (const vault of vaultsOf(configuration, project)) {
      vaults.push({ ...(await vaultFacts(services, project, vault, now)), ...rooms.get(vault.name) })
    }
    const cleanupFailure = await cleanupFailureOf(services, project, vaults)
    const clockWas = latest && { clockWas: latest.time }
    const tests = await testFacts(services, project, now)
    facts.push({ project, timezone: configuration.timezone, ...runs, ...clockWas, ...cleanupFailure, tests, vaults })
  }
  return facts
}

function vaultsIn(configuration: Configuration, projects: readonly Project[]): Set<Vault> {
  return new Set(projects.flatMap((project) => vaultsOf(configuration, project)))
}

interface Room {
  readonly probe?: ProbeRecord
  readonly freeShares: readonly number[]
}

async function roomOf({ catalog }: Needed, vault: Vault, now: number): Promise<Room> {
  const probe = await catalog.probes.latest(vault.name)
  const measurements = await catalog.measurements.list(vault.name, now - growthDays * dayMs)
  const freeShares = measurements.flatMap((measurement) => {
    const { freeBytes, totalBytes } = judgeCapacity([measurement], vault.capacityBytes)
    return freeBytes === undefined || totalBytes === undefined ? [] : [freeBytes / totalBytes]
  })
  return { ...(probe && { probe }), freeShares }
}

/** Because one that cannot even look into a vault is recorded only as a duty. */
async function cleanupFailureOf(
  { catalog }: Needed,
  { name: project }: Project,
  vaults: readonly VaultFacts[],
): Promise<Pick<ProjectFacts, 'cleanupFailure'>> {
  const duties = await catalog.duties.list({ kind: 'cleanup', project, limit: lookedAt })
  const last = duties.find(({ outcome }) => outcome !== 'cancelled')
  if (last?.outcome !== 'failed' || vaults.some(({ lastCleanup }) => lastCleanup?.status === 'failed')) return {}
  const [since] = await catalog.cleanups.list({ project, limit: 1 })
  return since && since.startedAt > last.endedAt ? {} : { cleanupFailure: last.text ?? 'nobody knows why' }
}

/** What is of the future was made by a clock that was ahead, and proves nothing now. */
async function testFacts({ catalog }: Needed, { name: project }: Project, now: number): Promise<TestFacts> {
  const until = { project, until: now }
  const tests = await catalog.restoreTests.list({ ...until, limit: lookedAt })
  const last = tests.find(({ status }) => status !== 'cancelled')
  const [passed] = await catalog.restoreTests.list({ ...until, status: 'passed', limit: 1 })
  const first = await catalog.runs.first(project)
  return {
    ...(last && { last }),
    ...(passed && { passedAt: passed.endedAt }),
    ...(first && { since: first.startedAt }),
  }
}

type RunFacts = Pick<ProjectFacts, 'lastRun' | 'runningSince' | 'durations'>

async function runFacts({ catalog }: Needed, { name: project }: Project, now: number): Promise<RunFacts> {
  const latest = await catalog.runs.list({ project, limit: lookedAt })
  const isOfTheFuture = latest.some(({ startedAt }) => isFuture(startedAt, now))
  // because what a clock that was ahead has left must not hide what came after it
  const runs = isOfTheFuture ? await catalog.runs.list({ project, until: now, limit: lookedAt }) : latest
  const lastRun = runs.find(({ status }) => status !== 'running' && status !== 'cancelled')
  const running = runs.findLast(({ status }) => status === 'running')
  return {
    ...(lastRun && { lastRun }),
    ...(running && { runningSince: running.startedAt }),
    durations: runs.flatMap(durationOf),
  }
}

function durationOf({ snapshot, startedAt, endedAt }: Run): number[] {
  return snapshot === undefined || endedAt === undefined || endedAt < startedAt ? [] : [endedAt - startedAt]
}

async function vaultFacts(services: Needed, project: Project, vault: Vault, now: number): Promise<VaultFacts> {
  const { catalog } = services
  const here = { project: project.name, vault: vault.name }
  const open = await catalog.copies.open({ project: project.name })
  const copying = open.find(({ to }) => to === vault.name)
  const { newest, newestOfAll } = await newestOf(services, here, now)
  const until = { until: now, limit: lookedAt }
  const copies = await catalog.copies.list({ project: project.name, to: vault.name, ...until })
  const lastCopy = copies.find(({ status }) => status !== 'cancelled')
  const isHurt = isDamaged(await catalog.verifications.readingsOfDamage({ ...here, until: now }))
  // because that another part is sound, which was read since, says nothing of what was damaged
  const statuses = isHurt ? (['damaged'] as const) : (['sound', 'damaged', 'failed'] as const)
  const lastVerification = await catalog.verifications.latest({ ...here, until: now, statuses })
  const cleanups = await catalog.cleanups.list({ ...here, limit: lookedAt })
  const lastCleanup = cleanups.find(({ status }) => status === 'complete' || status === 'failed')
  const reading = newest && (await readingOf(services, project, vault, now))
  return {
    vault,
    ...(newest && { newestAt: newest.time }),
    ...(newestOfAll !== newest && { futureAt: newestOfAll!.time }),
    ...(copying && { copyingSince: copying.startedAt }),
    ...(lastCopy && { lastCopy }),
    ...(lastVerification && { lastVerification }),
    ...(lastCleanup && { lastCleanup }),
    ...(reading && { reading }),
  }
}

/** The newest that can be believed, and the newest of all: the same but where one says that it is of the future. */
async function newestOf({ catalog }: Needed, here: { project: string; vault: string }, now: number) {
  const isBelieved = ({ time }: KnownSnapshot): boolean => !isFuture(time, now)
  const newestFew = await catalog.snapshots.list({ ...here, kind: 'backup', limit: lookedAt })
  const [newestOfAll] = newestFew
  const newest = newestFew.find(isBelieved)
  if (newest || newestFew.length < lookedAt) return { newest, newestOfAll }
  return { newest: (await catalog.snapshots.list({ ...here, kind: 'backup' })).find(isBelieved), newestOfAll }
}

/** @returns undefined when the first backup came too lately to say anything. */
async function readingOf(
  { catalog }: Needed,
  { name: project, vault: own }: Project,
  { name: vault }: Vault,
  now: number,
): Promise<Reading | undefined> {
  const begin = now - readWithinDays * dayMs
  const until = { project, until: begin, limit: 1 }
  const [first] =
    vault === own
      ? await catalog.runs.list(until)
      : await catalog.copies.list({ ...until, to: vault, status: 'complete' })
  if (!first) return undefined
  const verifications = await catalog.verifications.readings({ project, vault, since: begin })
  return { since: first.startedAt, verifications }
}
