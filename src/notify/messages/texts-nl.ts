import { onProject, onVault } from './command-words.ts'
import type { AlarmTexts } from './texts.ts'

/** The words of alarms in Dutch. */
export const dutch: AlarmTexts = {
  locale: 'nl-NL',
  kinds: {
    damaged: {
      title: 'BACK-UP BESCHADIGD',
      meaning: 'In een kluis staan bytes die niet zijn wat ze moeten zijn.',
      todo: (names) => [
        { text: 'Bekijk wat er beschadigd is.', commands: [`bewaar verify${onProject(names)}${onVault(names)}`] },
        { text: 'Maak een verse back-up; die vult aan wat ontbreekt.', commands: [`bewaar run${onProject(names)}`] },
        {
          text: 'Verwijder niets uit een kluis voordat duidelijk is wat er gebeurd is. Zet terug uit een andere kluis.',
          commands: [],
        },
      ],
    },
    late: {
      title: 'BACK-UP TE OUD',
      meaning: 'De nieuwste back-up is ouder dan hij mag zijn.',
      todo: (names) => [
        { text: 'Maak nu een back-up.', commands: [`bewaar run${onProject(names)}`] },
        { text: 'Kijk of het rooster loopt.', commands: ['systemctl status bewaar', `bewaar logs${onProject(names)}`] },
      ],
    },
    failed: {
      title: 'BACK-UP MISLUKT',
      meaning: 'De laatste run heeft geen back-up gemaakt.',
      todo: (names) => [
        { text: 'Bekijk waarom.', commands: [`bewaar logs${onProject(names)}`] },
        { text: 'Los het op en draai opnieuw.', commands: [`bewaar run${onProject(names)}`] },
      ],
    },
    stuck: {
      title: 'BACK-UP HANGT',
      meaning: 'Een run is al veel langer bezig dan gewoonlijk.',
      todo: (names) => [
        { text: 'Bekijk wat hij doet.', commands: [`bewaar logs${onProject(names)}`] },
        {
          text: 'Doet hij niets meer, herstart dan de dienst: de volgende run gaat verder waar deze was.',
          commands: ['systemctl restart bewaar'],
        },
      ],
    },
    'copy-failed': {
      title: 'KOPIE MISLUKT',
      meaning: 'De back-up is er, maar de kopie in een andere kluis niet.',
      todo: (names) => [
        { text: 'Kopieer opnieuw.', commands: [`bewaar copy${onProject(names)}${onVault(names, '--to')}`] },
        {
          text: 'Kijk of de kluis antwoordt.',
          commands: [`bewaar vault probe${names.vault === undefined ? '' : ` ${names.vault}`}`],
        },
      ],
    },
    clock: {
      title: 'KLOK KLOPT NIET',
      meaning: 'De klok van deze machine is niet te vertrouwen; tot hij klopt wordt er niets verwijderd.',
      todo: () => [{ text: 'Kijk of het netwerk de klok gelijk houdt.', commands: ['timedatectl status'] }],
    },
    full: {
      title: 'KLUIS BIJNA VOL',
      meaning: 'Een kluis heeft weinig ruimte over; zonder ruimte komen er geen back-ups.',
      todo: (names) => [
        { text: 'Bekijk wat de ruimte inneemt, en geef de kluis meer.', commands: ['bewaar vault list'] },
        {
          text: 'Bekijk wat er weg mag.',
          commands: [`bewaar cleanup${names.project === undefined ? ' --all' : onProject(names)} --dry-run`],
        },
      ],
    },
    weak: {
      title: 'KLUIS ZWAKKER DAN BEDOELD',
      meaning: 'Een kluis doet niet wat ervan gezegd wordt: back-ups erin kunnen veranderd of verwijderd worden.',
      todo: (names) => [
        {
          text: 'Bekijk wat er geprobeerd is, en stel de kluis goed in.',
          commands: [`bewaar vault probe${names.vault === undefined ? '' : ` ${names.vault}`}`],
        },
      ],
    },
    incomplete: {
      title: 'BACK-UP ONVOLLEDIG',
      meaning: 'Er is een back-up gemaakt, maar niet alles staat erin.',
      todo: (names) => [
        { text: 'Bekijk wat er ontbreekt.', commands: [`bewaar logs${onProject(names)}`] },
        { text: 'Los het op en draai opnieuw.', commands: [`bewaar run${onProject(names)}`] },
      ],
    },
    'test-failed': {
      title: 'HERSTELTEST MISLUKT',
      meaning: 'Een back-up is op proef teruggezet en is niet wat hij moet zijn. Wat erin hoort is misschien kwijt.',
      todo: (names) => [
        { text: 'Bekijk wat er gevonden is.', commands: [`bewaar logs${onProject(names)}`] },
        {
          text: 'Los het op, maak een nieuwe back-up en test die.',
          commands: [`bewaar run${onProject(names)}`, `bewaar test${onProject(names)}`],
        },
      ],
    },
    untested: {
      title: 'HERSTEL NIET GETEST',
      meaning: 'Geen back-up is op tijd op proef teruggezet; niemand weet of terugzetten lukt.',
      todo: (names) => [{ text: 'Test het nu.', commands: [`bewaar test${onProject(names)}`] }],
    },
    unverified: {
      title: 'BACK-UPS NIET TERUGGELEZEN',
      meaning: 'Wat in een kluis staat is niet op tijd teruggelezen; niemand weet of het nog heel is.',
      todo: (names) => [
        { text: 'Lees het nu terug.', commands: [`bewaar verify${onProject(names)}${onVault(names)}`] },
      ],
    },
    'cleanup-failed': {
      title: 'OPRUIMEN MISLUKT',
      meaning: 'Oude back-ups konden niet verwijderd worden. Geen back-up loopt gevaar, maar de ruimte komt niet vrij.',
      todo: (names) => [
        {
          text: 'Bekijk wat er weg zou gaan, en waarom dat niet lukt.',
          commands: [`bewaar cleanup${names.project === undefined ? ' --all' : onProject(names)} --dry-run`],
        },
      ],
    },
    'own-backup': {
      title: 'GEEN BACK-UP VAN BEWAAR ZELF',
      meaning:
        'Een kluis kreeg de nieuwste configuratie en catalogus niet. De projecten erin zijn veilig; wie Bewaar uit deze kluis herstelt, krijgt een oudere stand.',
      todo: () => [{ text: 'Kijk of de kluis antwoordt en maak opnieuw een back-up.', commands: ['bewaar run'] }],
    },
    kit: {
      title: 'HERSTELKIT NAKIJKEN',
      meaning: 'Al een jaar heeft niemand aangetoond dat het wachtwoord op papier de kluizen nog opent.',
      todo: () => [
        { text: 'Neem het papier erbij en typ over wat er staat.', commands: ['bewaar kit check'] },
        { text: 'Is het papier weg of oud, druk dan een nieuw af.', commands: ['bewaar kit'] },
      ],
    },
    configuration: {
      title: 'CONFIGURATIE GEWEIGERD',
      meaning: 'De configuratie is veranderd en kan niet gebruikt worden. Back-ups gaan door zoals het was.',
      todo: () => [{ text: 'Bekijk wat er niet klopt, en los het op.', commands: ['bewaar config check'] }],
    },
    channel: {
      title: 'ALARM KOMT NIET AAN',
      meaning: 'Een kanaal dat mensen waarschuwt werkt niet; andere alarmen komen misschien niet aan.',
      todo: () => [{ text: 'Bekijk wat de andere kant zegt, en los het op.', commands: ['bewaar notify test'] }],
    },
  },
  criticalities: { critical: 'kritiek', high: 'hoog', medium: 'gemiddeld', low: 'laag' },
  labels: {
    project: 'Project',
    vault: 'Kluis',
    criticality: 'Belang',
    report: 'Melding',
    since: 'Sinds',
    until: 'Tot',
    lasted: 'Duurde',
    lastBackup: 'Laatste goede back-up',
    incident: 'Incident',
    whatToDo: 'Wat nu te doen',
  },
  worse: 'NU ERNSTIGER:',
  resolved: 'OPGELOST:',
  reminder: (count) => `HERINNERING ${count}:`,
  reminderMeaning: (count, duration) =>
    `Het duurt al ${duration}. Dit is herinnering ${count}; nog niemand heeft gezegd ermee bezig te zijn.`,
  worseMeaning: (criticality) => `Het is ernstiger geworden: het belang is nu ${criticality}.`,
  resolvedMeaning: (duration) => `Het is voorbij. Het duurde ${duration}.`,
  resolvedBy: (who) => `Gemeld door ${who}.`,
  many: (count) => `${count} STORINGEN`,
  manyMeaning: (count) => `Er zijn ${count} storingen tegelijk. Misschien hebben ze één oorzaak.`,
  manyResolved: (count) => `${count} storingen zijn voorbij.`,
  others: (count) => `en nog ${count}`,
  lastBackupIn: (when, vault) => `${when}, in ${vault}`,
  noBackup: 'er is er geen',
  ago: (duration) => `${duration} geleden`,
  acknowledge: 'Zeg dat u ermee bezig bent; dan komen er geen herinneringen meer.',
  show: 'Bekijk alles.',
  footer: (version, file) => `Gestuurd door Bewaar ${version}, zoals ${file} zegt.`,
  test: {
    title: 'PROEF VAN HET ALARM',
    meaning: 'Dit is een proef: er is niets aan de hand. Als u dit leest, komen alarmen aan.',
  },
}
