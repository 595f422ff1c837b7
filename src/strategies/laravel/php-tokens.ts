/** A piece of PHP. Comments, white space and the opening tag are none. */
export interface PhpToken {
  readonly kind: 'name' | 'variable' | 'number' | 'text' | 'sign' | 'end'
  /** As written; of a text what it stands for. */
  readonly text: string
  /** True for a text whose value is only known when the program runs. */
  readonly isOpen?: boolean
  /** From 1. */
  readonly line: number
}

/** PHP that cannot be taken apart, or is not what a settings file has. */
export class PhpTrouble extends Error {
  readonly line: number

  constructor(text: string, line: number) {
    super(text)
    this.line = line
  }
}

const skipped = /(?:[ \t\r\n\v\f]+|\/\/[^\r\n]*|#(?!\[)[^\r\n]*|\/\*(?:[\s\S]*?\*\/|[\s\S]*$))/y
const name = /\\?[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*(?:\\[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)*/y
const variable = /\$[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*/y
const number = /0[xX][0-9a-fA-F_]+|0[bB][01_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)?/y
const sign =
  /<=>|\*\*=|\.\.\.|===|!==|<<=|>>=|\?\?=|\?->|=>|->|::|==|!=|<>|<=|>=|&&|\|\||\?\?|\+\+|--|\+=|-=|\*=|\/=|\.=|%=|&=|\|=|\^=|<<|>>|\*\*|#\[|[-+*/%=<>!.,;:?()[\]{}&|^~@$]/y
const heredoc = /<<<[ \t]*(?:"([A-Za-z_]\w*)"|'([A-Za-z_]\w*)'|([A-Za-z_]\w*))\r?\n/y

/**
 * Takes PHP apart, from its opening tag to its end. Strings are given as their values; one in which PHP would enter
 * variables is `isOpen`.
 *
 * @throws PhpTrouble for what is no PHP.
 *
 * Source: The PHP manual, "Strings" and "Basic syntax".
 */
export function phpTokens(source: string): PhpToken[] {
  const begin = /^\uFEFF?(?:#![^\n]*\n)?\s*<\?php\b/.exec(source)
  if (!begin) throw new PhpTrouble('it does not begin with <?php', 1)
  const tokens: PhpToken[] = []
  let at = begin[0].length
  let line = linesIn(begin[0]) + 1
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const [found] = pattern.exec(source) ?? []
    if (found !== undefined) at += found.length
    return found
  }
  for (;;) {
    for (let blank = take(skipped); blank !== undefined; blank = take(skipped)) line += linesIn(blank)
    if (at >= source.length || source.startsWith('?>', at)) break
    const from = line
    const quote = source[at]!
    if (quote === "'" || quote === '"' || quote === '`') {
      const end = endOfString(source, at, from)
      const inner = source.slice(at + 1, end)
      tokens.push({ kind: 'text', line: from, ...(quote === "'" ? plainText(inner) : richText(inner, quote)) })
      line += linesIn(inner)
      at = end + 1
      continue
    }
    const opening = take(heredoc)
    if (opening !== undefined) {
      const label = /[A-Za-z_]\w*/.exec(opening)![0]
      const closing = new RegExp(`^[ \\t]*${label}\\b`, 'm')
      const found = closing.exec(source.slice(at))
      if (!found) throw new PhpTrouble(`the text that begins with ${label} does not end`, from)
      line += linesIn(opening) + linesIn(source.slice(at, at + found.index))
      at += found.index + found[0].length
      tokens.push({ kind: 'text', text: '', isOpen: true, line: from })
      continue
    }
    const token =
      kindOf('variable', take(variable)) ??
      kindOf('name', take(name)) ??
      kindOf('number', take(number)) ??
      kindOf('sign', take(sign))
    if (!token) throw new PhpTrouble('there is a character that PHP does not know', line)
    tokens.push({ ...token, line })
  }
  tokens.push({ kind: 'end', text: 'the end of the file', line })
  return tokens
}

function kindOf(kind: PhpToken['kind'], text: string | undefined): Pick<PhpToken, 'kind' | 'text'> | undefined {
  return text === undefined ? undefined : { kind, text }
}

function linesIn(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}

function endOfString(source: string, open: number, line: number): number {
  const quote = source[open]!
  for (let at = open + 1; at < source.length; at++) {
    if (source[at] === '\\') at++
    else if (source[at] === quote) return at
  }
  throw new PhpTrouble('a text does not end', line)
}

function plainText(inner: string): { text: string } {
  return { text: inner.replace(/\\([\\'])/g, '$1') }
}

const letters: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', v: '\v', e: '\u001b', f: '\f' }

function richText(inner: string, quote: string): { text: string; isOpen: boolean } {
  const isOpen = quote === '`' || /(?:^|[^\\])(?:\\\\)*(?:\$[A-Za-z_{\u0080-\uffff]|\{\$)/.test(inner)
  const text = inner.replace(
    /\\(?:([\\$"])|([ntrvef])|u\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{1,2})|([0-7]{1,3}))/g,
    (whole, same?: string, letter?: string, point?: string, hex?: string, octal?: string) => {
      if (same !== undefined) return same
      if (letter !== undefined) return letters[letter]!
      const code =
        point === undefined ? parseInt(hex ?? octal!, hex === undefined ? 8 : 16) & 0xff : parseInt(point, 16)
      return code > 0x10ffff ? whole : String.fromCodePoint(code)
    },
  )
  return { text, isOpen }
}
