import { basename, resolve } from 'node:path'

import { chooseJson, inspectGit, maybeSecret, rawPathOf, type Host, type PlannedSource } from '#sources'
import { composePlan } from './compose-plan.ts'
import { lookThrough, withinProject, type ProjectLook } from './look-through.ts'
import { planServerDatabases, serversOf, type FoundDatabase } from './server-databases.ts'
import type { ProjectContent, ProjectPlan } from './strategy.ts'

/** What a strategy knows of a kind of project that has source code. */
export interface CodeKnowledge {
  /** What tools make again; left out unless the configuration says which files to take. */
  readonly madeAgain: readonly string[]
  /** Where no databases are looked for, whatever is taken. */
  readonly notLookedInto: readonly string[]
  /** Folders of the project that are taken also when the configuration says which files to take. */
  readonly always?: readonly string[]
  /** Which of the JSON files that may hold records are databases. Default: all. */
  readonly isJsonDatabase?: (path: string) => boolean
  /** Databases that the project's own settings name. */
  readonly servers?: readonly FoundDatabase[]
  /** Files of SQLite that the settings name, absolute. */
  readonly sqlite?: readonly string[]
  /** Folders and files that belong to the project and lie elsewhere, each with patterns of what to leave out. */
  readonly elsewhere?: readonly { readonly path: string; readonly leaveOut: readonly string[] }[]
  /** In words, what is not taken besides what patterns leave out. */
  readonly leavesOut?: readonly string[]
  readonly findings?: ProjectPlan['findings']
}

/**
 * The plan for a project with source code: its files, dumps of its databases, its SQLite and JSON databases at their
 * places, settings and keys in `config/`, its git history as a bundle.
 *
 * @throws `source.missing`, `strategy.database-unnamed`, `source.address-invalid`.
 */
export async function planCode(
  project: ProjectContent,
  knowledge: CodeKnowledge,
  host: Host,
  signal?: AbortSignal,
): Promise<ProjectPlan> {
  const path = resolve(project.path)
  const known = project.files ? [] : knowledge.madeAgain
  const look = await lookThrough(
    withSettings({ ...project, path }, knowledge),
    { leaveOut: [...known, ...project.leaveOut], notLookedInto: knowledge.notLookedInto },
    host,
    signal,
  )
  const git = await inspectGit(host, path, signal)
  const databases = await jsonDatabases(path, look, knowledge, host)
  const leaveGitOut = git !== undefined && git.notInBundle.length === 0
  const always = await existing(path, knowledge.always ?? [], host)
  const elsewhere = elsewhereOf(project, knowledge)
  const sources: PlannedSource[] = [
    ...planServerDatabases(path, knowledge.servers ?? [], serversOf(project)),
    {
      kind: 'files',
      options: {
        path,
        ...(project.files && {
          wanted: [...project.files, ...always, ...(git && !leaveGitOut ? ['.git'] : [])],
          besides: withinProject(path, look.sqlite, databases),
        }),
        leaveOut: [...known, ...(leaveGitOut ? ['/.git/'] : []), ...project.leaveOut],
      },
    },
    ...elsewhere.map((one): PlannedSource => ({
      kind: 'files',
      options: { path, wanted: [one.path], leaveOut: [...one.leaveOut, ...project.leaveOut] },
    })),
    { kind: 'sqlite', options: { path, databases: look.sqlite } },
    { kind: 'json', options: { path, databases, counted: true } },
    { kind: 'secrets', options: { path, files: look.secrets } },
  ]
  if (git) sources.push({ kind: 'git', options: { ...git, alsoInFiles: !leaveGitOut } })
  return composePlan(sources, {
    leftOut: look.leftOut,
    leavesOut: knowledge.leavesOut ?? [],
    findings: [...(knowledge.findings ?? []), ...look.findings],
  })
}

/** Settings and keys are taken also when the configuration says which files to take. */
function elsewhereOf({ files }: ProjectContent, { elsewhere = [] }: CodeKnowledge): typeof elsewhere {
  return files ? elsewhere.filter(({ path }) => maybeSecret([rawPathOf(basename(path))]).length > 0) : elsewhere
}

/** With what the settings name, so that it is looked at as if the configuration named it. */
function withSettings(project: ProjectContent, knowledge: CodeKnowledge): ProjectContent {
  const found = (knowledge.sqlite ?? []).map((path) => ({ driver: 'sqlite' as const, path }))
  const folders = elsewhereOf(project, knowledge).map(({ path }) => path)
  return {
    ...project,
    ...((project.files || folders.length > 0) && { files: [...(project.files ?? []), ...folders] }),
    databases: [...found, ...(project.databases ?? [])],
  }
}

async function existing(path: string, folders: readonly string[], host: Host): Promise<string[]> {
  const kinds = await Promise.all(folders.map((folder) => host.kindAt(rawPathOf(`${path}/${folder}`))))
  return folders.filter((_, nth) => kinds[nth] !== undefined)
}

async function jsonDatabases(
  path: string,
  look: ProjectLook,
  { isJsonDatabase = () => true }: CodeKnowledge,
  host: Host,
): Promise<string[]> {
  const chosen = (await chooseJson(host, look.json)).filter(isJsonDatabase)
  const all = [...new Set([...look.configuredJson, ...chosen])].sort()
  return all.filter((database) => !withinProject(path, [database]).some((file) => look.secrets.includes(file)))
}
