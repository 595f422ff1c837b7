import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import type { z } from 'zod'

import { systemCode, textOf, timezoneHere } from '#base'
import type { Configuration } from '#model'
import { buildConfiguration } from './build.ts'
import { crossCheck } from './cross-check.ts'
import { readDocument, type ConfigDocument, type Problem } from './document.ts'
import { configError } from './errors.ts'
import type { Setting } from './locate.ts'
import { sayIssues } from './say-issue.ts'
import { MainFile, ProjectsFile } from './schema.ts'

const longestFile = 1024 * 1024
const mostProblems = 100

/**
 * Reads a configuration: `file` and the `bewaar.d/*.yaml` beside it, in the order of their names.
 *
 * @throws `config.invalid` with every problem, one a line, as `bewaar.yaml:12:5 projects.shop.schedule: …`;
 * `config.unreadable`.
 */
export async function loadConfiguration(
  file: string,
  setting: Setting & { readonly root: boolean },
): Promise<Configuration> {
  const files = [file, ...(await filesBeside(file))]
  const documents = await Promise.all(files.map((one) => loadDocument(one, setting)))
  const main = check(documents[0]!, MainFile)
  const others = documents.slice(1).map((document) => check(document, ProjectsFile))
  const problems = [...main.problems, ...others.flatMap((other) => other.problems), ...crossCheck(documents)]

  if (main.value === undefined || problems.length > 0) throw invalid(documents, problems)
  return buildConfiguration(
    { file, value: main.value },
    others.map(({ value }, index) => ({ file: files[index + 1]!, value: value! })),
    { state: stateFolder(setting), timezone: timezoneHere() },
  )
}

async function filesBeside(file: string): Promise<string[]> {
  const folder = join(dirname(file), 'bewaar.d')
  try {
    const names = await readdir(folder)
    return names
      .filter((name) => name.endsWith('.yaml') && !name.startsWith('.'))
      .sort()
      .map((name) => join(folder, name))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw configError('config.unreadable', { file: folder, reason: textOf(error) }, error)
  }
}

async function loadDocument(file: string, setting: Setting): Promise<ConfigDocument> {
  const near = relative(setting.workingFolder, file)
  const label = near === '' || near.startsWith('..') ? file : near
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (error) {
    const reason = systemCode(error) === 'EISDIR' ? 'it is a folder' : textOf(error)
    throw configError('config.unreadable', { file, reason }, error)
  }
  if (bytes.length > longestFile) throw configError('config.unreadable', { file, reason: 'it is longer than 1 MB' })
  try {
    return readDocument(file, label, new TextDecoder('utf-8', { fatal: true }).decode(bytes), setting.environment)
  } catch (error) {
    if (systemCode(error) !== 'ERR_ENCODING_INVALID_ENCODED_DATA') throw error
    throw configError('config.unreadable', { file, reason: 'it is not UTF-8 text' }, error)
  }
}

function check<T>(document: ConfigDocument, schema: z.ZodType<T>): { value?: T; problems: readonly Problem[] } {
  const { value, problems } = document
  if (problems.some((problem) => problem.path.length === 0)) return { problems }
  if (value === null || value === undefined) {
    return { problems: [...problems, document.problemAt([], `${basename(document.file)} is empty`)] }
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    return { problems: [...problems, document.problemAt([], 'a configuration is a mapping: key: value')] }
  }
  const result = schema.safeParse(value)
  if (result.success) return { value: result.data, problems }
  const known = new Set(problems.map(({ path }) => path.join('.')))
  const issues = sayIssues(document, schema, result.error).filter(({ path }) => !known.has(path.join('.')))
  return { problems: [...problems, ...issues] }
}

function invalid(documents: readonly ConfigDocument[], problems: readonly Problem[]): Error {
  const rank = ({ document }: Problem): number => documents.indexOf(document)
  const lines = [...problems]
    .sort((a, b) => rank(a) - rank(b) || a.line - b.line || a.column - b.column)
    .map(({ document, line, column, path, text }) => {
      const key = path.length > 0 ? `${path.join('.')}: ` : ''
      return `${document.label}:${line}:${column} ${key}${text}`
    })
  const unique = [...new Set(lines)]
  const shown = unique.slice(0, mostProblems)
  if (unique.length > shown.length) shown.push(`… and ${unique.length - shown.length} more`)
  const what = unique.length === 1 ? 'the file' : `these ${unique.length} places`
  return configError('config.invalid', { problems: shown.join('\n'), what })
}

function stateFolder({ environment, home, root }: Setting & { readonly root: boolean }): string {
  if (root) return '/var/lib/bewaar'
  return join(environment['XDG_STATE_HOME'] || join(home, '.local', 'state'), 'bewaar')
}
