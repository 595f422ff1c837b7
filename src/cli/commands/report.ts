import { textOf } from '#base'
import { endOfDay, lastDayOf, spanOf, type ReportPeriod, type Span } from '#model'
import { makeReport, sendWritten, writeReport } from '#usecases'
import { chooseProjects } from '../choose.ts'
import { atMostOne, defineCommand, flag, option, options } from '../command.ts'
import { cliError } from '../errors.ts'
import { exit } from '../exit-codes.ts'
import { date, file, projectName } from '../parsers.ts'
import { isSentNowhere, reportToJson, sentLines } from '../render-report.ts'

export const report = defineCommand({
  examples: [
    'bewaar report',
    'bewaar report --weekly --send',
    'bewaar report --monthly --until=2025-12-31 --html=december.html',
    'bewaar report --daily --project=shop --json',
  ],
  input: {
    daily: flag('--daily', { help: 'the last day; the default' }),
    weekly: flag('--weekly', { help: 'the last seven days' }),
    monthly: flag('--monthly', { help: 'the last month of the calendar that is over' }),
    until: option('--until', date, { help: 'what happened up to the end of this day; default: up to now' }),
    projects: options('--project', projectName, { help: 'only this project' }),
    send: flag('--send', { help: 'send it to the channels that take reports' }),
    html: option('--html', file, { help: 'write it as an HTML page to this file; - is standard output' }),
  },
  check: ({ daily, weekly, monthly }) => atMostOne({ '--daily': daily, '--weekly': weekly, '--monthly': monthly }),

  run: async (context, { weekly, monthly, until, projects, send, html }, signal) => {
    const configuration = await context.services.loadConfiguration()
    const chosen = chooseProjects(configuration, projects)
    const period: ReportPeriod = monthly ? 'month' : weekly ? 'week' : 'day'
    await using opened = await context.services.open(configuration, context)
    const { services } = opened
    const span = chooseSpan(period, until, services.clock.now(), configuration.timezone)
    const made = await makeReport(services, { projects: chosen, period, span })
    const written = await writeReport(services, made)
    if (html !== undefined && html !== '-') await writePage(context.services.writeText(html, written.html), html)
    const sent = send ? await sendWritten(services, made, `report-${period}-asked-${made.at}`, signal) : undefined
    // because on standard output there is the page
    if (html === '-' && sent) for (const line of sentLines(sent)) context.note(line)
    return { made, written, html, sent }
  },

  render: ({ written, html, sent }, { width }) => {
    if (html === '-') return written.html.trimEnd().split('\n')
    const page = html === undefined ? written.lines(width) : [`Written to ${html}`]
    return sent ? [...page, ...(html === undefined ? [''] : []), ...sentLines(sent)] : page
  },

  json: ({ made, sent }) => reportToJson(made, sent),

  exitCode: ({ sent }) => (sent && isSentNowhere(sent) ? exit.failed : exit.done),
})

/** @throws `cli.future`. */
function chooseSpan(period: ReportPeriod, until: string | undefined, now: number, timezone: string): Span {
  if (until === undefined) return spanOf(period, now, timezone)
  const today = lastDayOf({ to: now + 1 }, timezone)
  if (until > today) throw cliError('cli.future', { until, today })
  return spanOf(period, Math.min(endOfDay(until, timezone), now), timezone)
}

async function writePage(writing: Promise<void>, file: string): Promise<void> {
  try {
    await writing
  } catch (error) {
    throw cliError('cli.unwritable', { file, reason: textOf(error) }, error)
  }
}
