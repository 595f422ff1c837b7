import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml'

export type Path = readonly (string | number)[]

/** Something wrong in a configuration file. */
export interface Problem {
  readonly document: ConfigDocument
  /** Both from 1; a column counts UTF-16 units. */
  readonly line: number
  readonly column: number
  readonly path: Path
  readonly text: string
}

/** A YAML file as plain values, which still knows where each of them stands. */
export interface ConfigDocument {
  /** Absolute. */
  readonly file: string
  /** As messages name it. */
  readonly label: string
  /** Objects without a prototype, arrays, text, numbers, booleans and null; undefined when the file has none. */
  readonly value: unknown
  /** What is wrong with it as YAML. */
  readonly problems: readonly Problem[]
  /** The problem `text` at the key of `path`, or of the nearest part of it that is there. */
  problemAt(path: Path, text: string): Problem
}

/** More nodes than any honest file has: aliases of aliases of aliases end here. */
const mostNodes = 100_000

/**
 * Reads YAML. `${NAME}` in a text is replaced by the environment's variable, and `$${` stands for `${`.
 *
 * Never throws because of what `text` is: all troubles are in `problems`.
 */
export function readDocument(
  file: string,
  label: string,
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): ConfigDocument {
  const lines = new LineCounter()
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false, stringKeys: false })
  const problems: Problem[] = []
  const positions = new Map<string, number>()

  const document = {
    file,
    label,
    value: undefined as unknown,
    problems,
    problemAt(path: Path, what: string): Problem {
      let depth = path.length
      while (depth > 0 && !positions.has(keyOf(path.slice(0, depth)))) depth--
      return at(positions.get(keyOf(path.slice(0, depth))) ?? 0, path, what)
    },
  }
  function at(offset: number, path: Path, what: string): Problem {
    const { line, col } = text === '' ? { line: 1, col: 1 } : lines.linePos(offset)
    return { document, line: Math.max(line, 1), column: Math.max(col, 1), path, text: what }
  }

  // Because what is wrong with YAML makes all that follows look wrong too, only the first trouble is told.
  const [trouble] = [...yaml.errors, ...yaml.warnings].toSorted((a, b) => a.pos[0] - b.pos[0])
  if (trouble) problems.push(at(trouble.pos[0], [], sayTrouble(trouble.code, trouble.message)))
  if (problems.length === 0) {
    const reader = new Reader(yaml, environment, positions, (offset, path, what) =>
      problems.push(at(offset, path, what)),
    )
    document.value = reader.read(yaml.contents, [])
  }
  return document
}

function keyOf(path: Path): string {
  return JSON.stringify(path)
}

function sayTrouble(code: string, message: string): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab cannot indent, use spaces'
    case 'MULTIPLE_DOCS':
      return 'a second document begins here, and a file holds only one'
    default:
      return `this is not YAML: ${message.replace(/\s+/g, ' ')}`
  }
}

/** One pass over the nodes of one file. */
class Reader {
  readonly #yaml: Document
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #positions: Map<string, number>
  readonly #report: (offset: number, path: Path, text: string) => void
  readonly #open = new Set<Node>()
  #nodes = 0

  constructor(
    yaml: Document,
    environment: Readonly<Record<string, string | undefined>>,
    positions: Map<string, number>,
    report: (offset: number, path: Path, text: string) => void,
  ) {
    this.#yaml = yaml
    this.#environment = environment
    this.#positions = positions
    this.#report = report
  }

  read(node: unknown, path: Path): unknown {
    const offset = (node as Node | null)?.range?.[0] ?? 0
    if (!this.#positions.has(keyOf(path))) this.#positions.set(keyOf(path), offset)
    if (++this.#nodes > mostNodes) {
      if (this.#nodes === mostNodes + 1) this.#report(offset, path, 'the aliases of this file multiply without end')
      return undefined
    }
    if (isAlias(node)) return this.#readAlias(node, path, offset)
    if (isScalar(node)) return typeof node.value === 'string' ? this.#fill(node.value, path) : node.value
    if (isSeq(node)) return node.items.map((item, index) => this.read(item, [...path, index]))
    if (isMap(node)) return this.#readMap(node, path)
    return null
  }

  #readAlias(alias: Alias, path: Path, offset: number): unknown {
    const node = alias.resolve(this.#yaml)
    if (!node || this.#open.has(node)) {
      this.#report(
        offset,
        path,
        node ? `*${alias.source} is inside of itself` : `there is no &${alias.source} before it`,
      )
      return undefined
    }
    this.#open.add(node)
    const value = this.read(node, path)
    this.#open.delete(node)
    return value
  }

  #readMap(map: { items: readonly { key: unknown; value: unknown }[] }, path: Path): Record<string, unknown> {
    const value = Object.create(null) as Record<string, unknown>
    for (const pair of map.items) {
      const offset = (pair.key as Node | null)?.range?.[0] ?? 0
      const key = isScalar(pair.key) ? (pair.key.source ?? String(pair.key.value)) : undefined
      if (key === undefined) {
        this.#report(offset, path, 'a key must be a single word')
        continue
      }
      const inner = [...path, key]
      if (key in value) {
        this.#report(offset, inner, 'is there twice')
        continue
      }
      this.#positions.set(keyOf(inner), offset)
      value[key] = this.read(pair.value, inner)
    }
    return value
  }

  #fill(text: string, path: Path): string {
    const offset = this.#positions.get(keyOf(path)) ?? 0
    return text.replace(/\$\$\{|\$\{([^}]*)\}?/g, (found, name: string | undefined) => {
      if (name === undefined) return '${'
      const value = this.#environment[name]
      if (!/^[A-Za-z_]\w*$/.test(name) || !found.endsWith('}')) {
        this.#report(offset, path, `${JSON.stringify(found)} is not the name of a variable, for example \${HOME}`)
      } else if (value === undefined) {
        this.#report(offset, path, `the environment variable ${name} is not set`)
      } else {
        return value
      }
      return found
    })
  }
}
