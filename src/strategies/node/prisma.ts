import { rawPathOf, type Host } from '#sources'

type Setting = { readonly variable: string } | { readonly text: string }

/** The datasource of a Prisma schema. */
export interface PrismaDatasource {
  /** Relative to the project's folder. */
  readonly file: string
  /** False for SQLite, MongoDB and whatever else is no server that is dumped. */
  readonly isServer: boolean
  readonly url?: Setting
  readonly directUrl?: Setting
  /** All variables of the environment that it names. */
  readonly variables: readonly string[]
}

const places = ['prisma/schema.prisma', 'schema.prisma', 'prisma/schema/schema.prisma', 'db/schema.prisma'] as const

/** Reads a project's Prisma schema; undefined when there is none with a datasource. */
export async function readPrisma(path: string, host: Host): Promise<PrismaDatasource | undefined> {
  for (const file of places) {
    const text = await host.findText(rawPathOf(`${path}/${file}`))
    const datasource = text === undefined ? undefined : readDatasource(text)
    if (datasource) return { file, ...datasource }
  }
  return undefined
}

/** Source: prisma.io/docs, "Prisma schema", datasource. */
export function readDatasource(text: string): Omit<PrismaDatasource, 'file'> | undefined {
  const lines = text.split('\n').map((line) => line.trim())
  const begin = lines.findIndex((line) => /^datasource\s+\w+\s*\{/.test(line))
  if (begin === -1) return undefined
  const length = lines.slice(begin).findIndex((line) => line.startsWith('}'))
  const fields = new Map<string, Setting>()
  for (const line of lines.slice(begin + 1, length === -1 ? undefined : begin + length)) {
    const [, key, variable, literal] = /^(\w+)\s*=\s*(?:env\(\s*"([^"]*)"\s*\)|"([^"]*)")/.exec(line) ?? []
    if (key === undefined) continue
    fields.set(key, variable === undefined ? { text: literal! } : { variable })
  }
  const provider = fields.get('provider')
  const url = fields.get('url')
  const directUrl = fields.get('directUrl')
  return {
    isServer: provider !== undefined && 'text' in provider && /^(?:postgres(?:ql)?|mysql)$/.test(provider.text),
    ...(url && { url }),
    ...(directUrl && { directUrl }),
    variables: [...fields.values()].flatMap((setting) => ('variable' in setting ? [setting.variable] : [])),
  }
}
