/** A value of PHP, as far as it can be told without running the program. */
export type PhpValue = string | number | boolean | null | PhpArray | PhpUnknown

/** Keys are text here, also those that PHP has as numbers. */
export interface PhpArray {
  readonly kind: 'array'
  readonly entries: ReadonlyMap<string, PhpValue>
  /** True when it may have more entries than these. */
  readonly isPartial: boolean
  /** The variables of the environment that were asked for where it is written. */
  readonly variables?: ReadonlySet<string>
}

/** What only the running program knows. */
export interface PhpUnknown {
  readonly kind: 'unknown'
  readonly line: number
}

export function unknownAt(line: number): PhpUnknown {
  return { kind: 'unknown', line }
}

export function isUnknown(value: PhpValue | undefined): value is PhpUnknown {
  return typeof value === 'object' && value !== null && value.kind === 'unknown'
}

export function isArray(value: PhpValue | undefined): value is PhpArray {
  return typeof value === 'object' && value !== null && value.kind === 'array'
}

export function arrayOf(entries: Iterable<readonly [string, PhpValue]>, isPartial = false): PhpArray {
  return { kind: 'array', entries: new Map(entries), isPartial }
}

/** The values in their order. */
export function valuesOf(array: PhpArray): PhpValue[] {
  return [...array.entries.values()]
}

/** What lies at some keys inside of each other; undefined where there is nothing. */
export function findIn(value: PhpValue | undefined, ...keys: readonly string[]): PhpValue | undefined {
  let found = value
  for (const key of keys) {
    if (isUnknown(found)) return found
    if (!isArray(found)) return undefined
    found = found.entries.get(key)
  }
  return found
}

/** As PHP makes text of it; undefined where PHP would complain, or nobody knows. */
export function textOfValue(value: PhpValue | undefined): string | undefined {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return String(value)
    case 'boolean':
      return value ? '1' : ''
    default:
      return value === null ? '' : undefined
  }
}

/** Undefined when nobody knows. */
export function isTruthy(value: PhpValue): boolean | undefined {
  if (isUnknown(value)) return undefined
  if (isArray(value)) return value.entries.size > 0 || (value.isPartial ? undefined : false)
  return !(value === null || value === false || value === '' || value === '0' || value === 0)
}

/** As a number, when it is one or looks like one. */
export function numberOfValue(value: PhpValue): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  if (value === null) return 0
  return typeof value === 'string' && /^\s*[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?\s*$/.test(value)
    ? Number(value)
    : undefined
}

/** As `===`; undefined when nobody knows. */
export function isIdentical(a: PhpValue, b: PhpValue): boolean | undefined {
  if (isUnknown(a) || isUnknown(b)) return undefined
  if (isArray(a) && isArray(b)) return undefined
  return a === b
}

/** As `==`; undefined when nobody knows. */
export function isEqual(a: PhpValue, b: PhpValue): boolean | undefined {
  if (isUnknown(a) || isUnknown(b)) return undefined
  if (typeof a === 'boolean' || typeof b === 'boolean' || a === null || b === null) {
    if (typeof a === 'string' || typeof b === 'string') {
      if (a === null) return b === '' || b === false
      if (b === null) return a === '' || a === false
    }
    const truth = [isTruthy(a), isTruthy(b)]
    return truth.includes(undefined) ? undefined : truth[0] === truth[1]
  }
  if (isArray(a) || isArray(b)) return undefined
  const numbers = [numberOfValue(a), numberOfValue(b)]
  return numbers.includes(undefined) ? String(a) === String(b) : numbers[0] === numbers[1]
}

/** Plain JavaScript values, without what is unknown. */
export function plainOf(value: PhpValue): unknown {
  if (!isArray(value)) return isUnknown(value) ? undefined : value
  const isList = [...value.entries.keys()].every((key, nth) => key === String(nth))
  return isList ? valuesOf(value).map(plainOf) : Object.fromEntries([...value.entries].map(([k, v]) => [k, plainOf(v)]))
}
