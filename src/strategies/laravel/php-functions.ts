import { posix } from 'node:path'

import { laravelValue } from '../dotenv.ts'
import { arrayOf, isArray, isTruthy, textOfValue, valuesOf, type PhpArray, type PhpValue } from './php-value.ts'

/** What a settings file of a Laravel application meets when it is read. */
export interface PhpSurroundings {
  readonly environment: ReadonlyMap<string, string>
  /** Told each variable of the environment that the file asks for. */
  readonly asked?: (name: string) => void
  /** The application's folder, absolute. */
  readonly base: string
  /** The folder of the file that is read, absolute. */
  readonly folder: string
}

type Arguments = readonly (PhpValue | undefined)[]
/** Undefined: nobody knows. */
type PhpFunction = (args: Arguments, surroundings: PhpSurroundings) => PhpValue | undefined

/** Laravel's folders; `LARAVEL_STORAGE_PATH` moves one of them. */
export function storageFolder({ base, environment }: PhpSurroundings): string {
  return environment.get('LARAVEL_STORAGE_PATH') ?? `${base}/storage`
}

/** What settings files call. None of them reads or changes anything. */
export const phpFunctions: ReadonlyMap<string, PhpFunction> = new Map<string, PhpFunction>([
  ['env', ([name, fallback = null], surroundings) => variable(name, fallback, surroundings, laravelValue)],
  ['getenv', ([name], surroundings) => variable(name, false, surroundings, (value) => value)],
  ['base_path', folder(({ base }) => base)],
  ['app_path', folder(({ base }) => `${base}/app`)],
  ['config_path', folder(({ base }) => `${base}/config`)],
  ['database_path', folder(({ base }) => `${base}/database`)],
  ['public_path', folder(({ base }) => `${base}/public`)],
  ['resource_path', folder(({ base }) => `${base}/resources`)],
  ['lang_path', folder(({ base }) => `${base}/lang`)],
  ['storage_path', folder(storageFolder)],
  // The extensions that a connection asks for are there, or the application would not run.
  ['extension_loaded', () => true],
  ['class_exists', () => true],
  ['dirname', ([path]) => text([path], (path) => posix.dirname(path))],
  ['basename', ([path]) => text([path], (path) => posix.basename(path))],
  ['realpath', ([path]) => text([path], (path) => posix.normalize(path))],
  ['trim', trimming(true, true)],
  ['ltrim', trimming(true, false)],
  ['rtrim', trimming(false, true)],
  ['strtolower', ([value]) => text([value], (value) => value.toLowerCase())],
  ['strtoupper', ([value]) => text([value], (value) => value.toUpperCase())],
  [
    'str_replace',
    ([from, to, value]) =>
      text([from, to, value], (from, to, value) => (from === '' ? value : joined(value.split(from), to))),
  ],
  [
    'substr',
    ([value, start, length]) => {
      if (typeof start !== 'number' || !(length === undefined || typeof length === 'number')) return undefined
      return text([value], (value) => {
        const rest = value.slice(start)
        return length === undefined ? rest : rest.slice(0, length < 0 ? Math.max(0, rest.length + length) : length)
      })
    },
  ],
  [
    'explode',
    ([separator, value, limit]) => {
      if (limit !== undefined || separator === '') return undefined
      const parts = text([separator, value], (separator, value) => list(value.split(separator)))
      return parts
    },
  ],
  [
    'implode',
    ([glue, array]) => {
      if (!isArray(array) || array.isPartial) return undefined
      const parts = valuesOf(array).map(textOfValue)
      return parts.includes(undefined) ? undefined : text([glue], (glue) => joined(parts as string[], glue))
    },
  ],
  ['array_merge', (args) => (args.every((one) => isArray(one)) ? merged(args) : undefined)],
  [
    'array_filter',
    ([array, ...more]) => {
      if (!isArray(array)) return undefined
      if (more.length > 0) return { ...array, isPartial: true }
      const kept = [...array.entries].filter(([, value]) => isTruthy(value) !== false)
      return arrayOf(kept, array.isPartial)
    },
  ],
  ['parse_url', ([url, component]) => (component === undefined ? text([url], urlParts) : undefined)],
])

/**
 * Texts and lists that operations make are no longer than this, so that a file which doubles one again and again ends.
 */
export const longestMade = 8192
const mostMerged = 1000

/** As `array_merge`: numbered entries are numbered anew, others replace each other. */
function merged(arrays: readonly PhpArray[]): PhpArray | undefined {
  if (arrays.reduce((sum, { entries }) => sum + entries.size, 0) > mostMerged) return undefined
  const entries = new Map<string, PhpValue>()
  let next = 0
  for (const array of arrays) {
    for (const [key, value] of array.entries) entries.set(isNumber(key) ? String(next++) : key, value)
  }
  return arrayOf(
    entries,
    arrays.some(({ isPartial }) => isPartial),
  )
}

export function isNumber(key: string): boolean {
  return /^(?:0|-?[1-9]\d{0,17})$/.test(key)
}

function variable(
  name: PhpValue | undefined,
  fallback: PhpValue,
  { environment, asked }: PhpSurroundings,
  read: (value: string) => PhpValue,
): PhpValue | undefined {
  if (typeof name !== 'string') return undefined
  asked?.(name)
  const value = environment.get(name)
  return value === undefined ? fallback : read(value)
}

function folder(root: (surroundings: PhpSurroundings) => string): PhpFunction {
  return ([path = ''], surroundings) =>
    text([path], (path) => (path === '' ? root(surroundings) : `${root(surroundings)}/${path.replace(/^\/+/, '')}`))
}

function trimming(atStart: boolean, atEnd: boolean): PhpFunction {
  return ([value, characters = ' \n\r\t\v\0']) =>
    text([value, characters], (value, characters) => {
      if (characters.includes('..')) return undefined
      const isKept = (character: string): boolean => !characters.includes(character)
      const all = value.split('')
      const start = atStart ? all.findIndex(isKept) : 0
      const end = atEnd ? all.findLastIndex(isKept) + 1 : all.length
      return start === -1 ? '' : value.slice(start, end)
    })
}

/** Calls `work` when all arguments can be made text. */
function text(args: Arguments, work: (...texts: string[]) => PhpValue | undefined): PhpValue | undefined {
  const texts = args.map(textOfValue)
  const isKnown = texts.every((one) => one !== undefined && one.length <= longestMade)
  return isKnown ? work(...(texts as string[])) : undefined
}

function joined(parts: readonly string[], glue: string): string | undefined {
  const length = parts.reduce((sum, part) => sum + part.length, glue.length * parts.length)
  return length > longestMade ? undefined : parts.join(glue)
}

function list(values: readonly PhpValue[]): PhpArray {
  return arrayOf(values.map((value, nth) => [String(nth), value] as const))
}

const url =
  /^(?<scheme>[A-Za-z][A-Za-z0-9+.-]*):\/\/(?:(?<user>[^:@/?#]*)(?::(?<pass>[^@/?#]*))?@)?(?<host>\[[^\]]*\]|[^:/?#@]*)(?::(?<port>\d+))?(?<path>\/[^?#]*)?(?:\?(?<query>[^#]*))?(?:#(?<fragment>.*))?$/s

function urlParts(text: string): PhpValue | undefined {
  const groups = url.exec(text)?.groups
  if (!groups) return undefined
  const entries = Object.entries(groups).flatMap(([key, value]): [string, PhpValue][] => {
    if (value === undefined) return []
    return [[key, key === 'port' ? Number(value) : value]]
  })
  return arrayOf(entries)
}
