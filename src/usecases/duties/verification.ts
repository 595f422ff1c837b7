import { chooseSlices, getVault, type DutySubject } from '#model'
import type { Services } from '../services.ts'
import { lookInto } from '../vaults/known-snapshots.ts'
import { slicesRead, verifyProject } from '../verify/verify-project.ts'
import { sceneOf, type DutyOutcome } from './duty.ts'
import { recorded, type JudgedDuty } from './recorded.ts'

const hourMs = 60 * 60 * 1000
const daily = recorded({ kind: 'verify', schedule: 'daily 05:00', perform: performSlices })

/** Each day another slice of what each vault holds, so that all of it is read within 30 days. */
export const verification: JudgedDuty = {
  ...daily,
  judge: async (services, subject) => {
    const due = await daily.judge(services, subject)
    if (!due.isDue) return due
    const isEmpty = (await services.catalog.snapshots.list({ ...subject, limit: 1 })).length === 0
    return isEmpty ? { isDue: false, at: services.clock.now() + hourMs } : due
  },
}

async function performSlices(
  given: Services,
  subject: DutySubject,
  _slot: number,
  signal: AbortSignal,
): Promise<DutyOutcome> {
  const { services, project } = sceneOf(given, subject)
  const { catalog, clock, configuration } = services
  const vault = getVault(configuration, subject.vault ?? '')
  const about = { project: project.name, vault: vault.name }
  // because what the catalog believes to be there may have gone
  await lookInto(services, vault, project, signal)
  const oldest = (await catalog.snapshots.list(about)).at(-1)?.time ?? clock.now()
  const readings = await slicesRead(services, about)
  const beganAt = Math.max(oldest, Math.min(clock.now(), ...readings.map(({ startedAt }) => startedAt)))
  const slices = chooseSlices(readings, beganAt, clock.now())
  const { status, packsRead, findings } = await verifyProject(services, { project, vault, read: { slices } }, signal)
  const worst = findings.find(({ severity }) => severity === 'damage')
  if (status === 'damaged') return { outcome: 'incomplete', text: `damaged: ${worst?.subject} ${worst?.text}` }
  return { outcome: 'done', text: `${packsRead} packs read back` }
}
