import { dirname } from 'node:path'

import { catalogPlace, locationIn, ownProject, vaultsInUse, type Configuration, type RecoverySheet } from '#model'
import { quoted, sayPlaces } from '#strategies'

const target = '/tmp/bewaar'

/** RESTORE.md of a backup of Bewaar itself: how to bring it back with nothing but restic. */
export function ownInstructions(configuration: Configuration, sheet: RecoverySheet): string {
  const places = vaultsInUse(configuration).map(({ name, location, region, authorities }) => ({
    vault: name,
    location: locationIn(location, ownProject),
    ...(region !== undefined && { region }),
    ...(authorities !== undefined && { hasOwnAuthority: true }),
  }))
  const { language } = configuration
  const words = { nl: dutch, en: english }[language]
  return `${[
    ...words.beginning,
    '',
    ...sayPlaces(places, language),
    '```sh',
    `restic restore latest --tag project:${ownProject} --target ${target}`,
    '```',
    '',
    words.placing,
    '',
    '```sh',
    ...commandsFor(sheet),
    '```',
    '',
    words.secrets,
    '',
    ...sheet.secrets.map(({ key, reference }) => `- \`${key}\`: \`${JSON.stringify(reference)}\``),
    '',
    ...words.end,
  ].join('\n')}\n`
}

function commandsFor({ files, state }: RecoverySheet): string[] {
  const folders = new Set([...files.map(({ path }) => dirname(path)), state])
  return [
    ...[...folders].map((folder) => `mkdir -p ${quoted(folder)}`),
    ...files.map(({ path, at }) => `cp ${quoted(`${target}/${at}`)} ${quoted(path)}`),
    `cp ${target}/${catalogPlace} ${quoted(`${state}/${catalogPlace}`)}`,
  ]
}

const english = {
  beginning: [
    '# How to bring Bewaar itself back',
    '',
    'This is a backup of the configuration and the catalog of Bewaar. On a machine with Bewaar,',
    '`bewaar recover --from LOCATION` does all of it, and asks for the password of the vault. With',
    '[restic](https://restic.net) 0.14 or later alone:',
  ],
  placing: 'Then put the files where they belong:',
  secrets: 'Secrets are not in this backup. The configuration expects them here:',
  end: ['The backups of the projects do not need any of it: each has a `RESTORE.md` of its own.'],
}

const dutch: typeof english = {
  beginning: [
    '# Bewaar zelf terugzetten',
    '',
    'Dit is een back-up van de configuratie en de catalogus van Bewaar. Op een machine met Bewaar doet',
    '`bewaar recover --from LOCATIE` alles, en vraagt om het wachtwoord van de kluis. Met alleen',
    '[restic](https://restic.net) 0.14 of later:',
  ],
  placing: 'Zet de bestanden daarna op hun plaats:',
  secrets: 'Geheimen zitten niet in deze back-up. De configuratie verwacht ze hier:',
  end: ['De back-ups van de projecten hebben dit niet nodig: elk heeft een eigen `RESTORE.md`.'],
}
