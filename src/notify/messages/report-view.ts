import {
  isAllWell,
  lastDayOf,
  onceDamaged,
  otherTroubles,
  troubledProjects,
  type Incident,
  type Language,
  type ProjectReport,
  type Report,
} from '#model'
import { oneLine } from '../plain.ts'
import { reportFormats, type ReportFormats } from './report-formats.ts'
import type { ReportWords } from './report-words.ts'
import { english } from './report-words-en.ts'
import { dutch } from './report-words-nl.ts'

/** For whom a report is written. */
export interface ReportSetting {
  readonly language: Language
  readonly organisation?: string
  /** IANA name; all times are in it. */
  readonly timezone: string
  /** Of Bewaar. */
  readonly version: string
}

/** A report in words, one line each and safe to be shown as text; it may hold what looks like markup. */
export interface ReportView {
  readonly words: ReportWords
  readonly language: Language
  readonly subject: string
  readonly organisation: string
  /** `Daily Backup Report`. */
  readonly title: string
  /** From when to when. */
  readonly span: string
  readonly isWell: boolean
  /** One line that says all is well, or what is not. */
  readonly headline: string
  /** How many backups succeeded, what is stored, what it costs. */
  readonly summary: string
  readonly troubles: readonly TroubleView[]
  readonly projects: readonly ProjectView[]
  readonly vaults: readonly VaultView[]
  readonly incidents: readonly { readonly text: string; readonly when: string; readonly isOpen: boolean }[]
  /** Facts that are the same for many projects. */
  readonly notes: readonly string[]
  readonly footer: readonly string[]
}

export interface TroubleView {
  readonly name: string
  /** The verdict, if it is about a project, and how critical that is. */
  readonly marks: string
  readonly reasons: readonly { readonly text: string; readonly advice: string }[]
  /** The last run and the newest backup. */
  readonly facts: readonly string[]
}

export interface ProjectView {
  readonly name: string
  readonly verdict: string
  readonly tone: 'good' | 'bad' | 'quiet'
  readonly size: string
  readonly growth: string
  readonly result: string
  readonly newest: string
  /** `7/7`. */
  readonly made: string
  readonly took: string
  /** The fields above in one line. */
  readonly line: string
  /** What is not in the fields above. */
  readonly details: readonly string[]
  readonly places: readonly PlaceView[]
}

export interface PlaceView {
  readonly vault: string
  readonly newest: string
  readonly oldest: string
  readonly copies: string
  readonly failed: string
  readonly readBack: string
}

export interface VaultView {
  readonly vault: string
  readonly where: string
  readonly used: string
  readonly free: string
  readonly growth: string
  readonly full: string
  readonly month: string
}

const nameLength = 60
const textLength = 300
/** Names in one line; what is left is counted. */
const mostNames = 4

export function viewReport(report: Report, setting: ReportSetting): ReportView {
  const { language, timezone, version } = setting
  const words = { nl: dutch, en: english }[language]
  const formats = reportFormats(words.locale, timezone, report.at)
  const organisation = oneLine(setting.organisation ?? '', nameLength)
  const title = words.title[report.period]
  const isWell = isAllWell(report)
  const day = lastDayOf(report.span, timezone)
  const heading = `${title} - ${report.period === 'month' ? day.slice(0, 'yyyy-mm'.length) : day}`
  return {
    words,
    language,
    subject: `${isWell ? '' : '⚠ '}[${organisation === '' ? 'Bewaar' : organisation}] ${heading}`,
    organisation,
    title,
    span: `${formats.moment(report.span.from)} – ${formats.moment(report.span.to)} (${timezone})`,
    isWell,
    headline: headlineOf(report, words),
    summary: summaryOf(report, words, formats),
    troubles: troublesOf(report, words, formats),
    projects: report.projects.map((project) => viewProject(project, words, formats)),
    vaults: report.vaults.map((vault) => viewVault(vault, words, formats)),
    incidents: report.incidents.map((incident) => viewIncident(incident, report, words, formats)),
    notes: notesOn(report, words, formats),
    footer: [words.counted, words.made(formats.moment(report.at), oneLine(version, nameLength))],
  }
}

function nameOf({ title }: ProjectReport): string {
  return oneLine(title, nameLength)
}

function notesOn({ projects }: Report, words: ReportWords, formats: ReportFormats): string[] {
  const untested = projects.filter(({ testedAt }) => testedAt === undefined)
  const isAll = untested.length === projects.length
  return [
    ...(untested.length === 0 ? [] : [isAll ? words.nothingTested : words.neverTested(namesOf(untested, words))]),
    ...projects.flatMap((project) => {
      const { sound, damaged, failed } = project.verifications
      return damaged + failed > 0 ? [`${nameOf(project)}: ${words.verified(sound, damaged, failed)}`] : []
    }),
    ...cleanedUp(projects, words, formats).map((line) => `${line[0]!.toUpperCase()}${line.slice(1)}`),
  ]
}

