import type { Report } from '#model'
import { reportHtml } from './report-html.ts'
import { reportBrief, reportLines } from './report-text.ts'
import { viewReport, type ReportSetting } from './report-view.ts'

/** A report as it is sent: the subject is one line, the text has lines, the mail is a whole document. */
export interface ReportMessage {
  readonly subject: string
  readonly text: string
  readonly html: string
  /** What is wrong, or that all is well, in a few lines. */
  readonly brief: string
  /** The text for a terminal of so many columns. */
  readonly lines: (width: number) => readonly string[]
}

/** Because mail programs wrap at 80, and mangle tables. */
const usualWidth = 78

/** Writes a report for people. Names from outside steer neither header, nor terminal, nor markup. */
export function composeReport(report: Report, setting: ReportSetting): ReportMessage {
  const view = viewReport(report, setting)
  return {
    subject: view.subject,
    text: `${reportLines(view, usualWidth).join('\n')}\n`,
    html: reportHtml(view),
    brief: reportBrief(view).join('\n'),
    lines: (width) => reportLines(view, width),
  }
}
