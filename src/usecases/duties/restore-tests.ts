import {
  getProject,
  judgeDue,
  testSchedule,
  usualTesting,
  type Attempt,
  type Due,
  type DutySubject,
  type RestoreTestRecord,
} from '#model'
import { testProject } from '../restore-test/test-project.ts'
import type { Services } from '../services.ts'
import type { DutyOutcome } from './duty.ts'
import { never, recorded, type JudgedDuty } from './recorded.ts'

const hourMs = 60 * 60 * 1000

const byCalendar = recorded({
  kind: 'restore-test',
  schedule: ({ configuration }, { project = '' }) =>
    testSchedule(getProject(configuration, project).restoreTest ?? usualTesting),
  perform: performTest,
})

/** The newest backup of each project, restored and questioned: by the calendar, or after each run. Nothing is due before the first backup. */
export const restoreTesting: JudgedDuty = {
  ...byCalendar,
  judge: async (services, subject) => {
    const { restoreTest = usualTesting, paused } = getProject(services.configuration, subject.project ?? '')
    if (paused || restoreTest.schedule === 'never') return never
    if (restoreTest.schedule === 'after each run') return await judgeNewest(services, subject)
    const due = await byCalendar.judge(services, subject)
    if (!due.isDue) return due
    const isEmpty = (await services.catalog.snapshots.list({ ...subject, kind: 'backup', limit: 1 })).length === 0
    return isEmpty ? { isDue: false, at: services.clock.now() + hourMs } : due
  },
}

const outcomes: Readonly<Record<RestoreTestRecord['status'], Attempt['outcome']>> = {
  passed: 'done',
  failed: 'done',
  impossible: 'failed',
  cancelled: 'cancelled',
}

/** Due when the newest backup was not tested yet. */
async function judgeNewest({ catalog, clock }: Services, subject: DutySubject): Promise<Due> {
  const now = clock.now()
  const lookAgain = { isDue: false, at: now + hourMs } as const
  const newest = (await catalog.snapshots.list({ ...subject, kind: 'backup', limit: 1 }))[0]
  if (!newest) return lookAgain
  const tests = await catalog.restoreTests.list({ ...subject, since: newest.time })
  const attempts = tests.map(({ status, startedAt }) => ({ slot: newest.time, startedAt, outcome: outcomes[status] }))
  const due = judgeDue({ slot: newest.time, next: undefined }, attempts, now)
  return due.isDue ? due : { isDue: false, at: Math.min(due.at, lookAgain.at) }
}

async function performTest(
  services: Services,
  subject: DutySubject,
  _slot: number,
  signal: AbortSignal,
): Promise<DutyOutcome> {
  const project = getProject(services.configuration, subject.project ?? '')
  const { status, snapshot, questions, findings } = await testProject(
    services,
    { project, wanted: { kind: 'latest' } },
    signal,
  )
  const worst =
    findings.find(({ severity }) => severity === 'damage') ?? findings.find(({ severity }) => severity === 'warning')
  const because = worst ? `: ${worst.subject}: ${worst.text}` : ''
  const text = `snapshot ${snapshot.slice(0, 8)} ${status}, ${questions} questions${because}`
  return {
    outcome: { passed: 'done', failed: 'incomplete', impossible: 'failed' }[status] as DutyOutcome['outcome'],
    text,
  }
}
