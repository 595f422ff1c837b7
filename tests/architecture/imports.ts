import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Import {
  /** As written: `#engine`, `./seal.ts`, `node:fs`, `zod`. */
  readonly target: string
  /** The file of ours that it leads to, from the root of the project; undefined when it leads outside. */
  readonly file: string | undefined
}

export interface SourceFile {
  /** From the root of the project: `src/engine/mod.ts`. */
  readonly path: string
  /** Without its comments. */
  readonly code: string
  readonly imports: readonly Import[]
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const doors = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { imports: Record<string, string> })
  .imports

/** What stands between quotes is kept, so that `'//'` in a text does not begin a comment. */
const commentOrText = /\/\*[^]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g
const importTargets = [
  /^(?:import|export)\b[\w\s$*,{}]*?\bfrom\s+'([^']+)'/gm,
  /^import\s+'([^']+)'/gm,
  /\bimport\('([^']+)'\)/g,
  /\bimport\.meta\.resolve\('([^']+)'\)/g,
  /\bnew URL\('(\.[^']+\.[jt]s)', import\.meta\.url\)/g,
]
/** A worker's script whose ending is `.ts` in the sources and `.js` in what is built. */
const builtAndUnbuilt = /\bnew URL\(`(\.[^`$]+)\$\{extname\(import\.meta\.url\)\}`/g

/** Reads files of TypeScript and JavaScript, each with what it imports; a worker's script counts as imported. */
export function readSources(patterns: readonly string[]): SourceFile[] {
  return globSync(patterns, { cwd: root, exclude: ['**/node_modules/**'] })
    .toSorted()
    .map((path) => readSource(path, readFileSync(join(root, path), 'utf8')))
}

export function readSource(path: string, text: string): SourceFile {
  const code = text.replace(commentOrText, (part) => (part.startsWith('/') ? '' : part))
  const targets = [
    ...importTargets.flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!)),
    ...[...code.matchAll(builtAndUnbuilt)].map((match) => `${match[1]}.ts`),
  ]
  return { path, code, imports: targets.map((target) => ({ target, file: fileOf(path, target) })) }
}

function fileOf(from: string, target: string): string | undefined {
  if (target.startsWith('#')) return doors[target]?.replace(/^\.\//, '')
  return target.startsWith('.') ? join(dirname(from), target) : undefined
}

/** The files that a door, the program's start or one of their imports leads to; all others serve tests only. */
export function productionFiles(sources: readonly SourceFile[]): ReadonlySet<string> {
  const known = new Map(sources.map((source) => [source.path, source]))
  const reached = new Set<string>()
  const waiting = [...known.keys()].filter((path) => /^src\/[^/]+\/(?:mod|main)\.ts$/.test(path))
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    const source = known.get(path)
    if (source === undefined || reached.has(path)) continue
    reached.add(path)
    waiting.push(...source.imports.flatMap(({ file }) => file ?? []))
  }
  return reached
}
