import { AppError, randomHex, textOf } from '#base'
import {
  judgeDue,
  lastSlot,
  nextSlot,
  parseSchedule,
  type Due,
  type DutyKind,
  type DutySubject,
  type Schedule,
} from '#model'
import type { Services } from '../services.ts'
import type { Duty, DutyOutcome } from './duty.ts'

/** The latest slot of a schedule, and the one after it. */
export function slotsOf(
  { clock, configuration }: Pick<Services, 'clock' | 'configuration'>,
  schedule: Schedule,
): { readonly slot: number | undefined; readonly next: number | undefined } {
  const now = clock.now()
  const { timezone } = configuration
  return { slot: lastSlot(schedule, now, timezone), next: nextSlot(schedule, now, timezone) }
}

/** Nothing is due before it is asked again. */
export const never: Due = { isDue: false, at: Infinity }

interface Recorded {
  readonly kind: DutyKind
  /** Undefined: it is not done. */
  readonly schedule: string | ((services: Services, subject: DutySubject) => Schedule | undefined)
  readonly perform: Duty['perform']
}

/** A duty whose latest slot is judged. */
export interface JudgedDuty extends Pick<Duty, 'kind' | 'perform'> {
  readonly judge: Exclude<Duty['judge'], 'often'>
}

/** A duty of the calendar that leaves no record of its own, so that one is made of it. */
export function recorded({ kind, schedule, perform }: Recorded): JudgedDuty {
  const scheduleOf = typeof schedule === 'string' ? always(parseSchedule(schedule)) : schedule
  return {
    kind,
    judge: async (services, subject) => {
      const found = scheduleOf(services, subject)
      if (!found) return never
      const times = slotsOf(services, found)
      if (times.slot === undefined) return judgeDue(times, [], services.clock.now())
      const done = await services.catalog.duties.list({ kind, ...subject, since: times.slot })
      return judgeDue(times, done, services.clock.now())
    },
    perform: async (services, subject, slot, signal) => {
      const { catalog, clock } = services
      const startedAt = clock.now()
      const keep = async ({ outcome, text }: DutyOutcome): Promise<void> => {
        const ended = outcome === 'incomplete' ? 'done' : outcome
        const id = randomHex(8)
        await catalog.duties.add({ id, kind, ...subject, slot, startedAt, endedAt: clock.now(), outcome: ended, text })
      }
      try {
        const outcome = await perform(services, subject, slot, signal)
        await keep(outcome)
        return outcome
      } catch (thrown) {
        await keep({ outcome: signal.aborted ? 'cancelled' : 'failed', text: textOf(thrown) })
        if (signal.aborted || !(thrown instanceof AppError)) throw thrown
        return { outcome: 'failed', text: thrown.message }
      }
    },
  }
}

function always(schedule: Schedule): () => Schedule {
  return () => schedule
}
