import { sortOf, type Configuration, type DueNotice, type Incident, type Language } from '#model'
import type { Gravity, Message, MessageKind } from '../channel.ts'
import { oneLine } from '../plain.ts'
import { alarmHtml } from './alarm-html.ts'
import { alarmText, type AlarmPage, type AlarmView } from './alarm-page.ts'
import type { AlarmTexts, Step } from './texts.ts'
import { english } from './texts-en.ts'
import { dutch } from './texts-nl.ts'
import { formatLength, formatMoment } from './time-words.ts'

/** What a message takes from its surroundings. */
export interface AlarmSetting {
  readonly configuration: Pick<Configuration, 'file' | 'language' | 'organisation' | 'projects' | 'timezone'>
  /** Of Bewaar: `0.1.0`. */
  readonly version: string
  /** Milliseconds since 1970, UTC. */
  readonly now: number
}

const longestName = 100
const longestText = 600
/** So many are listed in one message; the rest is counted. */
const mostListed = 50

export function alarmTexts(language: Language): AlarmTexts {
  switch (language) {
    case 'nl':
      return dutch
    case 'en':
      return english
    default:
      return language satisfies never
  }
}

/**
 * Writes one message about one or more notices of one sort (beginnings, reminders, ends …), in the language and the time zone of
 * the organisation.
 *
 * Names and texts from outside stand on one line, and hold nothing that moves what is beside them; the HTML shows them as text.
 *
 * @param notices - at least one.
 * @param id - of the message; see {@link Message.id}.
 */
export async function composeAlarm(
  notices: readonly Pick<DueNotice, 'incident' | 'notice'>[],
  id: string,
  setting: AlarmSetting,
): Promise<Message> {
  const page = notices.length === 1 ? singlePage(notices[0]!, setting) : listPage(notices, setting)
  const incidents = notices.map(({ incident }) => incident)
  const [first] = incidents as [Incident]
  const isAbout = (project: string | undefined): project is string =>
    project !== undefined && incidents.every((incident) => incident.project === project)
  return {
    id,
    at: setting.now,
    kind: sortOf(notices[0]!.notice),
    gravity: page.gravity,
    subject: page.subject,
    text: alarmText(page),
    html: await alarmHtml(page),
    ...(isAbout(first.project) && { project: first.project }),
    about: incidents.map((incident) => incident.id),
    facts: notices.length === 1 ? factsOf(first) : { count: notices.length },
  }
}

/** A message that only shows that messages arrive. */
export async function composeTest(id: string, setting: AlarmSetting): Promise<Message> {
  const { language } = setting.configuration
  const texts = alarmTexts(language)
  const page: AlarmPage = {
    language,
    gravity: 'notice',
    subject: `${bracket(setting)} ${texts.test.title}`,
    heading: texts.test.title,
    introduction: texts.test.meaning,
    single: undefined,
    list: [],
    others: '',
    steps: [],
    whatToDo: texts.labels.whatToDo,
    footer: footerOf(texts, setting),
  }
  return {
    id,
    at: setting.now,
    kind: 'test',
    gravity: 'notice',
    subject: page.subject,
    text: alarmText(page),
    html: await alarmHtml(page),
    facts: {},
  }
}

function factsOf(incident: Incident): Message['facts'] {
  const iso = (at: number): string => new Date(at).toISOString()
  return {
    incident: incident.id,
    kind: incident.kind,
    criticality: incident.criticality,
    ...(incident.vault !== undefined && { vault: incident.vault }),
    since: iso(incident.openedAt),
    ...(incident.resolvedAt !== undefined && { resolved: iso(incident.resolvedAt) }),
    ...(incident.lastBackup && { lastBackup: iso(incident.lastBackup.at), lastBackupVault: incident.lastBackup.vault }),
  }
}

function singlePage(notice: Pick<DueNotice, 'incident' | 'notice'>, setting: AlarmSetting): AlarmPage {
  const { language } = setting.configuration
  const texts = alarmTexts(language)
  const view = viewOf(notice, texts, setting)
  const heading = [view.title, view.about].filter((part) => part !== '').join(' - ')
  return {
    language,
    gravity: view.gravity,
    subject: `${signs[view.gravity]} ${bracket(setting)} ${heading}`,
    heading,
    introduction: view.meaning.join(' '),
    single: view,
    list: [],
    others: '',
    steps: view.steps,
    whatToDo: texts.labels.whatToDo,
    footer: footerOf(texts, setting),
  }
}

function listPage(notices: readonly Pick<DueNotice, 'incident' | 'notice'>[], setting: AlarmSetting): AlarmPage {
  const { language } = setting.configuration
  const texts = alarmTexts(language)
  const views = notices.map((notice) => viewOf(notice, texts, setting))
  const isOver = sortOf(notices[0]!.notice) === 'resolved'
  const gravity = isOver ? 'good' : views.some((view) => view.gravity === 'alarm') ? 'alarm' : 'warning'
  const titles = new Set(views.map(({ title }) => title))
  const [onlyTitle] = titles
  const title = titles.size === 1 ? `${notices.length} × ${onlyTitle!}` : texts.many(notices.length)
  const vaults = new Set(notices.map(({ incident }) => incident.vault))
  const [onlyVault] = vaults
  const abouts = [...new Set(views.map(({ about }) => about))]
  const about =
    vaults.size === 1 && onlyVault !== undefined
      ? oneLine(onlyVault, longestName)
      : [abouts.slice(0, 3).join(', '), ...(abouts.length > 3 ? [texts.others(abouts.length - 3)] : [])].join(' ')
  const steps = isOver ? [] : stepsOfList(notices, texts)
  return {
    language,
    gravity,
    subject: `${signs[gravity]} ${bracket(setting)} ${title} - ${about}`,
    heading: `${title} - ${about}`,
    introduction: isOver ? texts.manyResolved(notices.length) : texts.manyMeaning(notices.length),
    single: undefined,
    list: views.slice(0, mostListed),
    others: views.length > mostListed ? texts.others(views.length - mostListed) : '',
    steps,
    whatToDo: texts.labels.whatToDo,
    footer: footerOf(texts, setting),
  }
}

