import type { KitWords } from './words.ts'

export const dutch: KitWords = {
  locale: 'nl-NL',
  title: 'Herstelkit',
  lead: 'Met dit papier en een van de kluizen hieronder komt alles terug, ook als de server weg is. Er gaat niets verloren door de tijd te nemen: de kluizen houden wat ze hebben. Bel eerst iemand.',
  facts: { kit: 'Kit', made: 'Gemaakt', machine: 'Van de machine' },
  keep: 'Bewaar dit waar de server niet is: in een brandkast, of bij iemand anders. Vernietig oudere kits zodra deze op zijn plaats ligt, en ook het bestand waaruit is afgedrukt.',
  call: 'Wie te bellen',
  noContacts: 'Schrijf twee mensen op, elk met een telefoonnummer.',
  vaults: 'Waar de back-ups zijn',
  vaultsLead: 'Elke kluis is genoeg voor alles wat erin zit. Begin met de dichtstbijzijnde.',
  location: 'Locatie',
  place: 'Plaats',
  tiers: { hot: 'dichtbij, voor de laatste weken', archive: 'archief, voor jaren' },
  password: 'Wachtwoord',
  passwordNamed: (letter, isOnly) => (isOnly ? 'het wachtwoord van de kluizen' : `wachtwoord ${letter}`),
  projects: 'Bevat',
  hostKeys: 'Sleutels van de server',
  noHostKeys: 'hier niet bekend: vergelijk wat ssh toont met wat de aanbieder publiceert',
  alsoNeeded: 'Ook nodig',
  needs: {
    key: 'een privésleutel die daar mag inloggen (een nieuwe kan bij de aanbieder worden toegevoegd)',
    'access-keys': 'toegangssleutels van de bucket (nieuwe zijn bij de aanbieder te maken)',
    'login-password': 'het wachtwoord van de gebruiker van de server',
    authority: 'het certificaat van de eigen autoriteit',
  },
  withoutPassword:
    'Het wachtwoord staat niet op dit papier. Zonder dat kan niemand de kluizen lezen, wie het ook is en wat het ook kost.',
  whereKept: 'Het ligt hier, of bij deze mensen:',
  passwordLead:
    'Wie dit leest, kan alle back-ups lezen. Het staat er letter voor letter zoals het is: hoofdletters tellen.',
  spelled: 'Letter voor letter',
  camera: 'Voor de camera van een telefoon die u vertrouwt',
  share: (number, count) => `Deel ${number} van ${count}`,
  shareLead: (needed, count) =>
    `Het wachtwoord is verdeeld in ${count} delen. Elke ${needed} daarvan geven het terug; minder zeggen er niets over. Hoofdletters, spaties en streepjes tellen niet.`,
  shareHolders: 'De andere delen zijn bij:',
  withBewaar: 'De korte weg: met Bewaar',
  installBewaar:
    'Neem een machine met Linux, installeer Node.js en Bewaar, en koppel de schijf van de kluis aan of zorg dat de server ervan antwoordt.',
  recover:
    'Dit toont wat er terugkomt, en vraagt voordat het schrijft. De configuratie en de catalogus komen terug, en er staat bij wat er nog nodig is:',
  recoverShares: (needed) =>
    `Er wordt om het wachtwoord gevraagd: typ de delen in, een voor een, tot het er ${needed} zijn.`,
  restoreEach:
    'Daarna elk project, het belangrijkste eerst. Elk herstel controleert wat het schrijft voordat het dat schrijft.',
  withoutBewaar: 'De lange weg: met alleen restic',
  installRestic:
    'restic is vrije software (restic.net, en in elke Linux-distributie); 0.14 of later leest de kluizen. Zet de naam van een project op de plaats van PROJECT.',
  reach: 'Zeg welke kluis:',
  fetch: 'Haal dan de nieuwste back-up op; restic vraagt om het wachtwoord:',
  followRestore:
    'In de map ligt RESTORE.md: daarin staat wat waar hoort en hoe databases geladen worden. Volg het tot het eind.',
  postgresql: 'Een PostgreSQL-database, in het kort:',
  mysql: 'Een MariaDB- of MySQL-database, in het kort:',
  joinShares:
    'Delen komen alleen in Bewaar bij elkaar: `bewaar recover` neemt ze aan, en schrijft het wachtwoord in het bestand dat de configuratie noemt.',
  check: 'Elk jaar aantonen',
  checkLead:
    'Een kit die niemand heeft geprobeerd is een hoop. Neem dit papier, voer `bewaar kit check` uit, typ over wat hier staat, en schrijf de dag op.',
  checkTable: { day: 'Dag', name: 'Naam', result: 'Opende alles' },
}
