import { ownSchedule } from '#model'
import { backUpOwn } from '../recover/back-up-own.ts'
import { recorded } from './recorded.ts'

/** Bewaar's own configuration and catalog, into every vault; those that have it since the slot are not asked again. */
export const ownBackup = recorded({
  kind: 'own-backup',
  schedule: () => ownSchedule,
  perform: async (services, _subject, slot, signal) => {
    const done = await backUpOwn(services, { only: { since: slot } }, signal)
    const failed = done.flatMap(({ vault, error }) => (error === undefined ? [] : [`${vault}: ${error}`]))
    return { outcome: failed.length > 0 ? 'failed' : 'done', text: failed.join('; ') }
  },
})
