import { z } from 'zod'

import { nearest } from '#base'
import type { ConfigDocument, Path, Problem } from './document.ts'

/** What a schema found wrong in `document`, in words, with the place of each. */
export function sayIssues(document: ConfigDocument, schema: z.ZodType, error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path as Path
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(schema, path, valueAt(document.value, path))
      return issue.keys.map((key) => document.problemAt([...path, key], sayUnknownKey(key, known)))
    }
    return [document.problemAt(path, withExample(say(issue, valueAt(document.value, path)), schema, path))]
  })
}

function sayUnknownKey(key: string, known: readonly string[]): string {
  const like = nearest(key, known)
  return `is not a known key; ${like ? `did you mean ${like}?` : `known are ${known.join(', ')}`}`
}

function say(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return 'is missing'
      if (value === null) return 'is empty'
      return `must be ${kinds[issue.expected] ?? issue.expected}, not ${kindOf(value)}`
    case 'invalid_value': {
      if (value === undefined || value === null) return value === null ? 'is empty' : 'is missing'
      const values = issue.values.map(String)
      const like = typeof value === 'string' ? nearest(value, values) : undefined
      return `${quote(value)} is none of ${values.join(', ')}${like ? `; did you mean ${like}?` : ''}`
    }
    case 'invalid_union': {
      if (value === undefined || value === null) return value === null ? 'is empty' : 'is missing'
      if (issue.discriminator !== undefined) {
        const drivers = 'options' in issue ? (issue.options ?? []).map(String) : []
        const like = typeof value === 'string' ? nearest(value, drivers) : undefined
        return `${quote(value)} is none of ${drivers.join(', ')}${like ? `; did you mean ${like}?` : ''}`
      }
      return issue.message
    }
    case 'invalid_key':
    case 'invalid_format':
      return `${quote(issue.code === 'invalid_key' ? issue.path.at(-1) : value)} is not a name: it has only lower-case letters, digits and -, and does not begin with -`
    case 'too_small':
      if (issue.origin === 'array') return 'needs at least one entry'
      return issue.origin === 'string' ? 'is empty' : `must be at least ${issue.minimum}`
    case 'too_big':
      return `must be at most ${issue.maximum}`
    default:
      return issue.message
  }
}

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  return typeof value === 'string' ? 'a text' : quote(value)
}

function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 80 ? `${text.slice(0, 77)}…` : text
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((inner, key) => (inner as Record<string | number, unknown> | undefined)?.[key], value)
}

/** Adds the schema's own example, unless the message gives one already. */
function withExample(text: string, schema: z.ZodType, path: Path): string {
  if (/for example|did you mean|\{ env|is none of/.test(text)) return text
  const at = schemaAt(schema, path)
  const example = at && exampleOf(at)
  if (example === undefined) return text
  return `${text}, for example ${typeof example === 'string' ? `"${example}"` : flow(example)}`
}

/** In the flow style of YAML. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  return `{ ${Object.entries(value)
    .map(([key, inner]) => `${key}: ${flow(inner)}`)
    .join(', ')} }`
}

function exampleOf(schema: z.ZodType): unknown {
  for (let at: z.ZodType | undefined = schema; at; at = innerOf(at)) {
    const examples = at.meta()?.['examples']
    if (Array.isArray(examples)) return examples[0]
  }
  return undefined
}

function innerOf(schema: z.ZodType): z.ZodType | undefined {
  if (schema instanceof z.ZodOptional) return schema.unwrap() as z.ZodType
  if (schema instanceof z.ZodPipe) return schema.in as z.ZodType
  return undefined
}

/** The schema that a path leads to; of a choice, the first that knows the key. */
function schemaAt(schema: z.ZodType, path: Path): z.ZodType | undefined {
  let found = [schema]
  for (const key of path) found = found.flatMap((at) => step(at, key))
  return found[0]
}

function step(schema: z.ZodType, key: string | number): z.ZodType[] {
  const inner = innerOf(schema)
  if (inner) return step(inner, key)
  if (schema instanceof z.ZodObject) return key in schema.shape ? [schema.shape[key] as z.ZodType] : []
  if (schema instanceof z.ZodRecord) return [schema.valueType as z.ZodType]
  if (schema instanceof z.ZodArray) return [schema.element as z.ZodType]
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).flatMap((option) => step(option, key))
  return []
}

function keysAt(schema: z.ZodType, path: Path, value: unknown): string[] {
  let found = [schema]
  for (const key of path) found = found.flatMap((at) => step(at, key))
  return [...new Set(found.flatMap((at) => keysOf(at, value)))]
}

function keysOf(schema: z.ZodType, value: unknown): string[] {
  const inner = innerOf(schema)
  if (inner) return keysOf(inner, value)
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape)
  if (schema instanceof z.ZodDiscriminatedUnion) return keysOf(chosenOption(schema, value), value)
  if (schema instanceof z.ZodUnion) return (schema.options as z.ZodType[]).flatMap((option) => keysOf(option, value))
  return []
}

function chosenOption(union: z.ZodDiscriminatedUnion, value: unknown): z.ZodType {
  const key = union.def.discriminator
  const word = (value as Record<string, unknown>)[key]
  const options = union.options as z.ZodObject[]
  return options.find((option) => (option.shape[key] as z.ZodType).safeParse(word).success) ?? options[0]!
}
