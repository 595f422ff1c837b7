import { reportPeriods, type Configuration, type DutySubject, type ReportPeriod, type Schedule } from '#model'
import { sendReport } from '../reports/send-report.ts'
import { recorded } from './recorded.ts'

/** Each report that has a schedule. */
export function eachReport(configuration: Configuration): DutySubject[] {
  return reportPeriods.filter((period) => scheduleOf(configuration, period)).map((part) => ({ part }))
}

function scheduleOf({ notify }: Configuration, period: ReportPeriod): Schedule | undefined {
  return { day: notify.digest, week: notify.weekly, month: notify.monthly }[period]
}

/** Reports to people. One whose schedule is new begins with its next time, and not with one that nobody waited for. */
export const reporting = recorded({
  kind: 'report',
  schedule: ({ configuration }, { part }) => scheduleOf(configuration, periodOf(part)),
  perform: async (services, { part }, _slot, signal) => {
    const before = await services.catalog.duties.list({ kind: 'report', ...(part !== undefined && { part }), limit: 1 })
    if (before.length === 0) return { outcome: 'done', text: 'begins with the next one' }
    const { subject, sendings } = await sendReport(services, periodOf(part), signal)
    const failed = sendings.filter(({ status }) => status === 'failed')
    if (failed.length === 0) return { outcome: 'done', text: subject }
    return { outcome: 'failed', text: failed.map(({ channel, answer }) => `${channel}: ${answer}`).join('; ') }
  },
})

function periodOf(part: string | undefined): ReportPeriod {
  return reportPeriods.find((period) => period === part) ?? 'day'
}
