import { ownProject } from '#model'
import { cleanUp, type VaultCleanup } from '../retention/clean-up.ts'
import { sceneOf } from './duty.ts'
import { recorded, type JudgedDuty } from './recorded.ts'

const hourMs = 60 * 60 * 1000

/** After the nightly runs and the verification, so that what they found can stop it. */
const daily = recorded({
  kind: 'cleanup',
  schedule: 'daily 06:00',
  perform: async (given, subject, _slot, signal) => {
    const { services, project } = sceneOf(given, subject)
    const { vaults } = await cleanUp(services, { project, mode: 'automatic', dryRun: false }, signal)
    const has = (status: VaultCleanup['status']): boolean => vaults.some((vault) => vault.status === status)
    return {
      outcome: has('failed') || vaults.some(needsAnswer) ? 'failed' : has('stopped') ? 'incomplete' : 'done',
      text: vaults.flatMap(describe).join('; '),
    }
  },
})

/** Of Bewaar itself there is nothing to clean up before its first backup. */
export const cleaning: JudgedDuty = {
  ...daily,
  judge: async (services, subject) => {
    const due = await daily.judge(services, subject)
    if (!due.isDue || subject.project !== ownProject) return due
    const isEmpty = (await services.catalog.snapshots.list({ ...subject, limit: 1 })).length === 0
    return isEmpty ? { isDue: false, at: services.clock.now() + hourMs } : due
  },
}

/** Because somebody must be told when only a person can let it go on. */
function needsAnswer({ status, stops }: VaultCleanup): boolean {
  return status === 'stopped' && stops.some(({ kind }) => kind === 'much' || kind === 'clock')
}

function describe({ vault, status, removed, stops, error, findings }: VaultCleanup): string[] {
  if (status === 'failed') return [`${vault}: ${error?.message ?? findings[0]?.text ?? 'failed'}`]
  if (status === 'stopped') return [`${vault}: stopped, ${stops.map(({ text }) => text).join(', ')}`]
  return removed.length === 0 ? [] : [`${vault}: ${removed.length} removed`]
}
