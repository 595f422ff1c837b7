import { tell } from '../alarms/tell.ts'
import { listVaults } from '../vaults/list-vaults.ts'
import { watch } from '../watch/watch.ts'
import type { Duty } from './duty.ts'
import { recorded } from './recorded.ts'

/** Looks at what is wrong, and tells people. Telling goes on when looking fails, for what was seen before. */
export const watching: Pick<Duty, 'kind' | 'judge' | 'perform'> = {
  kind: 'watch',
  judge: 'often',
  perform: async (services, _subject, _slot, signal) => {
    const [watched] = await Promise.allSettled([watch(services, signal)])
    const { sent, failed } = await tell(services, signal)
    if (watched.status === 'rejected') throw watched.reason
    const { opened, resolved } = watched.value
    const text = [
      ...opened.map(({ id, text }) => `${id} opened: ${text}`),
      ...resolved.map(({ id }) => `${id} resolved`),
      ...sent.map(({ channel, subject }) => `${channel}: ${subject}`),
      ...failed.map(({ channel, error }) => `${channel}: ${error}`),
    ].join('; ')
    return { outcome: failed.length > 0 ? 'incomplete' : 'done', text }
  },
}

/** How full the vaults are. One that cannot be reached is no failure of this: its copies and verifications tell. */
export const measuring = recorded({
  kind: 'measure',
  schedule: 'daily 04:45',
  perform: async (services, _subject, _slot, signal) => {
    const vaults = await listVaults(services, 'always', signal)
    const troubles = vaults.flatMap(({ vault, trouble }) => (trouble ? [`${vault.name}: ${trouble.message}`] : []))
    return { outcome: troubles.length > 0 ? 'incomplete' : 'done', text: troubles.join('; ') }
  },
})
