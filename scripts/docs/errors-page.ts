import { globSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { AppError, type ErrorEntry, type ErrorKind } from '#base'
import { exitCodeOf } from '#cli'
import { generatedPage, page, tableOf } from './markdown.ts'

type Table = Readonly<Record<string, ErrorEntry>>

const root = fileURLToPath(new URL('../..', import.meta.url))

const kinds: Readonly<Record<ErrorKind, readonly [meaning: string, again: string]>> = {
  invalid: ['what was asked cannot be right', 'no'],
  missing: ['it is not there', 'no'],
  conflict: ['it is there already, or changed meanwhile', 'no'],
  locked: ['somebody else works on it', 'when the lock ends'],
  denied: ['not allowed, or a wrong password', 'no'],
  unavailable: ['the other side does not answer', 'yes'],
  damaged: ['bytes are not what they must be', 'no'],
  cancelled: ['somebody stopped it', 'no'],
}

/** Every error that Bewaar can give, from the table of each room. */
export async function errorsPage(): Promise<string> {
  const errors = await readTables()
  const groups = Map.groupBy(errors, ([code]) => code.split('.')[0]!)
  return page([
    ...generatedPage('Errors', introduction),
    ...tableOf(
      ['kind', 'meaning', 'worth trying again', 'exit code'],
      Object.entries(kinds).map(([kind, [meaning, again]]) => [kind, meaning, again, exitCode('', kind as ErrorKind)]),
    ),
    ...[...groups].flatMap(([group, entries]) => [
      `## ${group}`,
      '',
      ...entries.flatMap(([code, entry]) => [
        `### \`${code}\``,
        '',
        `${entry.kind}, exit code ${exitCode(code, entry.kind)}`,
        '',
        `> ${withBlanks(entry.message)}`,
        '>',
        `> ${withBlanks(entry.hint)}`,
        '',
      ]),
    ]),
  ])
}

const introduction = `An error has a code that never changes its meaning, a kind that decides what the program does, one sentence about
what happened, and one about what to do. Words in \`{braces}\` are filled in. With \`--json\` an error is
\`{"error":{"code","message","hint"}}\` on standard error. Some codes keep an exit code of their own, as in restic.`

async function readTables(): Promise<[string, ErrorEntry][]> {
  const files = globSync('src/**/*.ts', { cwd: root, exclude: ['**/*.test.ts'] }).filter((file) =>
    readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8').includes('= defineErrors('),
  )
  const found = new Map<string, ErrorEntry>()
  for (const file of files) {
    const module = (await import(new URL(`../../${file}`, import.meta.url).href)) as Record<string, unknown>
    for (const [code, entry] of Object.values(module).filter(hasTable).flatMap(({ table }) => Object.entries(table))) {
      if (found.has(code)) throw new Error(`${code} stands in two tables, one of them in ${file}`)
      found.set(code, entry)
    }
  }
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function hasTable(exported: unknown): exported is { readonly table: Table } {
  return typeof exported === 'function' && 'table' in exported
}

function exitCode(code: string, kind: ErrorKind): string {
  return String(exitCodeOf(new AppError(code, { kind, message: '', hint: '' }, {})))
}

/** So that a reader sees where the facts go, and Markdown leaves them alone. */
function withBlanks(text: string): string {
  return text.replace(/\{\w+\}/g, '`$&`').replaceAll('<', '&lt;')
}
