import type { ProjectReport, ReportPeriod, ReportReason, RunStatus, Trouble } from '#model'

type Verdict = ProjectReport['verdict']

/** All words of a report, in one language. Names and numbers come in as they shall be shown. */
export interface ReportWords {
  readonly locale: string
  readonly title: Readonly<Record<ReportPeriod, string>>
  readonly verdicts: Readonly<Record<Verdict, string>>
  readonly statuses: Readonly<Record<RunStatus, string>>
  readonly criticality: Readonly<Record<ProjectReport['criticality'], string>>
  readonly paused: string
  readonly never: string
  readonly none: string
  /** Headings, in text and mail. */
  readonly heads: Readonly<Record<'trouble' | 'projects' | 'copies' | 'storage' | 'incidents', string>>
  /** Titles of columns. */
  readonly columns: Readonly<Record<Column, string>>
  allWell(projects: number): string
  noProjects: string
  attention(count: number, all: number, names: string): string
  alsoAttention(count: number): string
  troubles(count: number): string
  damageFound(names: string): string
  /** After a list of names that was cut. */
  more(count: number): string
  scheduled(succeeded: string, due: string, share: string): string
  nothingScheduled: string
  storage(local: string, offsite: string): string
  readonly storageUnknown: string
  perMonth(price: string): string
  lastGood(when: string, vault: string): string
  newest(when: string): string
  /** How many of the scheduled backups were made. */
  madeOf(made: string, due: string): string
  marks(verdict: string, criticality: string): string
  noBackup: string
  lastRun(status: string, when: string): string
  because(reason: string): string
  took(time: string, read: string, added: string): string
  grew(bytes: string): string
  shrank(bytes: string): string
  sameSize: string
  runs: Readonly<Record<Exclude<RunStatus, 'complete'>, (count: number) => string>>
  oldest(when: string): string
  copied(vault: string, newest: string | undefined, complete: number, failed: number): string
  readBack(shares: string): string
  verified(sound: number, damaged: number, failed: number): string
  cleanedUp(complete: number, failed: number, freed: string): string
  tested(when: string): string
  neverTested(names: string): string
  readonly nothingTested: string
  local: string
  offsite: string
  free(bytes: string): string
  growth(bytes: string): string
  full(day: string): string
  neverMeasured: string
  incident: Readonly<Record<'open' | 'acknowledged' | 'resolved', (from: string, to: string, who: string) => string>>
  trouble(trouble: Pick<Trouble, 'kind' | 'project' | 'vault' | 'text'>): string
  /** What to do about a trouble. */
  advice(trouble: Pick<Trouble, 'kind' | 'project' | 'vault' | 'advice'>): string
  reason(reason: ReportReason, about: ReasonAbout): { readonly text: string; readonly advice: string }
  counted: string
  made(when: string, version: string): string
}

/** What a reason is about. */
export interface ReasonAbout {
  readonly project: string
  /** When the newest backup in its vault was made, as it shall be shown. */
  readonly newest: string | undefined
}

type Column =
  | 'project'
  | 'size'
  | 'growth'
  | 'result'
  | 'newest'
  | 'oldest'
  | 'made'
  | 'took'
  | 'vault'
  | 'copies'
  | 'failed'
  | 'readBack'
  | 'used'
  | 'free'
  | 'day'
  | 'full'
  | 'month'

/** `shop, archive: the last copy to it failed`. */
export function aboutWhom(text: string, ...names: readonly (string | undefined)[]): string {
  return [names.filter((name) => name !== undefined).join(', '), text].filter((part) => part !== '').join(': ')
}
