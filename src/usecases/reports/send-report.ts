import { isAllWell, lastDayOf, scheduledSpan, type Report, type ReportPeriod } from '#model'
import { sendMessage, type AlarmServices, type Sending } from '../alarms/send-message.ts'
import { makeReport } from './make-report.ts'
import { writeReport } from './write-report.ts'

/** What was sent, and what became of it at each channel that takes reports. */
export interface SentReport {
  readonly subject: string
  readonly sendings: readonly Sending[]
}

/**
 * Makes the report that a schedule asks for now, of all projects, and sends it whatever happened: a digest is the sign of life
 * too. A daily one begins where the one before it ended, so that no gap is left when the machine was off.
 *
 * Called again for the same slot it sends nothing to channels that have it already.
 *
 * @throws errors of the catalog; the signal's reason.
 */
export async function sendReport(
  services: AlarmServices,
  period: ReportPeriod,
  signal: AbortSignal,
): Promise<SentReport> {
  const { catalog, clock, configuration } = services
  const { timezone, projects } = configuration
  const { digest, weekly, monthly } = configuration.notify
  const duties = await catalog.duties.list({ kind: 'report', part: 'day', limit: 100 })
  const earlier = duties.filter(({ outcome }) => outcome === 'done').map(({ slot }) => slot)
  const schedule = { day: digest, week: weekly, month: monthly }[period]
  const span = scheduledSpan(period, schedule, clock.now(), timezone, earlier)
  const report = await makeReport(services, { projects, period, span })
  return await sendWritten(services, report, `report-${period}-${span.to}`, signal)
}

/** Sends a report to the channels that take reports. @param id - the same for each attempt at one report. */
export async function sendWritten(
  services: AlarmServices,
  report: Report,
  id: string,
  signal: AbortSignal,
): Promise<SentReport> {
  const { timezone } = services.configuration
  const { subject, text, html, brief } = await writeReport(services, report)
  const { period, at, totals } = report
  const { due, succeeded } = totals.scheduled
  const isWell = isAllWell(report)
  const facts = { period, day: lastDayOf(report.span, timezone), projects: report.projects.length, due, succeeded }
  const message = {
    id,
    at,
    kind: 'report',
    gravity: isWell ? 'good' : 'warning',
    subject,
    text,
    html,
    brief,
    facts,
  } as const
  return { subject, sendings: await sendMessage(services, message, signal) }
}
