import { collect } from '#base'

/** Globals of a server are some lines for each role; more than this is something else. */
const largestGlobals = 64 * 1024 * 1024

/**
 * Statements of a file of roles and rights, as our dumps hold them: each ends at the end of a line, strings and names double
 * the quotes in them. Lines of comments, and commands of clients, are left out.
 *
 * @throws RangeError for a file that is too large to be one.
 */
export async function statementsOf(globals: AsyncIterable<Uint8Array>): Promise<string[]> {
  const text = Buffer.from(await collect(globals)).toString()
  if (text.length > largestGlobals) throw new RangeError('a file of roles is no larger than 64 MiB')
  const statements: string[] = []
  let begun = ''
  for (const line of text.split('\n')) {
    if (begun === '' && /^(?:--|\\|\s*$)/.test(line)) continue
    begun = begun === '' ? line : `${begun}\n${line}`
    if (!begun.endsWith(';') || !isBalanced(begun)) continue
    statements.push(begun.slice(0, -1))
    begun = ''
  }
  return statements
}

function isBalanced(statement: string): boolean {
  let open = ''
  for (const char of statement) {
    if (open === '' && /['"`]/.test(char)) open = char
    else if (char === open) open = ''
  }
  return open === ''
}