/** What mends one kind at one vault is said once, without a project. */
function stepsOfList(notices: readonly Pick<DueNotice, 'incident' | 'notice'>[], texts: AlarmTexts): readonly Step[] {
  const causes = new Map(notices.map(({ incident: { kind, vault } }) => [`${kind} ${vault ?? ''}`, { kind, vault }]))
  const steps = [...causes.values()].flatMap(({ kind, vault }) =>
    texts.kinds[kind].todo(vault === undefined ? {} : { vault }),
  )
  const once = new Map(steps.map((step) => [JSON.stringify(step), step]))
  const show = { text: texts.show, commands: ['bewaar incident list', 'bewaar health'] }
  return [...[...once.values()].slice(0, 6), show]
}

const signs: Record<Gravity, string> = { alarm: '🚨', warning: '⚠️', notice: '🔔', good: '✅' }

function viewOf(
  { incident, notice }: Pick<DueNotice, 'incident' | 'notice'>,
  texts: AlarmTexts,
  { configuration, now }: AlarmSetting,
): AlarmView {
  const { timezone } = configuration
  const { kind, criticality, project, vault, openedAt, resolvedAt } = incident
  const own = texts.kinds[kind]
  const sort = sortOf(notice)
  const moment = (at: number): string => formatMoment(at, texts.locale, timezone)
  const lasted = formatLength((resolvedAt ?? now) - openedAt, texts.locale)
  const count = Number(/\d+$/.exec(notice)?.[0] ?? 0)
  const title =
    sort === 'resolved'
      ? `${texts.resolved} ${own.title}`
      : sort === 'worse'
        ? `${texts.worse} ${own.title}`
        : sort === 'reminder'
          ? `${texts.reminder(count)} ${own.title}`
          : own.title
  const meaning =
    sort === 'resolved'
      ? [
          texts.resolvedMeaning(lasted),
          ...(incident.resolvedBy === undefined ? [] : [texts.resolvedBy(oneLine(incident.resolvedBy, longestName))]),
        ]
      : [
          own.meaning,
          ...(sort === 'worse' ? [texts.worseMeaning(texts.criticalities[criticality])] : []),
          ...(sort === 'reminder' ? [texts.reminderMeaning(count, lasted)] : []),
        ]
  const { labels } = texts
  const last = incident.lastBackup
  const facts: [string, string][] = [
    [labels.report, oneLine(incident.text, longestText)],
    ...(project === undefined ? [] : [[labels.project, projectWords(project, configuration)] as [string, string]]),
    ...(vault === undefined ? [] : [[labels.vault, oneLine(vault, longestName)] as [string, string]]),
    [labels.criticality, texts.criticalities[criticality]],
    [labels.since, resolvedAt === undefined ? `${moment(openedAt)} (${texts.ago(lasted)})` : moment(openedAt)],
    ...(resolvedAt === undefined ? [] : [[labels.until, moment(resolvedAt)] as [string, string]]),
    ...(last
      ? [[labels.lastBackup, texts.lastBackupIn(moment(last.at), oneLine(last.vault, longestName))] as [string, string]]
      : project === undefined
        ? []
        : [[labels.lastBackup, texts.noBackup] as [string, string]]),
    [labels.incident, incident.id],
  ]
  return {
    title,
    about: aboutWords(incident, configuration),
    gravity: gravityOf(incident, sort),
    meaning,
    facts,
    steps:
      sort === 'resolved'
        ? []
        : [
            ...own.todo({ ...(project !== undefined && { project }), ...(vault !== undefined && { vault }) }),
            { text: texts.acknowledge, commands: [`bewaar incident ack ${incident.id}`] },
          ],
  }
}

function gravityOf({ kind, criticality }: Incident, sort: MessageKind): Gravity {
  if (sort === 'resolved') return 'good'
  return criticality === 'critical' || kind === 'damaged' || kind === 'late' || kind === 'failed' ? 'alarm' : 'warning'
}

/** `HavunAdmin`, `HavunAdmin, storage-box`, or the vault alone. */
function aboutWords({ project, vault }: Incident, configuration: AlarmSetting['configuration']): string {
  const title = project === undefined ? undefined : titleOf(project, configuration)
  return [title, vault === undefined ? undefined : oneLine(vault, longestName)]
    .filter((part) => part !== undefined)
    .join(', ')
}

function titleOf(name: string, { projects }: AlarmSetting['configuration']): string {
  return oneLine(projects.find((project) => project.name === name)?.title ?? name, longestName)
}

/** The title, and the name in the configuration where that is another. */
function projectWords(name: string, configuration: AlarmSetting['configuration']): string {
  const title = titleOf(name, configuration)
  return title === name ? name : `${title} (${oneLine(name, longestName)})`
}

function bracket({ configuration: { organisation } }: AlarmSetting): string {
  return `[${oneLine(organisation ?? 'Bewaar', longestName)}]`
}

function footerOf(texts: AlarmTexts, { configuration: { file }, version }: AlarmSetting): string {
  return texts.footer(version, oneLine(file, 200))
}