/** Nothing where nothing was to be removed. */
function cleanedUp(projects: readonly ProjectReport[], words: ReportWords, formats: ReportFormats): string[] {
  const sum = (read: (cleanups: ProjectReport['cleanups']) => number): number =>
    projects.reduce((total, { cleanups }) => total + read(cleanups), 0)
  const [complete, failed] = [sum((one) => one.complete), sum((one) => one.failed)]
  if (complete + failed === 0) return []
  return [words.cleanedUp(complete, failed, formats.bytes(sum((one) => one.freedBytes)))]
}

/** `Shop (late), Blog (failed) and 3 more`. */
function namesOf(projects: readonly ProjectReport[], words: ReportWords, withVerdicts = false): string {
  const names = projects
    .slice(0, mostNames)
    .map((project) => `${nameOf(project)}${withVerdicts ? ` (${words.verdicts[project.verdict]})` : ''}`)
  const left = projects.length - names.length
  const list = new Intl.ListFormat(words.locale, { type: left > 0 ? 'unit' : 'conjunction' })
  return `${list.format(names)}${left > 0 ? words.more(left) : ''}`
}

function headlineOf(report: Report, words: ReportWords): string {
  const [troubled, others] = [troubledProjects(report), otherTroubles(report)]
  const { length } = report.projects
  const [only] = others
  if (troubled.length > 0) {
    const names = words.attention(troubled.length, length, namesOf(troubled, words, true))
    return others.length > 0 ? `${names}; ${words.alsoAttention(others.length)}` : names
  }
  if (only) return others.length > 1 ? words.troubles(others.length) : troubleText(only, report, words)
  const damaged = onceDamaged(report)
  if (damaged.length > 0) return words.damageFound(namesOf(damaged, words))
  return length === 0 ? words.noProjects : words.allWell(length)
}

function summaryOf({ totals, vaults }: Report, words: ReportWords, formats: ReportFormats): string {
  const { due, succeeded } = totals.scheduled
  const share = formats.share(due === 0 ? 0 : succeeded / due)
  const parts = [
    due === 0 ? words.nothingScheduled : words.scheduled(formats.number(succeeded), formats.number(due), share),
    vaults.some(({ usedBytes }) => usedBytes !== undefined)
      ? words.storage(formats.bytes(totals.localBytes), formats.bytes(totals.offsiteBytes))
      : words.storageUnknown,
    ...totals.prices.map(({ perMonth, currency }) => words.perMonth(formats.money(perMonth, currency))),
  ]
  return parts.join(' · ')
}

function troublesOf(report: Report, words: ReportWords, formats: ReportFormats): TroubleView[] {
  const projects = troubledProjects(report).map((project): TroubleView => {
    const { criticality, verdict, reasons, newest, lastRun } = project
    const told = reasons.map((reason) => {
      const newestAt = project.places.find(({ vault }) => vault === reason.vault)?.newestAt
      const { text, advice } = words.reason(reason, {
        project: project.project,
        newest: newestAt === undefined ? undefined : formats.moment(newestAt),
      })
      return { text: oneLine(text, textLength), advice: oneLine(advice, textLength) }
    })
    const because = oneLine(lastRun?.because ?? '', textLength)
    const isTold = because === '' || told.some(({ text }) => text.includes(because))
    const run = lastRun && words.lastRun(words.statuses[lastRun.status], formats.moment(lastRun.at))
    return {
      name: nameOf(project),
      marks: words.marks(words.verdicts[verdict], words.criticality[criticality]),
      reasons: told,
      facts: [
        newest ? words.lastGood(formats.moment(newest.at), newest.vault) : words.noBackup,
        ...(run === undefined ? [] : [isTold ? run : `${run}. ${words.because(because)}`]),
      ],
    }
  })
  const others = otherTroubles(report).map((incident): TroubleView => ({
    name: troubleText(incident, report, words),
    marks: words.marks('', words.criticality[incident.criticality]),
    reasons: [],
    facts: [oneLine(words.advice(incident), textLength)],
  }))
  return [...projects, ...others]
}

function troubleText(incident: Incident, { projects }: Report, words: ReportWords): string {
  const project = projects.find((one) => one.project === incident.project)
  return oneLine(words.trouble(project ? { ...incident, project: nameOf(project) } : incident), textLength)
}

