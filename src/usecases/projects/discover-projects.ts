import { basename, dirname, posix } from 'node:path'

import { AppError } from '#base'
import { ownProject, type Criticality, type ProjectType } from '#model'
import { rawPathOf, shownPath, type Host, type PlannedSource, type RawPath } from '#sources'
import { detectTypes, getStrategy } from '#strategies'

/** A project that was found, and what is proposed for it. */
export interface FoundProject {
  /** Absolute. */
  readonly path: string
  /** Valid, and none twice. */
  readonly name: string
  readonly type: ProjectType
  /** What speaks for the type, for people. */
  readonly reasons: readonly string[]
  /** In words, the databases that a run would take. */
  readonly databases: readonly string[]
  /** In words, what is to be mended before a run is whole. */
  readonly troubles: readonly string[]
  readonly criticality: Criticality
  /** As the configuration writes it. */
  readonly schedule: string
}

/** Where web applications lie on most servers. */
export const commonFolders = ['/var/www', '/srv', '/home', '/opt'] as const

/** How many folders below those given are looked into: `/home/ann/sites/shop`. */
const deepest = 3
/** Folders that are looked into at most, in all. */
const mostFolders = 20_000
/** A type that fits worse is no reason to call a folder a project. */
const leastConfidence = 0.5

const neverEntered: ReadonlySet<string> = new Set([
  'vendor',
  'node_modules',
  'cache',
  'tmp',
  'log',
  'logs',
  'backup',
  'backups',
  'lost+found',
  'cgi-bin',
])

/**
 * Looks for projects below some folders, or where web applications usually lie, and changes nothing. Folders in a found
 * project are not looked into, and links are not followed, but for `current`, as deployments have it.
 *
 * @returns the projects by their paths.
 */
export async function discoverProjects(
  host: Host,
  folders: readonly string[] = [],
  signal?: AbortSignal,
): Promise<FoundProject[]> {
  const found: { path: string; type: ProjectType; reasons: readonly string[] }[] = []
  const roots = folders.length > 0 ? folders.map((folder) => posix.resolve(folder)) : commonFolders
  const waiting = [...new Set(roots)].map((path) => ({ path: rawPathOf(path), depth: 0 }))
  const seen = new Set<RawPath>()
  for (let count = 0; count < mostFolders; count++) {
    const next = waiting.shift()
    if (!next) break
    signal?.throwIfAborted()
    const path = shownPath(next.path)
    if (seen.has(next.path) || rawPathOf(path) !== next.path) continue
    seen.add(next.path)
    const [best] = await detectTypes(path, host)
    if (best && best.type !== 'generic' && best.confidence >= leastConfidence) {
      if (!(await isOurs(path, host))) found.push({ path, type: best.type, reasons: best.reasons })
      continue
    }
    if (next.depth < deepest) {
      const inside = await foldersIn(next.path, host)
      waiting.push(...inside.map((name) => ({ path: `${next.path}/${name}`, depth: next.depth + 1 })))
    }
  }
  const names = new Set<string>([ownProject])
  const projects: FoundProject[] = []
  for (const project of found.sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const look = await lookAt(project.path, project.type, host, signal)
    projects.push({
      ...project,
      ...look,
      name: freeName(project.path, names),
      schedule: scheduleOf(projects.length),
    })
  }
  return projects
}

async function foldersIn(path: RawPath, host: Host): Promise<RawPath[]> {
  const entries = await host.list(path).catch(() => []) // because a folder that nobody may read holds nothing to propose
  const isCurrent = entries.some(({ name, kind }) => name === 'current' && kind === 'symlink')
  if (isCurrent) return ['current']
  return entries
    .filter(({ name, kind }) => kind === 'dir' && !name.startsWith('.') && !neverEntered.has(name))
    .map(({ name }) => name)
    .sort()
}

/** Bewaar itself is a Node.js application. */
async function isOurs(path: string, host: Host): Promise<boolean> {
  const text = await host.findText(rawPathOf(`${path}/package.json`))
  return text !== undefined && /^\s*"name"\s*:\s*"bewaar"/m.test(text)
}

type Look = Pick<FoundProject, 'databases' | 'troubles' | 'criticality'>

async function lookAt(path: string, type: ProjectType, host: Host, signal?: AbortSignal): Promise<Look> {
  try {
    const { sources, findings } = await getStrategy(type).plan({ path, leaveOut: [] }, host, signal)
    const databases = sources.flatMap((source) => databasesOf(source, path))
    const isServer = sources.some(({ kind }) => kind === 'postgresql' || kind === 'mysql')
    return {
      databases,
      troubles: findings.map(({ subject, text }) => `${subject}: ${text}`),
      criticality: isServer ? 'high' : databases.length > 0 ? 'medium' : 'low',
    }
  } catch (thrown) {
    if (!(thrown instanceof AppError)) throw thrown
    return { databases: [], troubles: [`${thrown.message}. ${thrown.hint}`], criticality: 'high' }
  }
}

function databasesOf(source: PlannedSource, path: string): string[] {
  const shown = (file: RawPath): string => shownPath(file).replace(`${path}/`, '')
  switch (source.kind) {
    case 'postgresql':
      return source.options.databases.map(({ name }) => `PostgreSQL ${name}`)
    case 'mysql': {
      const product = source.options.driver === 'mariadb' ? 'MariaDB' : 'MySQL'
      return source.options.databases.map(({ name }) => `${product} ${name}`)
    }
    case 'sqlite':
      return source.options.databases.map((file) => `SQLite ${shown(file)}`)
    case 'json':
      return source.options.counted ? source.options.databases.map((file) => `JSON ${shown(file)}`) : []
    default:
      return []
  }
}

/** Names of folders that say nothing about what is in them. */
const sayNothing =
  /^(?:current|html|htdocs|httpdocs|public_html|public|www|web|app|application|site|src|live|production)$/i

function freeName(path: string, taken: Set<string>): string {
  let folder = path
  while (sayNothing.test(basename(folder)) && dirname(folder) !== '/') folder = dirname(folder)
  const base =
    basename(folder)
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .slice(0, 56)
      .replace(/^-+|-+$/g, '') || 'project'
  for (let count = 1; ; count++) {
    const name = count === 1 ? base : `${base}-${count}`
    if (taken.has(name)) continue
    taken.add(name)
    return name
  }
}

/** From three at night, ten minutes apart, and never after six. */
function scheduleOf(nth: number): string {
  const minutes = 180 + ((nth * 10) % 180)
  return `daily 0${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`
}
