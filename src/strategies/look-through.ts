import { isAbsolute, resolve } from 'node:path'

import type { FileDatabase } from '#model'
import {
  isSqlite,
  matchPatterns,
  maybeSecret,
  mayBeSqlite,
  mayHoldRecords,
  rawPathOf,
  survey,
  type Host,
  type RawPath,
  type SourceFinding,
} from '#sources'
import type { ProjectContent, ServerDatabase } from './strategy.ts'

/** What lies in a project. Paths are absolute unless they say otherwise. */
export interface ProjectLook {
  readonly sqlite: readonly RawPath[]
  /** JSON files that may hold records, by their names. */
  readonly json: readonly RawPath[]
  /** JSON files that the configuration names. */
  readonly configuredJson: readonly RawPath[]
  /** Settings, keys, certificates; relative to the project's folder. */
  readonly secrets: readonly RawPath[]
  /** Folders that a pattern leaves out. */
  readonly leftOut: readonly RawPath[]
  readonly findings: readonly SourceFinding[]
}

const questions = { sqlite: mayBeSqlite, json: mayHoldRecords, secrets: maybeSecret }

/** Patterns of what is left out, and of what is taken without a look into it. */
export interface LookPatterns {
  readonly leaveOut: readonly string[]
  readonly notLookedInto?: readonly string[]
}

/** Looks once through the project's folder, and through folders elsewhere that belong to it. */
export async function lookThrough(
  project: ProjectContent,
  { leaveOut, notLookedInto = [] }: LookPatterns,
  host: Host,
  signal?: AbortSignal,
): Promise<ProjectLook> {
  const patterns = matchPatterns(leaveOut)
  const noDatabases = matchPatterns(['.git/', ...notLookedInto])
  const configured = (
    await Promise.all((project.databases ?? []).map((database) => existing(host, project, database)))
  ).flat()
  const named = new Map(configured.flatMap(({ path, driver }) => (path ? [[path, driver] as const] : [])))
  const look = { sqlite: new Set<RawPath>(), json: new Set<RawPath>(), leftOut: new Array<RawPath>() }
  let secrets: readonly RawPath[] = []
  for (const folder of [project.path, ...(await foldersElsewhere(host, project))]) {
    const { found, leftOut } = await survey(
      host,
      folder,
      (path, kind) => patterns(path, kind) || noDatabases(path, kind),
      questions,
      signal,
    )
    const absolute = (path: RawPath): RawPath => `${rawPathOf(folder).replace(/\/$/, '')}/${path}`
    // Because a database that Bewaar has open itself, as it has its catalog, must not be opened to look at its first bytes.
    for (const path of found['sqlite']!.map(absolute)) {
      if (!named.has(path) && (await isSqlite(host, path))) look.sqlite.add(path)
    }
    for (const path of found['json']!.map(absolute)) look.json.add(path)
    look.leftOut.push(...leftOut.filter((path) => patterns(path, 'dir')).map(absolute))
    if (folder === project.path) secrets = found['secrets']!
  }
  for (const [path, driver] of named) if (driver === 'sqlite') look.sqlite.add(path)
  return {
    sqlite: [...look.sqlite].sort(),
    json: [...look.json].filter((path) => !named.has(path)).sort(),
    configuredJson: [...named].flatMap(([path, driver]) => (driver === 'json' ? [path] : [])),
    secrets,
    leftOut: look.leftOut,
    findings: configured.flatMap(({ finding }) => finding ?? []),
  }
}

interface Configured {
  readonly driver: FileDatabase['driver']
  readonly path?: RawPath
  readonly finding?: SourceFinding
}

async function existing(
  host: Host,
  project: ProjectContent,
  database: FileDatabase | ServerDatabase,
): Promise<Configured[]> {
  if (!('path' in database)) return []
  const { driver } = database
  const shown = resolve(project.path, database.path)
  if ((await host.findStatus(rawPathOf(shown)))?.kind === 'file') return [{ driver, path: rawPathOf(shown) }]
  const text = 'The configuration names it under `databases`, but it is not there, or is no file'
  return [{ driver, finding: { subject: shown, severity: 'warning', text } }]
}

async function foldersElsewhere(host: Host, { path, files }: ProjectContent): Promise<string[]> {
  const root = resolve(path)
  const elsewhere = (files ?? [])
    .filter((entry) => isAbsolute(entry))
    .map((entry) => resolve(entry))
    .filter((entry) => entry !== root && !entry.startsWith(`${root}/`))
  const kinds = await Promise.all(elsewhere.map((entry) => host.findStatus(rawPathOf(entry))))
  return elsewhere.filter((_, nth) => kinds[nth]?.kind === 'dir')
}

/** Of absolute paths those in the project's folder, relative to it. */
export function withinProject(project: string, ...lists: readonly (readonly RawPath[])[]): RawPath[] {
  const start = `${rawPathOf(project)}/`
  return lists.flat().flatMap((path) => (path.startsWith(start) ? [path.slice(start.length)] : []))
}
