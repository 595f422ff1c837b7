import { isNumber, phpFunctions, type PhpSurroundings } from './php-functions.ts'
import { applySign, castTo, combine, entryOf, keyOf, parseNumber } from './php-operators.ts'
import { phpTokens, PhpTrouble, type PhpToken } from './php-tokens.ts'
import { arrayOf, isArray, isIdentical, isTruthy, unknownAt, type PhpArray, type PhpValue } from './php-value.ts'

export interface PhpReading {
  /** What the file returns; unknown when it cannot be told. */
  readonly value: PhpValue
  /** Why nothing could be read of it, or what may be otherwise when it runs. */
  readonly troubles: readonly { readonly line: number; readonly text: string }[]
}

/** A settings file that is longer is none. Characters. */
const longestText = 1 << 18
/** How deep arrays, calls and brackets may lie in each other. */
const deepest = 50
/** Entries that one array may bring into another, so that a file which doubles one again and again ends. */
const mostSpread = 1000

/**
 * Reads what a PHP file returns, without running it: arrays, literals, operators, its own variables, and the functions
 * that settings files call (`env`, `storage_path` …, see `phpFunctions`). Whatever else stands there is unknown, and
 * leaves all around it as it is. Never throws because of what the file holds.
 *
 * Source: The PHP manual, "Operator Precedence" (PHP 8), "Arrays".
 */
export function readPhp(source: string, surroundings: PhpSurroundings): PhpReading {
  if (source.length > longestText) return unreadable(1, 'it is longer than 256 KB')
  try {
    return new Reader(phpTokens(source), surroundings).read()
  } catch (thrown) {
    if (thrown instanceof PhpTrouble) return unreadable(thrown.line, thrown.message)
    throw thrown
  }
}

function unreadable(line: number, text: string): PhpReading {
  return { value: unknownAt(line), troubles: [{ line, text }] }
}

/** Two-sided operators, from loose to tight; those of `fromRight` group from the right. */
const tightness: Readonly<Record<string, number>> = {
  '??': 2,
  '||': 3,
  '&&': 4,
  '==': 5,
  '!=': 5,
  '<>': 5,
  '===': 5,
  '!==': 5,
  '<': 6,
  '<=': 6,
  '>': 6,
  '>=': 6,
  '.': 7,
  '+': 8,
  '-': 8,
  '*': 9,
  '/': 9,
  '%': 9,
}
const ternary = 1

const casts: ReadonlySet<string> = new Set(['int', 'integer', 'bool', 'boolean', 'string', 'array', 'float', 'double'])

/** Words that begin what is never a plain value, or a text of code. */
const codeWords: ReadonlySet<string> = new Set(['fn', 'function', 'static', 'match', 'yield', 'throw', 'include'])

/** A variable of the file, with the variables of the environment that were asked for to make it. */
interface Variable {
  readonly value: PhpValue
  readonly asked: ReadonlySet<string>
}

class Reader {
  readonly #tokens: readonly PhpToken[]
  readonly #surroundings: PhpSurroundings
  readonly #variables = new Map<string, Variable>()
  readonly #troubles: { line: number; text: string }[] = []
  #at = 0
  #depth = 0
  /** The variables of the environment that were asked for since the array in hand began. */
  #asked = new Set<string>()

  constructor(tokens: readonly PhpToken[], surroundings: PhpSurroundings) {
    this.#tokens = tokens
    this.#surroundings = { ...surroundings, asked: (name) => void this.#asked.add(name) }
  }

  read(): PhpReading {
    for (;;) {
      const token = this.#next
      if (token.kind === 'end') throw new PhpTrouble('it returns nothing', token.line)
      if (this.#takes('return')) return { value: this.#returned(), troubles: this.#troubles }
      const after = this.#tokens[this.#at + 1]
      if (token.kind === 'variable' && after?.text === '=' && after.kind === 'sign') {
        this.#at += 2
        this.#asked = new Set()
        const value = this.#value()
        this.#variables.set(token.text, { value, asked: this.#asked })
        this.#skipTo([';'])
        this.#takes(';')
      } else this.#skipStatement()
    }
  }

  #returned(): PhpValue {
    const value = this.#expression(0)
    const { kind, text, line } = this.#next
    if (kind !== 'end' && text !== ';') throw new PhpTrouble(`there is ${text}, which is not understood`, line)
    return value
  }

