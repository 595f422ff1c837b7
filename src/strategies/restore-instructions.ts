import type { Language, Project } from '#model'
import { placeOf, rawPathOf, shownPath, type PlannedSource, type RawPath } from '#sources'
import { quoted, sayPlaces, type RepositoryPlace } from './repository-places.ts'
import type { ProjectPlan } from './strategy.ts'

/** What RESTORE.md tells about. The same facts give the same text, so that it is stored once. */
export interface RestoreFacts {
  readonly language: Language
  readonly project: string
  readonly title: string
  /** Where the project was on its machine. */
  readonly path: string
  /** The repositories that hold it, the one that was written to first. */
  readonly repositories: readonly RepositoryPlace[]
  /** Paths in the snapshot of the databases that have a place of their own in it. */
  readonly sqlite: readonly string[]
  readonly json: readonly string[]
  readonly servers: readonly DumpedServer[]
  readonly hasConfig: boolean
  readonly hasGitBundle: boolean
  readonly hasPatch: boolean
  /** Folders and files that lay elsewhere, absolute; they are under `files/+…`. */
  readonly elsewhere: readonly string[]
}

/** The dumps of one server; paths are in the snapshot. */
export interface DumpedServer {
  readonly kind: 'postgresql' | 'mysql'
  readonly format: 'plain' | 'custom'
  /** Roles or users with their rights. */
  readonly globals?: string
  readonly databases: readonly { readonly name: string; readonly at: string }[]
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
    servers: sources.flatMap(serverOf),
    hasConfig: places.includes('config'),
    hasGitBundle: places.includes('git/repository.bundle'),
    hasPatch: places.includes('git/uncommitted.patch'),
    elsewhere: places.flatMap((at) => (at.startsWith('files/+') ? [`/${at.slice('files/+'.length)}`] : [])),
  }
}

function serverOf(source: PlannedSource): DumpedServer[] {
  if (source.kind === 'postgresql') {
    const { format, globals, databases } = source.options
    return [{ kind: 'postgresql', format, databases, ...(globals !== undefined && { globals }) }]
  }
  if (source.kind !== 'mysql') return []
  const { grants, databases } = source.options
  return [{ kind: 'mysql', format: 'plain', databases, ...(grants !== undefined && { globals: grants }) }]
}

/** The instructions beside every backup: how to bring it back with nothing but restic, git and the databases' own clients. */
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
  readonly postgresql: string[]
  readonly mysql: string[]
}

const target = '/tmp/restored'

