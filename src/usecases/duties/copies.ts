import { getProject, lastSlot, nextSlot, retryAt, type Copying, type Due, type DutySubject, type Project } from '#model'
import { copyProject } from '../replicate/copy-project.ts'
import { findDueCopies } from '../replicate/due-copies.ts'
import type { Services } from '../services.ts'
import type { DutyOutcome } from './duty.ts'
import { judgeRun } from './runs.ts'

type Needed = Pick<Services, 'catalog' | 'clock' | 'configuration'>

/** Because a person may have copied, or may have begun to, without the daemon. */
const lookAgainMs = 60 * 60 * 1000
const lookAfterRunMs = 60_000
/** More attempts in a row than the distance between them grows. */
const rememberedAttempts = 6

/**
 * Copies whose slot has come, and those to be made up; one that failed is tried again as a run is. They wait for a run that is
 * due and was not tried yet: made up before it, a weekly copy would bring what was old then, and leave its vault so for a week.
 */
export async function judgeCopies(services: Needed, subject: DutySubject): Promise<Due> {
  const project = getProject(services.configuration, subject.project ?? '')
  const run = await judgeRun(services, subject)
  if (run.isDue && run.attempt === 1) return { isDue: false, at: services.clock.now() + lookAfterRunMs }
  const { to, at } = await findCopiesToMake(services, project)
  return to.length > 0 ? { isDue: true, slot: services.clock.now(), attempt: 1 } : { isDue: false, at }
}

/** The vaults that get a copy now, and when to look again. */
async function findCopiesToMake(services: Needed, project: Project): Promise<{ to: string[]; at: number }> {
  const { clock, configuration } = services
  if (project.copies.length === 0) return { to: [], at: Infinity }
  const now = clock.now()
  const due = await findDueCopies(services, project)
  const to: string[] = []
  let at = now + lookAgainMs
  for (const copying of project.copies) {
    const next = copying.schedule && nextSlot(copying.schedule, now, configuration.timezone)
    if (next !== undefined) at = Math.min(at, next)
    if (!due.includes(copying.to)) continue
    const tryAt = await nextAttemptAt(services, project, copying)
    if (tryAt <= now) to.push(copying.to)
    else at = Math.min(at, tryAt)
  }
  return { to, at }
}

async function nextAttemptAt(services: Needed, project: Project, { to, schedule }: Copying): Promise<number> {
  const { catalog, clock, configuration } = services
  const slot = schedule && lastSlot(schedule, clock.now(), configuration.timezone)
  const about = { project: project.name, from: project.vault, to, limit: rememberedAttempts }
  const copies = await catalog.copies.list({ ...about, ...(slot !== undefined && { since: slot }) })
  const lastGood = copies.findIndex(({ status }) => status === 'complete')
  const since = lastGood < 0 ? copies : copies.slice(0, lastGood)
  // because what was begun by a clock that was ahead must not keep it from being done for long
  return retryAt(since.filter(({ status, startedAt }) => status === 'failed' && startedAt <= clock.now()))
}

export async function performCopies(
  services: Services,
  { project: name = '' }: DutySubject,
  _slot: number,
  signal: AbortSignal,
): Promise<DutyOutcome> {
  const project = getProject(services.configuration, name)
  const { to } = await findCopiesToMake(services, project)
  const reports = await copyProject(services, { project, to }, signal)
  const failed = reports.filter(({ status }) => status === 'failed')
  const good = reports.filter(({ status }) => status === 'complete')
  const text = [
    ...good.map(({ vault, snapshots }) => `${snapshots} new in ${vault}`),
    ...failed.map(({ vault, error, findings }) => `${vault}: ${error?.message ?? findings[0]?.text ?? 'failed'}`),
  ].join('; ')
  return { outcome: failed.length > 0 ? 'failed' : 'done', text }
}
