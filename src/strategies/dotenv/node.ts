import type { DotenvEntry, Written } from './entry.ts'

/** For the dialect that looks for references itself. */
const everywhere = [0]

/** What does not look like an entry is passed over without a word, as dotenv does. */
export function* nodeEntries(text: string): Generator<DotenvEntry, void, void> {
  const all = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  const start = /[ \t]*(?:export[ \t]+)?([\w.-]+)(?:[ \t]*=|:[ \t])[ \t]*/y
  const unclosed = new Set<string>()
  for (let at = 0, line = 1; at < all.length; line++) {
    start.lastIndex = at
    const name = start.exec(all)?.[1]
    const from = start.lastIndex
    const endOfLine = all.indexOf('\n', name === undefined ? at : from)
    const end = endOfLine === -1 ? all.length : endOfLine
    at = end + 1
    if (name === undefined) continue
    const quote = all[from]
    const isQuote = quote === '"' || quote === "'" || quote === '`'
    const close = isQuote && !unclosed.has(quote) ? closingQuote(all, from) : -1
    if (isQuote && close === -1) unclosed.add(quote) // because no later one is closed either, and each look costs the rest
    if (close === -1) {
      const hash = all.indexOf('#', from)
      const value = all.slice(from, hash !== -1 && hash < end ? hash : end).trim()
      yield { line, name, value: { text: value, references: everywhere } }
      continue
    }
    const inner = all.slice(from + 1, close)
    const value = quote === '"' ? inner.replaceAll('\\n', '\n').replaceAll('\\r', '\r') : inner
    yield { line, name, value: { text: value, references: quote === "'" ? [] : everywhere } }
    line += inner.split('\n').length - 1
    const next = all.indexOf('\n', close)
    at = next === -1 ? all.length : next + 1
  }
}

function closingQuote(text: string, open: number): number {
  const quote = text[open]!
  for (let at = text.indexOf(quote, open + 1); at !== -1; at = text.indexOf(quote, at + 1)) {
    if (text[at - 1] !== '\\') return at
  }
  return -1
}

const nodeReference = /(?<!\\)\$(?:\{([\w.]+)(?::?-([^}]{0,1000}))?\}|([A-Za-z_]\w*))/g

export function resolveEach({ text, references }: Written, values: ReadonlyMap<string, string>): string {
  if (references.length === 0) return text
  return text.replace(
    nodeReference,
    (whole, name: string, fallback?: string, bare?: string) => values.get(name ?? bare!) ?? fallback ?? whole,
  )
}