function viewProject(project: ProjectReport, words: ReportWords, formats: ReportFormats): ProjectView {
  const { verdict, newest, lastRun, growthBytes, scheduled, seconds, isPaused } = project
  return {
    name: nameOf(project),
    verdict: isPaused && verdict === 'healthy' ? words.paused : words.verdicts[verdict],
    tone: verdict !== 'healthy' ? 'bad' : isPaused ? 'quiet' : 'good',
    size: newest ? formats.bytes(newest.bytes) : '',
    growth: growthBytes === undefined ? '' : formats.signedBytes(growthBytes),
    result: isPaused ? words.paused : lastRun ? words.statuses[lastRun.status] : words.none,
    newest: newest ? formats.moment(newest.at) : words.none,
    made: scheduled.due === 0 ? '' : `${scheduled.succeeded}/${scheduled.due}`,
    took: seconds === 0 ? '' : formats.seconds(seconds),
    line: lineOf(project, words, formats),
    details: detailsOf(project, words, formats),
    places: project.places.map(({ vault, backups, newestAt, oldestAt, copies, readBack }) => ({
      vault,
      newest: newestAt === undefined ? words.none : formats.moment(newestAt),
      oldest: oldestAt === undefined ? '' : formats.day(oldestAt),
      copies: copies ? formats.number(copies.complete) : '',
      failed: copies ? formats.number(copies.failed) : '',
      readBack: backups === 0 ? '' : formats.share(readBack),
    })),
  }
}

function lineOf(project: ProjectReport, words: ReportWords, formats: ReportFormats): string {
  const { lastRun, newest, scheduled, isPaused } = project
  const { due, succeeded } = scheduled
  const parts = [
    ...(isPaused ? [words.paused] : []),
    ...(lastRun ? [words.lastRun(words.statuses[lastRun.status], formats.moment(lastRun.at))] : []),
    ...(newest && newest.at !== lastRun?.at ? [words.newest(formats.moment(newest.at))] : []),
    newest ? formats.bytes(newest.bytes) : words.noBackup,
    ...(due > 0 ? [words.madeOf(formats.number(succeeded), formats.number(due))] : []),
  ]
  return parts.join(' · ')
}

function detailsOf(project: ProjectReport, words: ReportWords, formats: ReportFormats): string[] {
  const { runs, growthBytes, places, verifications, testedAt, oldest } = project
  const { sound, damaged, failed } = verifications
  const notComplete = (['running', 'incomplete', 'failed', 'cancelled'] as const).filter((status) => runs[status] > 0)
  const copied = places.flatMap(({ vault, newestAt, copies }) => {
    const newest = newestAt === undefined ? undefined : formats.moment(newestAt)
    return copies ? [words.copied(vault, newest, copies.complete, copies.failed)] : []
  })
  const made = [
    ...(runs.complete + runs.incomplete > 0
      ? [
          words.took(
            formats.seconds(project.seconds),
            formats.bytes(project.bytesRead),
            formats.bytes(project.bytesAdded),
          ),
        ]
      : []),
    ...notComplete.map((status) => words.runs[status](runs[status])),
    ...(growthBytes === undefined ? [] : [grown(growthBytes, words, formats)]),
    ...(oldest ? [words.oldest(formats.day(oldest.at))] : []),
  ]
  const held = places.filter(({ backups }) => backups > 0)
  const read = held.map(({ vault, readBack }) => `${vault} ${formats.share(readBack)}`)
  const proven = [
    ...(read.length > 0 ? [words.readBack(read.join(', '))] : []),
    ...(sound + damaged + failed > 0 ? [words.verified(sound, damaged, failed)] : []),
    words.tested(testedAt === undefined ? words.never : formats.day(testedAt)),
    ...cleanedUp([project], words, formats),
  ]
  return [made.join(' · '), ...copied, proven.join(' · ')].filter((line) => line !== '')
}

function grown(bytes: number, words: ReportWords, formats: ReportFormats): string {
  if (bytes === 0) return words.sameSize
  return bytes > 0 ? words.grew(formats.bytes(bytes)) : words.shrank(formats.bytes(-bytes))
}

function viewVault(
  { vault, isLocal, usedBytes, freeBytes, growthBytesPerDay, fullAt, price }: Report['vaults'][number],
  words: ReportWords,
  formats: ReportFormats,
): VaultView {
  return {
    vault,
    where: isLocal ? words.local : words.offsite,
    used: usedBytes === undefined ? words.neverMeasured : formats.bytes(usedBytes),
    free: freeBytes === undefined ? '' : formats.bytes(freeBytes),
    growth: growthBytesPerDay === undefined ? '' : formats.signedBytes(growthBytesPerDay),
    full: fullAt === undefined ? '' : formats.day(fullAt),
    month: price ? formats.money(price.perMonth, price.currency) : '',
  }
}

function viewIncident(
  incident: Incident,
  report: Report,
  words: ReportWords,
  formats: ReportFormats,
): { text: string; when: string; isOpen: boolean } {
  const { openedAt, resolvedAt, acknowledgedBy } = incident
  const state = resolvedAt !== undefined ? 'resolved' : acknowledgedBy !== undefined ? 'acknowledged' : 'open'
  const who = oneLine(acknowledgedBy ?? '', nameLength)
  const when = words.incident[state](formats.moment(openedAt), formats.moment(resolvedAt ?? openedAt), who)
  return {
    text: `${troubleText(incident, report, words)} (${oneLine(incident.id, nameLength)})`,
    when,
    isOpen: state !== 'resolved',
  }
}
