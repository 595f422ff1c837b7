import { formatLocation, resticName, type Language, type Location } from '#model'

/** One of the vaults that hold a project's repository. */
export interface RepositoryPlace {
  readonly vault: string
  /** Of the repository itself. */
  readonly location: Location
  /** S3: where it does not follow from the endpoint. */
  readonly region?: string
  /** REST: its certificate is of an authority that is not the system's. */
  readonly hasOwnAuthority?: boolean
}

/** What stands in the place of what only the reader has; the same in each language, so that a script can find it. */
const blanks = {
  key: '/path/to/private-key',
  accessKey: 'ACCESS-KEY',
  secretKey: 'SECRET-KEY',
  password: 'PASSWORD-OF-THE-SERVER',
  authority: '/path/to/ca.pem',
} as const

/** How stock restic gets at each of the places, those on this machine first: a heading, a sentence and commands for each. */
export function sayPlaces(places: readonly RepositoryPlace[], language: Language): string[] {
  const isHere = ({ location }: RepositoryPlace): boolean => location.kind === 'local'
  const sorted = [...places.filter(isHere), ...places.filter((place) => !isHere(place))]
  const one = { nl: sayInDutch, en: sayInEnglish }[language]
  const toFill = {
    nl: 'Wat in hoofdletters staat, en `/path/to/…`, vult u zelf in.',
    en: 'What is in capitals, and `/path/to/…`, is yours to fill in.',
  }[language]
  const sections = sorted.flatMap((place) => [
    `### ${place.vault}: \`${resticName(place.location) ?? formatLocation(place.location)}\``,
    '',
    ...one(place),
    '```sh',
    ...commandsFor(place),
    '```',
    '',
  ])
  return sorted.every(isHere) ? sections : [toFill, '', ...sections]
}

function sayInEnglish({ location, hasOwnAuthority }: RepositoryPlace): string[] {
  switch (location.kind) {
    case 'local':
      return []
    case 'sftp':
      return [
        `restic logs in with the system's \`ssh\`. \`${sftpCommand(location)}\` must get in first; it shows the key of the`,
        'server, which you compare. Without a key in a file of its own, leave out the second line.',
        '',
      ]
    case 's3':
      return [
        'restic wants the keys of the bucket; such as may only read are enough, with `--no-lock` after `restic`.',
        '',
      ]
    case 'rest':
      return [
        ...(hasUser(location.url)
          ? [
              'restic wants the user and the password of the server. An older restic does not know these two names, and wants',
              'them in the address: `rest:https://user:password@…`.',
            ]
          : []),
        ...(hasOwnAuthority === true ? ['The certificate is of an own authority, whose PEM file it is told.'] : []),
        '',
      ]
    case 'rest-ssh':
      return [
        `The key that Bewaar logs in with is bound to a command, behind which restic finds no folder (here \`${location.path}\`).`,
        "Give another key the same command with the project's folder at its end, as a line of `authorized_keys` there:",
        `\`restrict,command="rclone serve restic --stdio FOLDER/${location.path}" ssh-ed25519 …\`. Or read the same folder by SFTP,`,
        `with another login: \`${sftpAddress(location)}\`.`,
        '',
      ]
    default:
      return location satisfies never
  }
}

function sayInDutch({ location, hasOwnAuthority }: RepositoryPlace): string[] {
  switch (location.kind) {
    case 'local':
      return []
    case 'sftp':
      return [
        `restic logt in met de \`ssh\` van het systeem. Eerst moet \`${sftpCommand(location)}\` binnenkomen; die toont de sleutel`,
        'van de server, die u vergelijkt. Laat de tweede regel weg als er geen sleutel in een eigen bestand is.',
        '',
      ]
    case 's3':
      return [
        'restic heeft de sleutels van de bucket nodig; die alleen mogen lezen zijn genoeg, met `--no-lock` na `restic`.',
        '',
      ]
    case 'rest':
      return [
        ...(hasUser(location.url)
          ? [
              'restic heeft de gebruiker en het wachtwoord van de server nodig. Een oudere restic kent deze twee namen niet, en wil',
              'ze in het adres: `rest:https://user:password@…`.',
            ]
          : []),
        ...(hasOwnAuthority === true
          ? ['Het certificaat is van een eigen autoriteit; geef het PEM-bestand daarvan.']
          : []),
        '',
      ]
    case 'rest-ssh':
      return [
        `De sleutel waarmee Bewaar inlogt is aan een opdracht gebonden, waarachter restic geen map vindt (hier \`${location.path}\`).`,
        'Geef een andere sleutel dezelfde opdracht met de map van het project erachter, als regel in `authorized_keys` aldaar:',
        `\`restrict,command="rclone serve restic --stdio FOLDER/${location.path}" ssh-ed25519 …\`. Of lees dezelfde map via SFTP,`,
        `met een andere login: \`${sftpAddress(location)}\`.`,
        '',
      ]
    default:
      return location satisfies never
  }
}

function commandsFor({ location, region, hasOwnAuthority }: RepositoryPlace): string[] {
  const repository = (name: string): string => `export RESTIC_REPOSITORY=${quoted(name)}`
  switch (location.kind) {
    case 'local':
      return [repository(location.path)]
    case 'sftp': {
      const ssh = `ssh -i ${blanks.key} ${loginTo(location)} -s sftp`
      return [repository(resticName(location)!), `restic() { command restic -o sftp.command=${quoted(ssh)} "$@"; }`]
    }
    case 's3':
      return [
        repository(resticName(location)!),
        `export AWS_ACCESS_KEY_ID=${blanks.accessKey}`,
        `export AWS_SECRET_ACCESS_KEY=${blanks.secretKey}`,
        ...(region === undefined ? [] : [`export AWS_DEFAULT_REGION=${quoted(region)}`]),
      ]
    case 'rest': {
      const url = new URL(location.url)
      const user = decodeURIComponent(url.username)
      // because restic looks at its environment only when the address has no user
      url.username = ''
      const login = [`export RESTIC_REST_USERNAME=${quoted(user)}`, `export RESTIC_REST_PASSWORD=${blanks.password}`]
      return [
        repository(`rest:${url.href}`),
        ...(user === '' ? [] : login),
        ...(hasOwnAuthority === true ? [`restic() { command restic --cacert ${blanks.authority} "$@"; }`] : []),
      ]
    }
    case 'rest-ssh': {
      const ssh = `ssh -i ${blanks.key} ${loginTo(location)} rclone`
      return [repository('rclone:'), `restic() { command restic -o rclone.program=${quoted(ssh)} "$@"; }`]
    }
    default:
      return location satisfies never
  }
}

function hasUser(url: string): boolean {
  return new URL(url).username !== ''
}

type Login = Location & { kind: 'sftp' | 'rest-ssh' }

function loginTo({ user, host, port }: Login): string {
  return [
    ...(port === undefined ? [] : ['-p', String(port)]),
    ...(user === undefined ? [] : ['-l', quoted(user)]),
    quoted(host.replace(/^\[(.*)\]$/, '$1')),
  ].join(' ')
}

function sftpCommand({ user, host, port }: Login): string {
  const there = `${user === undefined ? '' : `${user}@`}${host}`
  return `sftp ${port === undefined ? '' : `-P ${port} `}${quoted(there)}`
}

function sftpAddress({ user, host, port, path }: Login): string {
  const login = { host, ...(user !== undefined && { user }), ...(port !== undefined && { port }) }
  return resticName({ kind: 'sftp', ...login, path: `./FOLDER/${path}` })!
}

/** As one word for a shell. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
