import type { Language, Project } from '#model'
import { placeOf, rawPathOf, shownPath, type RawPath } from '#sources'
import type { ProjectPlan } from './strategy.ts'

/** What RESTORE.md tells about. The same facts give the same text, so that it is stored once. */
export interface RestoreFacts {
  readonly language: Language
  readonly project: string
  readonly title: string
  /** Where the project was on its machine. */
  readonly path: string
  /** Places of the repositories that hold it, the one that was written to first; no credentials. */
  readonly repositories: readonly string[]
  /** Paths in the snapshot of the databases that have a place of their own in it. */
  readonly sqlite: readonly string[]
  readonly json: readonly string[]
  readonly hasConfig: boolean
  readonly hasGitBundle: boolean
  readonly hasPatch: boolean
  /** Folders and files that lay elsewhere, absolute; they are under `files/+…`. */
  readonly elsewhere: readonly string[]
}

/**
 * The facts of one project's snapshot.
 *
 * @param parts - what the plan's sources gave; only their places count.
 */
export function restoreFactsOf(
  { name, title, path }: Pick<Project, 'name' | 'title' | 'path'>,
  { sources }: ProjectPlan,
  parts: readonly { readonly at: string }[],
): Omit<RestoreFacts, 'language' | 'repositories'> {
  const places = parts.map(({ at }) => at)
  const place = (database: RawPath): string => shownPath(placeOf(rawPathOf(path), database))
  return {
    project: name,
    title,
    path,
    sqlite: sources.flatMap(({ kind, options }) => (kind === 'sqlite' ? options.databases.map(place) : [])),
    json: sources.flatMap(({ kind, options }) =>
      kind === 'json' && options.counted ? options.databases.map(place) : [],
    ),
    hasConfig: places.includes('config'),
    hasGitBundle: places.includes('git/repository.bundle'),
    hasPatch: places.includes('git/uncommitted.patch'),
    elsewhere: places.flatMap((at) => (at.startsWith('files/+') ? [`/${at.slice('files/+'.length)}`] : [])),
  }
}

/** The instructions beside every backup: how to bring it back with nothing but restic, git and sqlite3. */
export function restoreInstructions(facts: RestoreFacts): string {
  const write = { nl: inDutch, en: inEnglish }[facts.language]
  return `${write(facts, commandsOf(facts)).join('\n').trimEnd()}\n`
}

interface Commands {
  readonly fetch: string[]
  readonly sums: string[]
  readonly place: string[]
  readonly config: string[]
  readonly elsewhere: string[]
  readonly clone: string[]
  readonly git: string[]
  readonly sqlite: string[]
}

const target = '/tmp/restored'

function commandsOf({ project, path, repositories, sqlite, elsewhere }: RestoreFacts): Commands {
  const home = quoted(path)
  return {
    fetch: block([
      `export RESTIC_REPOSITORY=${quoted(repositories[0] ?? '')}`,
      `restic snapshots --tag ${quoted(`project:${project}`)}`,
      'restic check --read-data',
      `restic restore latest --tag ${quoted(`project:${project}`)} --target ${target}`,
    ]),
    sums: block([
      `cd ${target}`,
      `awk -F'"' '/"path":/ {path = $4} /"sha256":/ {print $4 "  " path}' manifest.json | sha256sum --check`,
    ]),
    place: block([`mkdir -p ${home}`, `rsync -aHAX --numeric-ids --exclude='/+*' ${target}/files/ ${home}/`]),
    config: block([`rsync -aHAX --numeric-ids ${target}/config/ ${home}/`]),
    elsewhere: block(
      elsewhere.map(
        (outside) =>
          `rsync -aHAX --numeric-ids ${quoted(`${target}/files/+${outside.slice(1)}`)} ${quoted(parentOf(outside))}`,
      ),
    ),
    clone: block([`git clone --mirror ${target}/git/repository.bundle ${project}.git`]),
    git: block([
      `git -C ${home} init`,
      `git -C ${home} fetch --update-head-ok ${target}/git/repository.bundle '+refs/*:refs/*'`,
      `cp ${target}/git/HEAD ${home}/.git/HEAD`,
      `git -C ${home} reset`,
      `cp ${target}/git/config ${home}/.git/config`,
    ]),
    sqlite: block(sqlite.map((database) => `sqlite3 ${quoted(`${target}/${database}`)} 'PRAGMA integrity_check'`)),
  }
}

