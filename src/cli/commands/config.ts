import { describeConfiguration, getProject, type Description } from '#model'
import { defineCommand, option } from '../command.ts'
import { projectName } from '../parsers.ts'

export const config = defineCommand({
  examples: ['bewaar config', 'bewaar config --project=shop', 'bewaar config --json'],
  input: { project: option('--project', projectName, { help: 'only this project, and the vaults that it uses' }) },

  run: async ({ services }, { project }) => {
    const configuration = await services.loadConfiguration()
    return describeConfiguration(configuration, project === undefined ? undefined : getProject(configuration, project))
  },

  render: (description) => linesOf(description, ''),
})

/** In the block style of YAML. */
function linesOf(value: Description, indent: string): string[] {
  if (typeof value !== 'object') return [`${indent}${scalar(value)}`]
  const entries: [string, Description][] = Array.isArray(value)
    ? value.map((one: Description) => ['-', one])
    : Object.entries(value as Record<string, Description>).map(([key, one]) => [`${key}:`, one])
  return entries.flatMap(([key, inner]) => {
    const flat = typeof inner === 'object' ? flow(inner) : scalar(inner)
    if (typeof inner !== 'object' || isShort(inner, flat)) return [`${indent}${key} ${flat}`]
    if (key === '-')
      return linesOf(inner, `${indent}  `).map((line, index) => (index > 0 ? line : `${indent}- ${line.trimStart()}`))
    return [`${indent}${key}`, ...linesOf(inner, `${indent}  `)]
  })
}

function isShort(value: Description, flat: string): boolean {
  const inner = Array.isArray(value) ? (value as readonly Description[]) : Object.values(value as object)
  return inner.every((one) => typeof one !== 'object' || Object.keys(one as object).length === 0) && flat.length < 60
}

function flow(value: Description): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value !== 'object') return scalar(value)
  const inner = Object.entries(value).map(([key, one]) => `${key}: ${flow(one)}`)
  return inner.length > 0 ? `{ ${inner.join(', ')} }` : '{}'
}

function scalar(value: Description): string {
  if (typeof value !== 'string') return JSON.stringify(value)
  const isOther = value.trim() !== value || !Number.isNaN(Number(value)) || /^(true|false|null|yes|no|~)$/i.test(value)
  const isPlain = /^[\p{L}\p{N}/.][^\p{C}{}[\],"'`]*$/u.test(value) && !/: | #|:$/.test(value)
  return isPlain && !isOther ? value : JSON.stringify(value)
}
