import type { EntryKind } from '#engine'
import type { RawPath } from '../raw-path.ts'

/** Says whether a path, relative to the project's folder, is meant by one of some patterns. */
export type PathMatcher = (path: RawPath, kind: EntryKind) => boolean

/**
 * Understands patterns much as `.gitignore` writes them:
 *
 * - `*` any characters but `/`; `?` one byte but `/`; `[abc]`, `[!abc]` one of, none of; `**` any folders
 * - a leading `/` counts from the project's folder; without it the pattern may begin in any folder
 * - a trailing `/` means folders only
 * - what lies below a matching folder matches too, because nobody looks into that folder
 *
 * There is no `!`, and no escape character.
 */
export function matchPatterns(patterns: readonly string[]): PathMatcher {
  const names = new Set<string>()
  const folderNames = new Set<string>()
  const anything: string[] = []
  const folders: string[] = []
  for (const text of patterns) {
    const pattern = Buffer.from(text).toString('latin1')
    const folderOnly = pattern.endsWith('/')
    const body = folderOnly ? pattern.slice(0, -1) : pattern
    if (body === '') continue
    if (!/[/*?[]/.test(body)) (folderOnly ? folderNames : names).add(body)
    else (folderOnly ? folders : anything).push(expressionOf(body))
  }
  const anythingExpression = joined(anything)
  const foldersExpression = joined(folders)
  return (path, kind) => {
    if (anythingExpression?.test(path)) return true
    if (names.size === 0 && kind !== 'dir') return false // because most patterns mean folders, and most entries are files
    const name = path.slice(path.lastIndexOf('/') + 1)
    return names.has(name) || (kind === 'dir' && (folderNames.has(name) || (foldersExpression?.test(path) ?? false)))
  }
}

/** Says whether a path is one of `wanted` (files, folders or patterns from the project's folder), or lies below one. */
export function matchWanted(wanted: readonly string[]): {
  readonly inside: (path: RawPath) => boolean
  /** True for a folder in which something wanted may lie. */
  readonly above: (path: RawPath) => boolean
} {
  const all = wanted.map((text) =>
    Buffer.from(text)
      .toString('latin1')
      .replace(/^\.?\/+|\/+$/g, ''),
  )
  const inside = joined(all.map((pattern) => `${bodyOf(pattern)}(?:/.*)?`))
  const above = joined(all.flatMap(beginnings))
  return { inside: (path) => inside?.test(path) ?? false, above: (path) => above?.test(path) ?? false }
}

/** Expressions for the folders that lead to what a pattern means. */
function beginnings(pattern: RawPath): string[] {
  const parts = pattern.split('/')
  const expressions: string[] = []
  for (let count = 1; count < parts.length; count++) {
    if (parts[count - 1] === '**')
      return [
        ...expressions,
        `${parts
          .slice(0, count - 1)
          .map(bodyOf)
          .join('/')}.*`,
      ]
    expressions.push(parts.slice(0, count).map(bodyOf).join('/'))
  }
  return expressions
}

function joined(expressions: readonly string[]): RegExp | undefined {
  return expressions.length === 0 ? undefined : new RegExp(`^(?:${expressions.join('|')})$`, 's')
}

function expressionOf(pattern: RawPath): string {
  return pattern.startsWith('/') ? bodyOf(pattern.slice(1)) : `(?:.*/)?${bodyOf(pattern)}`
}

const tokens = /\*\*\/|\/\*\*$|\*+|\?|\[(!?)([^\]/]+)\]|[\\^$.|+(){}[\]]/gs

function bodyOf(pattern: RawPath): string {
  return pattern.replace(tokens, (token, not: string | undefined, set: string | undefined) => {
    if (token === '**/') return '(?:.*/)?'
    if (token === '/**') return '/.*'
    if (token.startsWith('*')) return token.length > 1 ? '.*' : '[^/]*'
    if (token === '?') return '[^/]'
    if (set !== undefined) return `[${not ? '^/' : ''}${set.replace(/[\\\]^]/g, '\\$&')}]`
    return `\\${token}`
  })
}