  get #next(): PhpToken {
    return this.#tokens[this.#at] ?? this.#tokens.at(-1)!
  }

  #takes(text: string): boolean {
    const token = this.#next
    if (token.kind === 'text' || token.text.toLowerCase() !== text) return false
    this.#at++
    return true
  }

  #expect(text: string): void {
    if (!this.#takes(text)) throw new PhpTrouble(`there is ${this.#next.text} instead of ${text}`, this.#next.line)
  }

  /** Passes over what is not understood; what it gave to variables is not known any more. */
  #skipStatement(): void {
    const begin = this.#at
    for (let depth = 0; this.#next.kind !== 'end'; this.#at++) {
      const { kind, text } = this.#next
      if (kind === 'text') continue
      if ('([{'.includes(text) || text === '#[') depth++
      if (')]}'.includes(text)) depth--
      if (depth <= 0 && (text === ';' || text === '}')) break
    }
    if (this.#next.kind !== 'end') this.#at++
    for (const { kind, text, line } of this.#tokens.slice(begin, this.#at)) {
      if (kind === 'variable') this.#variables.set(text, { value: unknownAt(line), asked: new Set() })
      if (kind === 'name' && text === 'return') {
        this.#troubles.push({ line, text: 'here it may return something else, which is not looked at' })
      }
    }
  }

  /** Passes over all up to one of some signs, or the end of what it stands in. */
  #skipTo(stops: readonly string[]): void {
    for (let depth = 0; this.#next.kind !== 'end'; this.#at++) {
      const { kind, text } = this.#next
      if (kind === 'text') continue
      if (depth === 0 && (stops.includes(text) || text === ';' || text === ')' || text === ']' || text === '}')) return
      if (text === '(' || text === '[' || text === '{' || text === '#[') depth++
      else if (text === ')' || text === ']' || text === '}') depth--
    }
  }

  /** An expression, or unknown for one that is not understood; what follows is read on. */
  #value(isKey = false): PhpValue {
    const begin = this.#at
    const depth = this.#depth
    const stops = isKey ? [',', '=>'] : [',']
    try {
      const value = this.#expression(0)
      if ([...stops, ';', ')', ']', 'the end of the file'].includes(this.#next.text)) return value
    } catch (thrown) {
      if (!(thrown instanceof PhpTrouble)) throw thrown
    }
    this.#at = begin
    this.#depth = depth
    const { line, text } = this.#next
    this.#skipTo(codeWords.has(text.toLowerCase()) ? [','] : stops)
    return unknownAt(line)
  }

  #expression(loosest: number): PhpValue {
    const { line } = this.#next
    if (++this.#depth > deepest) throw new PhpTrouble('it is nested too deeply', line)
    let left = this.#operand()
    for (;;) {
      const { kind, text } = this.#next
      if (kind !== 'sign') break
      if (text === '?' && loosest <= ternary) {
        this.#at++
        left = this.#choice(left, line)
        continue
      }
      const tight = tightness[text]
      if (tight === undefined || tight < loosest) break
      this.#at++
      const right = this.#expression(text === '??' ? tight : tight + 1)
      left = combine(text, left, right, line)
    }
    this.#depth--
    return left
  }

  #choice(condition: PhpValue, line: number): PhpValue {
    const truth = isTruthy(condition)
    if (this.#takes(':')) {
      const otherwise = this.#expression(ternary + 1)
      return truth === undefined ? unknownAt(line) : truth ? condition : otherwise
    }
    const then = this.#expression(0)
    this.#expect(':')
    const otherwise = this.#expression(ternary + 1)
    if (truth !== undefined) return truth ? then : otherwise
    return isIdentical(then, otherwise) === true ? then : unknownAt(line)
  }

  #operand(): PhpValue {
    const { kind, text, line } = this.#next
    if (kind === 'sign' && (text === '!' || text === '-' || text === '+' || text === '@')) {
      this.#at++
      if (++this.#depth > deepest) throw new PhpTrouble('it is nested too deeply', line)
      const value = this.#operand()
      this.#depth--
      return applySign(text, value, line)
    }
    if (text === '(' && kind === 'sign') {
      const cast = this.#tokens[this.#at + 1]!
      if (cast.kind === 'name' && casts.has(cast.text.toLowerCase()) && this.#tokens[this.#at + 2]?.text === ')') {
        this.#at += 3
        if (++this.#depth > deepest) throw new PhpTrouble('it is nested too deeply', line)
        const value = this.#operand()
        this.#depth--
        return castTo(cast.text.toLowerCase(), value, line)
      }
    }
    return this.#followed(this.#primary())
  }

  #primary(): PhpValue {
    const token = this.#next
    const { kind, text, line } = token
    this.#at++
    switch (kind) {
      case 'text':
        return token.isOpen === true ? unknownAt(line) : text
      case 'number':
        return parseNumber(text)
      case 'variable':
        return this.#valueOf(text, line)
      case 'name':
        return this.#named(text, line)
      case 'sign':
        if (text === '[') return this.#array(']')
        if (text === '(') {
          const value = this.#expression(0)
          this.#expect(')')
          return value
        }
        break
      case 'end':
        break
      default:
        kind satisfies never
    }
    throw new PhpTrouble(`there is ${text} where a value should be`, line)
  }

  #valueOf(variable: string, line: number): PhpValue {
    const found = this.#variables.get(variable)
    for (const name of found?.asked ?? []) this.#asked.add(name)
    return found === undefined ? unknownAt(line) : found.value
  }

  #named(name: string, line: number): PhpValue {
    const word = name.replace(/^\\/, '').toLowerCase()
    const isCall = this.#next.kind === 'sign' && this.#next.text === '('
    if (word === 'array' && isCall) {
      this.#at++
      return this.#array(')')
    }
    if (codeWords.has(word)) throw new PhpTrouble(`there is code: ${word}`, line)
    if (word === 'new') {
      this.#at++
      if (this.#next.text === '(') this.#arguments()
      return unknownAt(line)
    }
    if (isCall) {
      const args = this.#arguments()
      const found = args && phpFunctions.get(word)?.(args, this.#surroundings)
      return found === undefined ? unknownAt(line) : found
    }
    if (this.#next.text === '::') return unknownAt(line)
    switch (word) {
      case 'true':
        return true
      case 'false':
        return false
      case 'null':
        return null
      case '__dir__':
        return this.#surroundings.folder
      case 'directory_separator':
        return '/'
      case 'php_eol':
        return '\n'
      default:
        return unknownAt(line)
    }
  }

  /** What stands behind a value: indices, members, calls. */
  #followed(value: PhpValue): PhpValue {
    let found = value
    for (;;) {
      const { kind, text, line } = this.#next
      if (kind !== 'sign') return found
      if (text === '[') {
        this.#at++
        const key = this.#value()
        this.#expect(']')
        found = entryOf(found, key, line)
      } else if (text === '->' || text === '?->' || text === '::') {
        this.#at += 2
        found = unknownAt(line)
      } else if (text === '(') {
        this.#arguments()
        found = unknownAt(line)
      } else return found
    }
  }

  /** Undefined when some are named or spread. */
  #arguments(): PhpValue[] | undefined {
    this.#expect('(')
    const args: PhpValue[] = []
    let isPlain = true
    while (!this.#takes(')')) {
      if (this.#next.text === '...' || this.#tokens[this.#at + 1]?.text === ':') {
        isPlain = false
        this.#skipTo([','])
      } else args.push(this.#value())
      if (!this.#takes(',') && this.#next.text !== ')') {
        throw new PhpTrouble('a list of arguments does not end', this.#next.line)
      }
    }
    return isPlain ? args : undefined
  }

  #array(close: ')' | ']'): PhpArray {
    const before = this.#asked
    this.#asked = new Set()
    const array = this.#entries(close)
    const variables = this.#asked
    this.#asked = new Set([...before, ...variables])
    return { ...array, variables }
  }

  #entries(close: ')' | ']'): PhpArray {
    const entries = new Map<string, PhpValue>()
    let isPartial = false
    let next = 0
    while (!this.#takes(close)) {
      if (this.#takes('...')) {
        const spread = this.#value()
        if (isArray(spread)) {
          if (spread.entries.size > mostSpread) throw new PhpTrouble('an array grows too long', this.#next.line)
          for (const [key, value] of spread.entries) entries.set(isNumber(key) ? String(next++) : key, value)
          isPartial ||= spread.isPartial
        } else isPartial = true
      } else {
        const first = this.#value(true)
        if (this.#takes('=>')) {
          const key = keyOf(first)
          const value = this.#value()
          if (key === undefined) isPartial = true
          else {
            entries.set(key, value)
            if (isNumber(key)) next = Math.max(next, Number(key) + 1)
          }
        } else entries.set(String(next++), first)
      }
      if (!this.#takes(',') && this.#next.text !== close) {
        throw new PhpTrouble('an array does not end', this.#next.line)
      }
    }
    return arrayOf(entries, isPartial)
  }
}
