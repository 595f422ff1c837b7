import { configurationSchema } from '#app'
import { generatedPage, page, tableOf } from './markdown.ts'

/** As much of JSON Schema as the configuration's uses. */
interface Schema {
  readonly type?: string
  readonly description?: string
  readonly enum?: readonly string[]
  readonly const?: string
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: Schema | boolean
  readonly required?: readonly string[]
  readonly examples?: readonly unknown[]
  readonly $ref?: string
}

/** For editors. */
export function configurationSchemaFile(): string {
  return `${JSON.stringify(configurationSchema(), null, 2)}\n`
}

/** Every key of the configuration, section by section. */
export function configurationPage(): string {
  return page([...generatedPage('The configuration', introduction), ...section('', configurationSchema())])
}

const introduction = `One YAML file. The first that is there is taken: \`--config FILE\`, \`$BEWAAR_CONFIG\`, \`./bewaar.yaml\`,
\`$XDG_CONFIG_HOME/bewaar/bewaar.yaml\`, \`/etc/bewaar/bewaar.yaml\`. Files in \`bewaar.d/*.yaml\` beside it add projects.
\`\${NAME}\` takes an environment variable. An unknown key is an error. \`bewaar config check\` says whether a file is right, and
[configuration.schema.json](configuration.schema.json) tells an editor what may stand in it.

A secret is never written in the file: it is \`{ env: NAME }\`, \`{ file: /path }\` (refused when others can read it),
\`{ command: [program, argument] }\` or \`{ credential: name }\` (of systemd).`

/** A table of the keys of `schema`, then those of the maps and lists below them. */
function section(path: string, schema: Schema): string[] {
  const entries = Object.entries(schema.properties ?? {})
  const rows = entries.map(([key, value]) => [
    `\`${key}\`${schema.required?.includes(key) ? ' (required)' : ''}`,
    kindOf(value),
    [value.description ?? '', example(value)].filter(Boolean).join('. '),
  ])
  const title = path === '' ? [] : [`## ${path}`, '']
  return [
    ...title,
    ...tableOf(['key', 'value', 'meaning'], rows),
    ...entries.flatMap(([key, value]) => below(path === '' ? key : `${path}.${key}`, value)),
  ]
}

function below(path: string, schema: Schema): string[] {
  const named = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
  if (named?.properties) return section(`${path}.NAME`, named)
  if (schema.items?.properties) return section(`${path}[]`, schema.items)
  return schema.properties ? section(path, schema) : []
}

function kindOf(schema: Schema): string {
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return [...new Set(choices.map(kindOf))].join(' or ')
  if (schema.const !== undefined) return `\`${schema.const}\``
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ')
  if (schema.type === 'array') return schema.items ? `list of ${kindOf(schema.items)}` : 'list'
  if (schema.type !== 'object') return schema.type === 'string' ? 'text' : (schema.type ?? 'any')
  const keys = Object.keys(schema.properties ?? {})
  return keys.length === 1 ? `\`{ ${keys[0]}: … }\`` : 'map'
}

function example({ examples }: Schema): string {
  const [first] = examples ?? []
  return first === undefined ? '' : `Example: \`${typeof first === 'string' ? first : JSON.stringify(first)}\``
}
