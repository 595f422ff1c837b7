import { isAbsolute, resolve } from 'node:path'

import type { FileDatabase } from '#model'
import {
  isSqlite,
  kindAt,
  matchPatterns,
  maybeSecret,
  mayBeSqlite,
  mayHoldRecords,
  rawPathOf,
  survey,
  type RawPath,
  type SourceFinding,
} from '#sources'
import type { ProjectContent } from './strategy.ts'

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

/** Looks once through the project's folder, and through folders elsewhere that belong to it. */
export async function lookThrough(
  project: ProjectContent,
  leaveOut: readonly string[],
  signal?: AbortSignal,
): Promise<ProjectLook> {
  const patterns = matchPatterns([...leaveOut])
  const noDatabases = matchPatterns(['.git/'])
  const configured = (project.databases ?? []).flatMap((database) => existing(project, database))
  const named = new Map(configured.flatMap(({ path, driver }) => (path ? [[path, driver] as const] : [])))
  const look = { sqlite: new Set<RawPath>(), json: new Set<RawPath>(), leftOut: new Array<RawPath>() }
  let secrets: readonly RawPath[] = []
  for (const folder of [project.path, ...foldersElsewhere(project)]) {
    const { found, leftOut } = await survey(
      folder,
      (path, kind) => patterns(path, kind) || noDatabases(path, kind),
      questions,
      signal,
    )
    const absolute = (path: RawPath): RawPath => `${rawPathOf(folder).replace(/\/$/, '')}/${path}`
    // Because a database that Bewaar has open itself, as it has its catalog, must not be opened to look at its first bytes.
    const isOne = (path: RawPath): boolean => !named.has(path) && isSqlite(path)
    for (const path of found['sqlite']!.map(absolute).filter(isOne)) look.sqlite.add(path)
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

function existing(
  project: ProjectContent,
  database: { readonly driver: string; readonly path?: string },
): Configured[] {
  const { driver } = database
  if ((driver !== 'sqlite' && driver !== 'json') || database.path === undefined) return []
  const shown = resolve(project.path, database.path)
  if (kindAt(shown) === 'file') return [{ driver, path: rawPathOf(shown) }]
  const text = 'The configuration names it under `databases`, but it is not there, or is no file'
  return [{ driver, finding: { subject: shown, severity: 'warning', text } }]
}

function foldersElsewhere({ path, files }: ProjectContent): string[] {
  const root = resolve(path)
  return (files ?? [])
    .filter((entry) => isAbsolute(entry))
    .map((entry) => resolve(entry))
    .filter((entry) => entry !== root && !entry.startsWith(`${root}/`))
    .filter((entry) => kindAt(entry) === 'dir')
}
