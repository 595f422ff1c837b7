/**
 * Writes docs/reference from what the program is made of: the tables of errors, the table of commands, the schema of the
 * configuration, and the migrations of the catalog. With `--check` only says which pages are out of date.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'

import { catalogPage } from './docs/catalog-page.ts'
import { cliPage } from './docs/cli-page.ts'
import { configurationPage, configurationSchemaFile } from './docs/configuration-page.ts'
import { errorsPage } from './docs/errors-page.ts'

const pages: Readonly<Record<string, () => Promise<string> | string>> = {
  'catalog.md': catalogPage,
  'cli.md': cliPage,
  'configuration.md': configurationPage,
  'configuration.schema.json': configurationSchemaFile,
  'errors.md': errorsPage,
}

const folder = new URL('../docs/reference/', import.meta.url)
const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } })

for (const [name, write] of Object.entries(pages)) {
  const text = await write()
  if (options.check) compare(name, text)
  else store(name, text)
}

function store(name: string, text: string): void {
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(name, folder), text)
}

function compare(name: string, text: string): void {
  if (text === read(name)) return
  console.error(`docs/reference/${name} is out of date: run \`npm run docs\``)
  process.exitCode = 1
}

function read(name: string): string | undefined {
  try {
    return readFileSync(new URL(name, folder), 'utf8')
  } catch {
    return undefined
  }
}
