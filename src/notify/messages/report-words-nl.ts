import type { ReportReason, TroubleKind } from '#model'
import { aboutWhom, type ReportWords } from './report-words.ts'
import type { Names } from './texts.ts'
import { dutch as alarms } from './texts-nl.ts'

/** Because what commands and the catalog say of a trouble is in English. */
const dutchTroubles: Readonly<Record<TroubleKind | ReportReason['verdict'], string>> = {
  unreachable: 'niet te bereiken',
  damaged: 'bij een controle is schade gevonden',
  late: 'de nieuwste back-up is ouder dan mag, of er is er geen',
  failed: 'de laatste run maakte geen back-up',
  stuck: 'een run is veel langer bezig dan anders',
  'copy-failed': 'de laatste kopie hierheen is mislukt',
  clock: 'de klok van deze machine is niet te vertrouwen',
  full: 'er is weinig ruimte over',
  weak: 'de bestanden zijn minder goed beschermd dan de configuratie zegt',
  incomplete: 'de laatste run kon niet alles meenemen',
  unverified: 'niet alles is op tijd teruggelezen',
  'test-failed': 'een back-up doorstond de laatste hersteltest niet',
  untested: 'geen back-up is op tijd op proef teruggezet',
  'cleanup-failed': 'oude back-ups konden niet worden opgeruimd',
  'own-backup': 'Bewaar zelf is niet in de kluis opgeslagen',
  kit: 'de herstelkit is een jaar niet nagekeken',
  configuration: 'de veranderde configuratie is geweigerd',
  channel: 'berichten komen niet aan',
}

/** What an alarm says first. */
function dutchAdvice(kind: keyof typeof dutchTroubles, names: Names): string {
  const [step] = kind === 'unreachable' ? [] : alarms.kinds[kind].todo(names)
  return step ? [step.text, ...step.commands.map((command) => `\`${command}\``)].join(' ') : ''
}

