import { longestMade } from './php-functions.ts'
import {
  arrayOf,
  isArray,
  isEqual,
  isIdentical,
  isTruthy,
  isUnknown,
  numberOfValue,
  textOfValue,
  unknownAt,
  type PhpUnknown,
  type PhpValue,
} from './php-value.ts'

export function keyOf(value: PhpValue): string | undefined {
  if (typeof value === 'number') return String(Math.trunc(value))
  return textOfValue(typeof value === 'boolean' ? Number(value) : value)
}

export function entryOf(value: PhpValue, key: PhpValue, line: number): PhpValue {
  const name = keyOf(key)
  if (!isArray(value) || name === undefined) return unknownAt(line)
  return value.entries.get(name) ?? (value.isPartial ? unknownAt(line) : null)
}

export function parseNumber(text: string): number {
  const plain = text.replaceAll('_', '')
  return /^0\d+$/.test(plain) ? parseInt(plain, 8) : Number(plain)
}

export function applySign(sign: string, value: PhpValue, line: number): PhpValue {
  if (sign === '@') return value
  if (sign === '!') return negated(isTruthy(value)) ?? unknownAt(line)
  const number = numberOfValue(value)
  return number === undefined ? unknownAt(line) : sign === '-' ? -number : number
}

function negated(truth: boolean | undefined): boolean | undefined {
  return truth === undefined ? undefined : !truth
}

export function castTo(type: string, value: PhpValue, line: number): PhpValue {
  const unknown: PhpUnknown = unknownAt(line)
  if (isUnknown(value)) return unknown
  switch (type) {
    case 'bool':
    case 'boolean':
      return isTruthy(value) ?? unknown
    case 'string':
      return textOfValue(value) ?? unknown
    case 'array':
      if (isArray(value)) return value
      return arrayOf(value === null ? [] : [['0', value]])
    default: {
      if (isArray(value)) return unknown
      const leading = typeof value === 'string' ? /^\s*[-+]?\d+(?:\.\d+)?/.exec(value)?.[0] : undefined
      const number = numberOfValue(value) ?? Number(leading ?? 0)
      return type.startsWith('int') ? Math.trunc(number) : number
    }
  }
}

export function combine(operator: string, left: PhpValue, right: PhpValue, line: number): PhpValue {
  const found = combined(operator, left, right)
  return found === undefined ? unknownAt(line) : found
}

/** Undefined when nobody knows. */
function combined(operator: string, left: PhpValue, right: PhpValue): PhpValue | undefined {
  switch (operator) {
    case '??':
      return left === null ? right : left
    case '||':
    case '&&': {
      const [a, b] = [isTruthy(left), isTruthy(right)]
      const decisive = operator === '||'
      if (a === decisive || b === decisive) return decisive
      return a === undefined || b === undefined ? undefined : !decisive
    }
    case '==':
      return isEqual(left, right)
    case '!=':
    case '<>':
      return negated(isEqual(left, right))
    case '===':
      return isIdentical(left, right)
    case '!==':
      return negated(isIdentical(left, right))
    case '.': {
      const [a, b] = [textOfValue(left), textOfValue(right)]
      return a === undefined || b === undefined || a.length + b.length > longestMade ? undefined : a + b
    }
    default:
      return calculated(operator, left, right)
  }
}

function calculated(operator: string, left: PhpValue, right: PhpValue): PhpValue | undefined {
  if (operator === '+' && isArray(left) && isArray(right)) {
    return arrayOf([...right.entries, ...left.entries], left.isPartial || right.isPartial)
  }
  const [a, b] = [numberOfValue(left), numberOfValue(right)]
  if (a === undefined || b === undefined) return undefined
  switch (operator) {
    case '<':
      return a < b
    case '<=':
      return a <= b
    case '>':
      return a > b
    case '>=':
      return a >= b
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return b === 0 ? undefined : a / b
    default:
      return Math.trunc(b) === 0 ? undefined : Math.trunc(a) % Math.trunc(b)
  }
}