function commandsOf({ project, path, sqlite, servers, elsewhere }: RestoreFacts): Commands {
  const home = quoted(path)
  return {
    fetch: block([
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
    postgresql: block(servers.filter(({ kind }) => kind === 'postgresql').flatMap(loadPostgresql)),
    mysql: block(servers.filter(({ kind }) => kind === 'mysql').flatMap(loadMysql)),
  }
}

/** The shell reads the files, because the server's account may not. */
function loadPostgresql({ format, globals, databases }: DumpedServer): string[] {
  const asServer = 'sudo -u postgres'
  const load = { plain: 'psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1', custom: 'pg_restore --exit-on-error' }[format]
  return [
    ...(globals === undefined
      ? []
      : [`${asServer} psql --no-psqlrc --quiet --dbname=postgres < ${quoted(`${target}/${globals}`)}`]),
    ...databases.flatMap(({ name, at }) => [
      `${asServer} createdb --template=template0 -- ${quoted(name)}`,
      `${asServer} ${load} --dbname=${quoted(connectionTo(name))} < ${quoted(`${target}/${at}`)}`,
    ]),
  ]
}

/** A name that could be taken for more than a name is given as such. */
function connectionTo(name: string): string {
  return /^[\w-]+$/.test(name) ? name : `dbname='${name.replace(/['\\]/g, '\\$&')}'`
}

function loadMysql({ globals, databases }: DumpedServer): string[] {
  const client = 'mariadb --binary-mode --default-character-set=utf8mb4'
  return [
    ...databases.flatMap(({ name, at }) => [
      `mariadb --execute=${quoted(`CREATE DATABASE \`${name.replaceAll('`', '``')}\` CHARACTER SET utf8mb4`)}`,
      `${client} --database=${quoted(name)} < ${quoted(`${target}/${at}`)}`,
    ]),
    ...(globals === undefined ? [] : [`${client} < ${quoted(`${target}/${globals}`)}`]),
  ]
}

function has({ servers }: RestoreFacts, kind: DumpedServer['kind']): boolean {
  return servers.some((server) => server.kind === kind)
}

function inEnglish(facts: RestoreFacts, commands: Commands): string[] {
  const { title, path, repositories, elsewhere, json } = facts
  const one = repositories.length === 1
  return [
    `# How to restore ${title}`,
    '',
    'This backup is a snapshot in a restic repository, format 2. No other program is needed to read it than',
    '[restic](https://restic.net) 0.14 or later, and the password of the vault. Bewaar does the same with',
    `\`bewaar restore --project=${facts.project}\`, and checks everything by itself.`,
    '',
    '## 1. Get the files',
    '',
    one
      ? 'The repository is here. Run these lines, and those after them in the same shell.'
      : 'The repository is at each of these places; one that is farther away may lack the newest backup. Choose one,',
    ...(one ? [] : ['run its lines, and those after all of them in the same shell.']),
    '',
    ...sayPlaces(repositories, 'en'),
    '### Then',
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
    ...(facts.servers.length > 0 ? ['- `database/`: dumps of databases on servers, and their roles or users'] : []),
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
    ...(has(facts, 'postgresql')
      ? [
          '## PostgreSQL',
          '',
          'Needs a server of the same version or a later one (`manifest.json` says which it was, and which extensions it had;',
          'install them first), and its own clients. Roles come first: that one is there already is no error to mind. Each',
          'database is made empty, and loading ends at the first thing that is wrong.',
          '',
          ...commands.postgresql,
        ]
      : []),
    ...(has(facts, 'mysql')
      ? [
          '## MariaDB and MySQL',
          '',
          'Needs a server of the same kind and version or a later one, and its own client: `mysql` in the place of `mariadb`',
          'for MySQL. The users and their rights come last, because they name the databases.',
          '',
          ...commands.mysql,
        ]
      : []),
    ...(facts.sqlite.length > 0
      ? [
          '## SQLite databases',
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
  const one = repositories.length === 1
  return [
    `# ${title} terugzetten`,
    '',
    'Deze back-up is een snapshot in een restic-repository, formaat 2. Er is geen ander programma voor nodig dan',
    '[restic](https://restic.net) 0.14 of later, en het wachtwoord van de kluis. Bewaar doet hetzelfde met',
    `\`bewaar restore --project=${facts.project}\`, en controleert daarbij alles zelf.`,
    '',
    '## 1. De bestanden ophalen',
    '',
    one
      ? 'De repository staat hier. Voer deze regels uit, en die erna in dezelfde shell.'
      : 'De repository staat op elk van deze plaatsen; op een die verder weg is kan de nieuwste back-up ontbreken. Kies er een,',
    ...(one ? [] : ['voer de regels ervan uit, en die na al deze in dezelfde shell.']),
    '',
    ...sayPlaces(repositories, 'nl'),
    '### Daarna',
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
    ...(facts.servers.length > 0 ? ['- `database/`: dumps van databases op servers, en hun rollen of gebruikers'] : []),
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
    ...(has(facts, 'postgresql')
      ? [
          '## PostgreSQL',
          '',
          'Nodig is een server van dezelfde versie of een latere (`manifest.json` zegt welke het was en welke extensies die had;',
          'installeer ze eerst), met de eigen clients. Eerst komen de rollen: dat er een al is, is geen fout die telt. Elke',
          'database wordt leeg gemaakt, en het laden stopt bij het eerste dat niet klopt.',
          '',
          ...commands.postgresql,
        ]
      : []),
    ...(has(facts, 'mysql')
      ? [
          '## MariaDB en MySQL',
          '',
          'Nodig is een server van dezelfde soort en versie of een latere, met de eigen client: `mysql` in plaats van `mariadb`',
          'voor MySQL. De gebruikers en hun rechten komen het laatst, omdat die de databases noemen.',
          '',
          ...commands.mysql,
        ]
      : []),
    ...(facts.sqlite.length > 0
      ? [
          '## SQLite-databases',
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

function parentOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}