/** The words of reports in Dutch. */
export const dutch: ReportWords = {
  locale: 'nl-NL',
  title: { day: 'Dagelijks back-uprapport', week: 'Wekelijks back-uprapport', month: 'Maandelijks back-uprapport' },
  verdicts: {
    unreachable: 'onbereikbaar',
    damaged: 'beschadigd',
    late: 'te laat',
    failed: 'mislukt',
    stuck: 'loopt vast',
    'copy-failed': 'kopie mislukt',
    clock: 'klok onjuist',
    full: 'bijna vol',
    weak: 'zwakker dan beloofd',
    incomplete: 'onvolledig',
    unverified: 'niet gecontroleerd',
    'test-failed': 'hersteltest mislukt',
    untested: 'herstel niet getest',
    'cleanup-failed': 'opruimen mislukt',
    healthy: 'gezond',
  },
  statuses: {
    running: 'bezig',
    complete: 'volledig',
    incomplete: 'onvolledig',
    failed: 'mislukt',
    cancelled: 'afgebroken',
  },
  criticality: alarms.criticalities,
  paused: 'gepauzeerd',
  never: 'nooit',
  none: 'geen',
  heads: {
    trouble: 'Vraagt aandacht',
    projects: 'Projecten',
    copies: 'Kluizen per project',
    storage: 'Opslag',
    incidents: 'Incidenten',
  },
  columns: {
    project: 'PROJECT',
    size: 'OMVANG',
    growth: 'GROEI',
    result: 'LAATSTE',
    newest: 'NIEUWSTE',
    oldest: 'OUDSTE',
    made: 'GEMAAKT',
    took: 'DUUR',
    vault: 'KLUIS',
    copies: 'KOPIEËN',
    failed: 'MISLUKT',
    readBack: 'GELEZEN',
    used: 'GEBRUIKT',
    free: 'VRIJ',
    day: 'PER DAG',
    full: 'VOL',
    month: 'PER MAAND',
  },
  allWell: (projects) =>
    `Alles is goed: ${projects === 1 ? 'het project is' : `alle ${projects} projecten zijn`} gezond`,
  noProjects: 'Er wordt niets bewaard: de configuratie noemt geen projecten',
  attention: (count, all, names) =>
    `${count} van de ${all} projecten ${count === 1 ? 'vraagt' : 'vragen'} aandacht: ${names}`,
  alsoAttention: (count) =>
    count === 1 ? 'nog één probleem vraagt aandacht' : `nog ${count} problemen vragen aandacht`,
  troubles: (count) => `${count} problemen vragen aandacht`,
  damageFound: (names) => `Een controle vond schade, een latere niet: ${names}`,
  more: (count) => ` en nog ${count}`,
  scheduled: (succeeded, due, share) =>
    `${succeeded} van de ${due} geplande back-ups ${succeeded === '1' ? 'is' : 'zijn'} gelukt (${share})`,
  nothingScheduled: 'er was geen back-up gepland',
  storage: (local, offsite) => `${local} lokaal, ${offsite} elders`,
  storageUnknown: 'de kluizen zijn nooit gemeten',
  perMonth: (price) => `${price} per maand`,
  lastGood: (when, vault) => `Nieuwste back-up: ${when}, in ${vault}`,
  newest: (when) => `nieuwste ${when}`,
  madeOf: (made, due) => `${made} van ${due} gemaakt`,
  marks: (verdict, criticality) => [verdict, `belang: ${criticality}`].filter((mark) => mark !== '').join(' · '),
  noBackup: 'Er is geen back-up',
  lastRun: (status, when) => `Laatste run: ${status}, ${when}`,
  because: (reason) => `Reden: ${reason}`,
  took: (time, read, added) => `${time}, ${read} gelezen, ${added} toegevoegd`,
  grew: (bytes) => `${bytes} groter`,
  shrank: (bytes) => `${bytes} kleiner`,
  sameSize: 'even groot als eerst',
  runs: {
    running: (count) => `${count} bezig`,
    incomplete: (count) => `${count} onvolledig`,
    failed: (count) => `${count} mislukt`,
    cancelled: (count) => `${count} afgebroken`,
  },
  oldest: (when) => `oudste ${when}`,
  copied: (vault, newest, complete, failed) =>
    `${vault}: ${newest === undefined ? 'nog geen back-up' : `nieuwste ${newest}`}, ${complete} gekopieerd${failed > 0 ? `, ${failed} mislukt` : ''}`,
  readBack: (shares) => `teruggelezen in 30 dagen: ${shares}`,
  verified: (sound, damaged, failed) =>
    `gecontroleerd: ${[`${sound} goed`, ...(damaged > 0 ? [`${damaged} beschadigd`] : []), ...(failed > 0 ? [`${failed} niet gelukt`] : [])].join(', ')}`,
  cleanedUp: (complete, failed, freed) =>
    `opgeruimd: ${complete} keer${failed > 0 ? `, ${failed} keer mislukt` : ''}, ${freed} vrijgemaakt`,
  tested: (when) => `hersteltest ${when}`,
  neverTested: (names) => `Hersteltest: nooit van ${names}`,
  nothingTested: 'Hersteltest: nog nooit, van geen enkel project',
  local: 'lokaal',
  offsite: 'elders',
  free: (bytes) => `${bytes} vrij`,
  growth: (bytes) => `${bytes} per dag`,
  full: (day) => `vol op ${day}`,
  neverMeasured: 'nooit gemeten',
  incident: {
    open: (from) => `open sinds ${from}`,
    acknowledged: (from, _, who) => `open sinds ${from}, in behandeling bij ${who}`,
    resolved: (from, to) => `${from} tot ${to}, opgelost`,
  },
  trouble: ({ kind, project, vault }) => aboutWhom(dutchTroubles[kind], project, vault),
  advice: ({ kind, project, vault }) =>
    dutchAdvice(kind, { ...(project !== undefined && { project }), ...(vault !== undefined && { vault }) }),
  reason: ({ verdict, vault }, { project, newest }) => {
    const late = newest === undefined ? 'er is nog geen back-up' : `de nieuwste back-up is van ${newest}, ouder dan mag`
    return {
      text: aboutWhom(verdict === 'late' ? late : dutchTroubles[verdict], vault),
      advice: dutchAdvice(verdict, { project, ...(vault !== undefined && { vault }) }),
    }
  },
  counted:
    'Een geplande back-up telt als gelukt wanneer een volledige begon voordat de volgende moest komen. Omvang, oordeel en opslag zijn die van nu. Gelezen is de som van wat controles in de laatste 30 dagen teruglazen.',
  made: (when, version) => `Gemaakt ${when} door Bewaar ${version}`,
}
