import { longestValue, type DotenvEntry, type DotenvTrouble, type Written } from './entry.ts'

interface Line {
  readonly number: number
  readonly text: string
}

/** The entries of a file; what phpdotenv refuses is a trouble. */
export function* laravelEntries(text: string, troubles: DotenvTrouble[]): Generator<DotenvEntry, void, void> {
  for (const { number, text: line } of laravelLines(text, troubles)) {
    try {
      yield { line: number, ...laravelEntry(line) }
    } catch (thrown) {
      if (!(thrown instanceof Refusal)) throw thrown
      troubles.push({ line: number, text: thrown.message })
    }
  }
}

/** Why a line is refused, on its way out of the parser. */
class Refusal extends Error {}

/** The lines that hold entries, those that belong together joined. */
function* laravelLines(text: string, troubles: DotenvTrouble[]): Generator<Line, void, void> {
  let open: { number: number; lines: string[] } | undefined
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (const [index, single] of lines.entries()) {
    let line: Line = { number: index + 1, text: single }
    if (open) {
      open.lines.push(single)
      if (!isMultilineStop(single, 1)) continue
      line = { number: open.number, text: open.lines.join('\n') }
      open = undefined
    } else if (single.includes('="') && !isMultilineStop(single, 2)) {
      open = { number: index + 1, lines: [single] }
      continue
    }
    const trimmed = trim(line.text)
    if (trimmed !== '' && !trimmed.startsWith('#')) yield line
  }
  if (open) {
    const count = open.lines.length
    const rest = count > 1 ? `, and all ${count} lines from here to the end are lost by it` : ''
    troubles.push({ line: open.number, text: `a missing closing quote${rest}` })
  }
}

/** True when enough quotes that are not escaped stand in the line. */
function isMultilineStop(line: string, quotes: number): boolean {
  if (line === '"') return true
  const plain = line.replaceAll('\\\\', '')
  let found = 0
  for (let at = plain.indexOf('"', 1); at !== -1 && found < quotes; at = plain.indexOf('"', at + 1)) {
    if (plain[at - 1] !== '\\') found++
  }
  return found >= quotes
}

/** As PHP's `trim`. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && trimmed.includes(text[start]!)) start++
  while (end > start && trimmed.includes(text[end - 1]!)) end--
  return text.slice(start, end)
}

const trimmed = ' \n\r\t\0\v'

function laravelEntry(line: string): Omit<DotenvEntry, 'line'> {
  const equals = line.indexOf('=')
  const name = laravelName(equals === -1 ? line : trim(line.slice(0, equals)), equals !== -1)
  if (equals === -1) return { name }
  const value = trim(line.slice(equals + 1))
  return { name, value: laravelWritten(value) }
}

function laravelName(written: string, hasEquals: boolean): string {
  if (written === '' && hasEquals) throw new Refusal('an unexpected equals sign')
  let name = written
  if (name.length > 8 && /^export[ \t\n\v\f\r]/.test(name)) name = name.slice(6).replace(/^[ \t\n\v\f\r]+/, '')
  if (name.length > 2 && /^["']/.test(name) && name.endsWith(name[0]!)) name = name.slice(1, -1)
  if (!/^[\p{Ll}\p{Lu}\p{M}\p{N}_.]+$/u.test(name)) throw new Refusal('not a name of a variable')
  return name
}

type State = 'initial' | 'unquoted' | 'single' | 'double' | 'escape' | 'space' | 'comment'

const escapes: Readonly<Record<string, string>> = { f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

function laravelWritten(value: string): Written {
  const tokens = /[ \t\v\f\r\n]+|[\\'"#$]|[^ \t\v\f\r\n\\'"#$]+/g
  const references: number[] = []
  let text = ''
  let state: State = 'initial'
  const add = (token: string): void => {
    if (token === '$') references.push(text.length)
    text += token
  }
  for (const [token] of value.matchAll(tokens)) {
    const isSpace = /^[ \t\v\f\r\n]/.test(token)
    switch (state) {
      case 'initial':
        if (token === "'") state = 'single'
        else if (token === '"') state = 'double'
        else if (token === '#') state = 'comment'
        else {
          add(token)
          state = 'unquoted'
        }
        break
      case 'unquoted':
        if (token === '#') state = 'comment'
        else if (isSpace) state = 'space'
        else add(token)
        break
      case 'single':
        if (token === "'") state = 'space'
        else text += token
        break
      case 'double':
        if (token === '"') state = 'space'
        else if (token === '\\') state = 'escape'
        else add(token)
        break
      case 'escape':
        if (token === '$' || token === '"' || token === '\\') text += token
        else if (escapes[token[0]!] !== undefined) text += escapes[token[0]!]! + token.slice(1)
        else throw new Refusal('an unexpected escape sequence')
        state = 'double'
        break
      case 'space':
        if (token === '#') state = 'comment'
        else if (!isSpace) throw new Refusal('unexpected whitespace: a value with spaces needs quotes')
        break
      case 'comment':
        break
      default:
        state satisfies never
    }
  }
  if (state === 'single' || state === 'double' || state === 'escape') throw new Refusal('a missing closing quote')
  return { text, references }
}

/** The last reference first, as phpdotenv does: so a reference may be a part of the name of another. Undefined: too long. */
export function resolveFromEnd({ text, references }: Written, values: ReadonlyMap<string, string>): string | undefined {
  const reversed: string[] = []
  let isTooLong = false
  const push = (part: string): void => {
    isTooLong ||= reversed.length + part.length > longestValue
    if (isTooLong) return
    for (let at = part.length - 1; at >= 0; at--) reversed.push(part[at]!)
  }
  let end = text.length
  for (const start of references.toReversed()) {
    push(text.slice(start, end))
    end = start
    if (reversed.at(-2) !== '{') continue
    let from = reversed.length - 3
    while (from >= 0 && /[a-zA-Z0-9_.]/.test(reversed[from]!)) from--
    const value =
      reversed[from] === '}'
        ? values.get(
            reversed
              .slice(from + 1, -2)
              .toReversed()
              .join(''),
          )
        : undefined
    if (value === undefined) continue
    reversed.length = from
    push(value)
  }
  push(text.slice(0, end))
  return isTooLong ? undefined : reversed.toReversed().join('')
}
