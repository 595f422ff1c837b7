import { getProject } from '#model'
import { cleanUp, type VaultCleanup } from '../retention/clean-up.ts'
import { recorded } from './recorded.ts'

/** After the nightly runs and the verification, so that what they found can stop it. */
export const cleaning = recorded({
  kind: 'cleanup',
  schedule: 'daily 06:00',
  perform: async (services, { project = '' }, _slot, signal) => {
    const request = { project: getProject(services.configuration, project), mode: 'automatic', dryRun: false } as const
    const { vaults } = await cleanUp(services, request, signal)
    const has = (status: VaultCleanup['status']): boolean => vaults.some((vault) => vault.status === status)
    return {
      outcome: has('failed') || vaults.some(needsAnswer) ? 'failed' : has('stopped') ? 'incomplete' : 'done',
      text: vaults.flatMap(describe).join('; '),
    }
  },
})

/** Because somebody must be told when only a person can let it go on. */
function needsAnswer({ status, stops }: VaultCleanup): boolean {
  return status === 'stopped' && stops.some(({ kind }) => kind === 'much' || kind === 'clock')
}

function describe({ vault, status, removed, stops, error, findings }: VaultCleanup): string[] {
  if (status === 'failed') return [`${vault}: ${error?.message ?? findings[0]?.text ?? 'failed'}`]
  if (status === 'stopped') return [`${vault}: stopped, ${stops.map(({ text }) => text).join(', ')}`]
  return removed.length === 0 ? [] : [`${vault}: ${removed.length} removed`]
}