function inEnglish(facts: RestoreFacts, commands: Commands): string[] {
  const { title, path, repositories, elsewhere, json } = facts
  return [
    `# How to restore ${title}`,
    '',
    'This backup is a snapshot in a restic repository, format 2. No other program is needed to read it than',
    '[restic](https://restic.net) 0.14 or later, and the password of the vault. Bewaar does the same with',
    `\`bewaar restore --project=${facts.project}\`, and checks everything by itself.`,
    '',
    '## 1. Get the files',
    '',
    'The repository is at one of these places:',
    '',
    ...repositories.map((place) => `- \`${place}\``),
    '',
    '`restic snapshots` lists the backups; put the id of one in the place of `latest` to take an older one. Run it as root',
    'to get owners and permissions back. restic asks for the password.',
    '',
    ...commands.fetch,
    '## 2. What there is',
    '',
    `- \`files/\`: the project's folder, which was \`${path}\``,
    ...elsewhere.map((outside) => `- \`files/+${outside.slice(1)}\`: was \`${outside}\``),
    ...(facts.hasConfig ? ['- `config/`: settings, keys and certificates of the same folder'] : []),
    ...(facts.hasGitBundle
      ? ['- `git/repository.bundle`: the whole git history; `git/config`, `git/hooks/`: its settings']
      : []),
    ...(facts.hasPatch
      ? ['- `git/uncommitted.patch`: what was not committed; `files/` holds these changes already']
      : []),
    '- `manifest.json`: what this is, with the SHA-256 of each database and dump, and the rows of each table',
    '',
    '## 3. Check the sums',
    '',
    ...commands.sums,
    '## 4. Put the files back',
    '',
    'Stop the application first.',
    '',
    ...commands.place,
    ...(facts.hasConfig ? ['Settings and keys belong into the same folder:', '', ...commands.config] : []),
    ...(elsewhere.length > 0 ? ['What lay elsewhere:', '', ...commands.elsewhere] : []),
    ...(facts.sqlite.length > 0
      ? [
          '## 5. SQLite databases',
          '',
          'They lie at their places in `files/` and need no loading. Each was copied between two transactions; remove `-wal`,',
          '`-shm` and `-journal` files of another time that lie beside them. To examine them:',
          '',
          ...commands.sqlite,
        ]
      : []),
    ...(json.length > 0
      ? [
          '## JSON databases',
          '',
          'They lie at their places in `files/`:',
          '',
          ...json.map((file) => `- \`${file}\``),
          '',
        ]
      : []),
    ...(facts.hasGitBundle
      ? [
          '## Git',
          '',
          'To look at the history only:',
          '',
          ...commands.clone,
          'To make the restored folder a repository again (what was not committed shows as changes):',
          '',
          ...commands.git,
        ]
      : []),
  ]
}

function inDutch(facts: RestoreFacts, commands: Commands): string[] {
  const { title, path, repositories, elsewhere, json } = facts
  return [
    `# ${title} terugzetten`,
    '',
    'Deze back-up is een snapshot in een restic-repository, formaat 2. Er is geen ander programma voor nodig dan',
    '[restic](https://restic.net) 0.14 of later, en het wachtwoord van de kluis. Bewaar doet hetzelfde met',
    `\`bewaar restore --project=${facts.project}\`, en controleert daarbij alles zelf.`,
    '',
    '## 1. De bestanden ophalen',
    '',
    'De repository staat op een van deze plaatsen:',
    '',
    ...repositories.map((place) => `- \`${place}\``),
    '',
    '`restic snapshots` toont de back-ups; zet het nummer van een ervan op de plaats van `latest` om een oudere te nemen.',
    'Doe dit als root om eigenaren en rechten terug te krijgen. restic vraagt om het wachtwoord.',
    '',
    ...commands.fetch,
    '## 2. Wat erin zit',
    '',
    `- \`files/\`: de map van het project, die \`${path}\` was`,
    ...elsewhere.map((outside) => `- \`files/+${outside.slice(1)}\`: was \`${outside}\``),
    ...(facts.hasConfig ? ['- `config/`: instellingen, sleutels en certificaten uit dezelfde map'] : []),
    ...(facts.hasGitBundle
      ? ['- `git/repository.bundle`: de hele git-geschiedenis; `git/config`, `git/hooks/`: de instellingen ervan']
      : []),
    ...(facts.hasPatch
      ? ['- `git/uncommitted.patch`: wat niet was vastgelegd; `files/` bevat deze wijzigingen al']
      : []),
    '- `manifest.json`: wat dit is, met de SHA-256 van elke database en dump, en de rijen van elke tabel',
    '',
    '## 3. De controlegetallen nagaan',
    '',
    ...commands.sums,
    '## 4. De bestanden terugzetten',
    '',
    'Stop eerst de applicatie.',
    '',
    ...commands.place,
    ...(facts.hasConfig ? ['Instellingen en sleutels horen in dezelfde map:', '', ...commands.config] : []),
    ...(elsewhere.length > 0 ? ['Wat elders stond:', '', ...commands.elsewhere] : []),
    ...(facts.sqlite.length > 0
      ? [
          '## 5. SQLite-databases',
          '',
          'Ze staan op hun plaats in `files/` en hoeven niet geladen te worden. Elk is gekopieerd tussen twee transacties;',
          'verwijder `-wal`-, `-shm`- en `-journal`-bestanden van een ander moment die ernaast staan. Om ze te onderzoeken:',
          '',
          ...commands.sqlite,
        ]
      : []),
    ...(json.length > 0
      ? ['## JSON-databases', '', 'Ze staan op hun plaats in `files/`:', '', ...json.map((file) => `- \`${file}\``), '']
      : []),
    ...(facts.hasGitBundle
      ? [
          '## Git',
          '',
          'Om alleen de geschiedenis te bekijken:',
          '',
          ...commands.clone,
          'Om van de teruggezette map weer een repository te maken (wat niet was vastgelegd verschijnt als wijziging):',
          '',
          ...commands.git,
        ]
      : []),
  ]
}

function block(lines: readonly string[]): string[] {
  return ['```sh', ...lines, '```', '']
}

/** As one word for a shell. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}
