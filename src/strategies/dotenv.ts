import { longestValue, type DotenvTrouble } from './dotenv/entry.ts'
import { laravelEntries, resolveFromEnd } from './dotenv/laravel.ts'
import { nodeEntries, resolveEach } from './dotenv/node.ts'

/** Whose rules a `.env` file follows: vlucas/phpdotenv 5, as Laravel has it, or the dotenv of Node.js programs. */
export type DotenvDialect = 'laravel' | 'node'

export interface DotenvReading {
  readonly values: ReadonlyMap<string, string>
  readonly troubles: readonly DotenvTrouble[]
}

/** A `.env` file that is longer is none. Characters. */
const longestText = 1 << 18

/**
 * Reads a `.env` file. Never throws; what its program would refuse is left out and named in `troubles`.
 *
 * Values are as the program gets them before it makes `true`, `null` and the like of them. References (`${NAME}`) see
 * earlier lines only; one to a name that is not there stays as it is written, because the environment of the program's
 * own process is not known here.
 *
 * The two dialects agree on what people write by hand. They differ in this: for `laravel` a `#` begins a comment also
 * without a space before it, spaces in a value without quotes are an error, and in double quotes all of
 * `\n \r \t \f \v \" \\ \$` are escapes. For `node` backquotes are quotes too, values in any quotes may go over several
 * lines, a value without quotes keeps its spaces, `NAME: value` is allowed, and `\n` and `\r` are the only escapes.
 * References in single quotes stay as they are in both.
 *
 * Source: vlucas/phpdotenv 5.6 (`Lines`, `EntryParser`, `Resolver`); motdotla/dotenv 16 and dotenv-expand.
 */
export function readDotenv(text: string, dialect: DotenvDialect = 'laravel'): DotenvReading {
  if (text.length > longestText) {
    return { values: new Map(), troubles: [{ line: 1, text: 'the file is longer than 256 KB and was not read' }] }
  }
  const troubles: DotenvTrouble[] = []
  const values = new Map<string, string>()
  const entries = dialect === 'laravel' ? laravelEntries(text, troubles) : nodeEntries(text)
  for (const { line, name, value } of entries) {
    if (value === undefined) values.delete(name)
    else {
      const resolved = dialect === 'laravel' ? resolveFromEnd(value, values) : resolveEach(value, values)
      if (resolved !== undefined && resolved.length <= longestValue) values.set(name, resolved)
      else troubles.push({ line, text: `the value of ${name} is longer than 64 KB and was left out` })
    }
  }
  return { values, troubles }
}

/** What Laravel's `env()` gives for a variable. */
export function laravelValue(value: string): string | boolean | null {
  switch (value.toLowerCase()) {
    case 'true':
    case '(true)':
      return true
    case 'false':
    case '(false)':
      return false
    case 'empty':
    case '(empty)':
      return ''
    case 'null':
    case '(null)':
      return null
    default:
      return /^(['"])(.*)\1$/.exec(value)?.[2] ?? value
  }
}
