import type { ProjectReport, Report } from '#model'
import type { SentReport } from '#usecases'
import { instantOrNull } from './render-vaults.ts'

/** To whom a report went, and where it did not arrive. */
export function sentLines(sent: SentReport): string[] {
  const { sendings } = sent
  if (sendings.length === 0)
    return ['Sent to nobody: the configuration has no channel under `notify:` that takes reports.']
  return sendings.flatMap(({ channel, status, answer, hint }) => [
    status === 'failed'
      ? `Not sent to ${channel}: ${answer}`
      : `Sent to ${channel}${answer === '' ? '' : `: ${answer}`}`,
    ...(hint === undefined ? [] : [`  ${hint}`]),
  ])
}

export function isSentNowhere({ sendings }: SentReport): boolean {
  return sendings.every(({ status }) => status === 'failed')
}

/** The form for programs, as docs/operate/reports.md has it. */
export function reportToJson(report: Report, sent: SentReport | undefined): unknown {
  const { period, span, at, projects, vaults, incidents, totals } = report
  return {
    period,
    from: instantOrNull(span.from),
    to: instantOrNull(span.to),
    made: instantOrNull(at),
    projects: projects.map(projectToJson),
    vaults: vaults.map(({ vault, isLocal, measuredAt, usedBytes, freeBytes, growthBytesPerDay, fullAt, price }) => ({
      vault,
      local: isLocal,
      measured: instantOrNull(measuredAt),
      used: usedBytes ?? null,
      free: freeBytes ?? null,
      growthPerDay: growthBytesPerDay ?? null,
      full: instantOrNull(fullAt),
      perMonth: price?.perMonth ?? null,
      currency: price?.currency ?? null,
    })),
    incidents: incidents.map((incident) => ({
      id: incident.id,
      kind: incident.kind,
      project: incident.project ?? null,
      vault: incident.vault ?? null,
      criticality: incident.criticality,
      text: incident.text,
      opened: instantOrNull(incident.openedAt),
      acknowledged: instantOrNull(incident.acknowledgedAt),
      acknowledgedBy: incident.acknowledgedBy ?? null,
      resolved: instantOrNull(incident.resolvedAt),
    })),
    totals: {
      due: totals.scheduled.due,
      succeeded: totals.scheduled.succeeded,
      local: totals.localBytes,
      offsite: totals.offsiteBytes,
      prices: totals.prices,
    },
    sent:
      sent?.sendings.map(({ channel, status, answer, hint }) => ({ channel, status, answer, hint: hint ?? null })) ??
      null,
  }
}

function projectToJson(report: ProjectReport): unknown {
  const { newest, oldest, lastRun, places, verifications, scheduled } = report
  return {
    project: report.project,
    title: report.title,
    criticality: report.criticality,
    paused: report.isPaused,
    verdict: report.verdict,
    reasons: report.reasons.map(({ vault, verdict, text, advice }) => ({
      vault: vault ?? null,
      verdict,
      text,
      advice,
    })),
    newest: newest ? { time: instantOrNull(newest.at), vault: newest.vault, bytes: newest.bytes } : null,
    oldest: oldest ? { time: instantOrNull(oldest.at), vault: oldest.vault } : null,
    lastRun: lastRun
      ? {
          status: lastRun.status,
          started: instantOrNull(lastRun.at),
          seconds: lastRun.seconds,
          reason: lastRun.because ?? null,
        }
      : null,
    runs: report.runs,
    due: scheduled.due,
    succeeded: scheduled.succeeded,
    seconds: report.seconds,
    bytesRead: report.bytesRead,
    bytesAdded: report.bytesAdded,
    growth: report.growthBytes ?? null,
    vaults: places.map(({ vault, backups, newestAt, oldestAt, readBack }) => ({
      vault,
      backups,
      newest: instantOrNull(newestAt),
      oldest: instantOrNull(oldestAt),
      readBack,
    })),
    copies: places.flatMap(({ vault, copies }) => (copies ? [{ vault, ...copies }] : [])),
    verifications,
    cleanups: report.cleanups,
    tested: instantOrNull(report.testedAt),
  }
}
