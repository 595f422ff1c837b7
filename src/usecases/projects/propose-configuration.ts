import type { Language } from '#model'
import type { Host } from '#sources'
import { discoverProjects, type FoundProject } from './discover-projects.ts'

/** What a proposed configuration says besides the projects. */
export interface ProposalOptions {
  /** The folder of the vault; absolute. */
  readonly vault: string
  /** The file with the vault's password; absolute, or beside the configuration (`./vault.password`). */
  readonly passwordFile: string
  readonly language?: Language
  readonly timezone?: string
  /** The server that the projects are on, as `on` has it: `ssh://backup@web2`. Absent: this machine. */
  readonly on?: string
}

export interface Proposal {
  readonly projects: readonly FoundProject[]
  /** A `bewaar.yaml` that is valid as it is. */
  readonly text: string
}

/** Looks for projects below some folders (none: where they usually lie) and writes a configuration for them. */
export async function proposeConfiguration(
  host: Host,
  folders: readonly string[],
  options: ProposalOptions,
  signal?: AbortSignal,
): Promise<Proposal> {
  const projects = await discoverProjects(host, folders, signal)
  return { projects, text: writeConfiguration(projects, options) }
}

/** A commented `bewaar.yaml`. The same projects give the same text. */
export function writeConfiguration(projects: readonly FoundProject[], options: ProposalOptions): string {
  const { vault, passwordFile, language, timezone } = options
  const lines = [
    '# The configuration of Bewaar. `bewaar config check` says whether it is right,',
    '# `bewaar run --dry-run` shows what would be taken, and `bewaar config schema` helps editors.',
    '',
    ...(timezone === undefined ? [] : [`timezone: ${scalar(timezone)}`]),
    ...(language === undefined ? [] : [`language: ${language}`, '']),
    'vaults:',
    '  local:',
    `    location: ${scalar(vault)}`,
    '    tier: hot',
    '    # Only its owner may read this file. Keep the password in a second place too: nobody can recover a lost one.',
    `    password: { file: ${scalar(passwordFile)} }`,
    '',
    '  # A second vault elsewhere is what makes it a backup:',
    '  # storage-box:',
    '  #   location: sftp://u123456@u123456.your-storagebox.de:23/./bewaar',
    '  #   identity: { file: /etc/bewaar/storage-box.ed25519 }',
    '  #   known-hosts: /etc/bewaar/known_hosts',
    '  #   tier: archive',
    `  #   password: { file: ${comment(scalar(passwordFile))} }`,
    '',
    ...(projects.length === 0 ? empty : ['projects:', ...projects.flatMap((project) => ofProject(project, options))]),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

const empty = [
  '# No projects were found. One of three lines is enough:',
  '# projects:',
  '#   shop:',
  '#     type: laravel-app        # or laravel-package, node-app, generic',
  '#     path: /var/www/shop',
  '#     schedule: daily 03:00',
]

function ofProject(project: FoundProject, { on }: ProposalOptions): string[] {
  const { name, type, path, reasons, databases, troubles, criticality, schedule } = project
  return [
    `  # ${type}, because of: ${comment(reasons.join(', '))}`,
    ...(databases.length === 0 ? [] : [`  # Databases: ${comment(shortened(databases))}`]),
    ...troubles.map((trouble) => `  # To be mended: ${comment(trouble)}`),
    `  ${name}:`,
    `    type: ${type}`,
    `    path: ${scalar(path)}`,
    ...(on === undefined ? [] : [`    on: ${scalar(on)}`]),
    `    criticality: ${criticality}        # critical, high, medium or low`,
    `    schedule: ${schedule}`,
    '    # files: [storage/app]      # only these, and the databases; without it, all that the type knows',
    '    # keep: { local: { within: 30 days } }',
    '',
  ]
}

const longestList = 8

function shortened(names: readonly string[]): string {
  const more = names.length - longestList
  return names.slice(0, longestList).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

/** As YAML reads it back, and without a reference to the environment in it. */
export function scalar(text: string): string {
  const plain = text.replaceAll('${', () => '$${')
  return /^[A-Za-z/.][\w./:@-]*$/.test(plain) &&
    !/^(?:true|false|null|yes|no|on|off)$/i.test(plain) &&
    !plain.endsWith(':')
    ? plain
    : JSON.stringify(plain).replace(
        /[\u007f-\u009f\u2028\u2029\ufeff]/g,
        (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
      )
}

/** On one line, whatever a name on a disk holds. */
function comment(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')
}
