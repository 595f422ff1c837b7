import { getProject, judgeDue, type Attempt, type Due, type DutySubject, type RunStatus } from '#model'
import { runPinged } from '../alarms/run-pinged.ts'
import { recoverRun } from '../backup/recover-run.ts'
import type { RunReport } from '../backup/run-project.ts'
import type { Services } from '../services.ts'
import type { DutyOutcome } from './duty.ts'
import { never, slotsOf } from './recorded.ts'

const outcomes: Readonly<Record<RunStatus, Attempt['outcome']>> = {
  running: 'running',
  complete: 'done',
  incomplete: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
}

/** A project that is paused is never due; one without any backup is due at once, its last slot was not met. */
export async function judgeRun(
  services: Pick<Services, 'catalog' | 'clock' | 'configuration'>,
  { project: name = '' }: DutySubject,
): Promise<Due> {
  const { catalog, clock, configuration } = services
  const project = getProject(configuration, name)
  if (project.paused) return never
  await catalog.runs.closeAbandoned(clock.now())
  const times = slotsOf(services, project.schedule)
  const runs = times.slot === undefined ? [] : await catalog.runs.list({ project: name, since: times.slot })
  const attempts = runs.map(({ slot, startedAt, status }) => ({
    startedAt,
    outcome: outcomes[status],
    ...(slot !== undefined && { slot }),
  }))
  return judgeDue(times, attempts, clock.now())
}

export async function performRun(
  services: Services,
  { project: name = '' }: DutySubject,
  slot: number,
  signal: AbortSignal,
): Promise<DutyOutcome> {
  const project = getProject(services.configuration, name)
  const recovered = await recoverRun(services, project, slot, signal)
  if (recovered) return { outcome: 'incomplete', text: recovered.findings[0]!.text }
  return outcomeOf(await runPinged(services, { project, slot }, signal))
}

function outcomeOf({ status, snapshot, vault, error, findings }: RunReport): DutyOutcome {
  const made = snapshot === undefined ? '' : `snapshot ${snapshot.slice(0, 8)} in ${vault}`
  if (status === 'complete') return { outcome: 'done', text: made }
  const why = error?.message ?? findings.find(({ severity }) => severity !== 'notice')?.text ?? ''
  return { outcome: status, text: [made, why].filter((part) => part !== '').join('; ') }
}
