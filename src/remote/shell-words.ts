/**
 * One word for a POSIX shell: whatever it holds reaches the program as one argument, byte for byte.
 *
 * @param word - each byte one character (latin1); bytes beyond ASCII are written as `printf` escapes, because an
 * argument list of ours could not carry those that are not UTF-8.
 * @throws RangeError for a zero byte, which no argument can hold.
 */
export function shellWord(word: string): string {
  if (word.includes('\0')) throw new RangeError('an argument cannot hold a zero byte')
  if (/^[\w@%+=:,./-]+$/.test(word)) return word
  return word
    .split(/([\u0080-\u00ff]+)/)
    .map((run, nth) => (nth % 2 === 1 ? printed(run) : run === '' && word !== '' ? '' : quoted(run)))
    .join('')
}

/** An argument: text, or bytes. */
export type Argument = string | Uint8Array

/** The same for text or bytes. */
export function shellArgument(argument: Argument): string {
  return shellWord(Buffer.from(argument).toString('latin1'))
}

/** A command with its arguments. */
export function shellCommand(program: string, args: readonly Argument[]): string {
  return [program, ...args].map(shellArgument).join(' ')
}

function quoted(run: string): string {
  return `'${run.replaceAll("'", String.raw`'\''`)}'`
}

/** No run holds a newline, which the substitution would lose at its end. */
function printed(run: string): string {
  const escapes = Array.from(run, (byte) => `\\${byte.charCodeAt(0).toString(8).padStart(3, '0')}`)
  return `"$(printf '${escapes.join('')}')"`
}
