import { Writable, type Readable } from 'node:stream'

import { systemCode, textOf } from '#base'
import { cliError } from './errors.ts'

/** The three streams of the process. */
export interface Terminal {
  /** Writes to standard output. A reader that has gone away is no error. @throws `cli.output`. */
  out(text: string): Promise<void>
  /** Writes bytes there. Absent: there is no place for them. @throws `cli.output`, also when the reader has gone away. */
  outBytes?(bytes: Uint8Array): Promise<void>
  /** Writes to standard error; what cannot be written is lost. */
  err(text: string): void
  /** Columns of standard output, undefined where it is no terminal. */
  readonly outColumns: number | undefined
  /** Columns of standard error, undefined where it is no terminal. */
  readonly errColumns: number | undefined
  /** Whether a person can answer. Absent: nobody can. */
  readonly canAsk?: boolean
  /** One line typed by a person, undefined where there is none. @param isHidden - what is typed is not shown. */
  ask(question: string, isHidden?: boolean): Promise<string | undefined>
}

type Stream<T> = T & { readonly isTTY?: boolean; readonly columns?: number }

export function createTerminal(streams: {
  readonly stdin: Stream<Readable>
  readonly stdout: Stream<Writable>
  readonly stderr: Stream<Writable>
}): Terminal {
  const { stdin, stdout, stderr } = streams
  stdout.on('error', () => {}) // because the callback of the write that failed says what there is to say
  stderr.on('error', () => {}) // because there is no other place to say it
  return {
    out: (text) =>
      new Promise((resolve, reject) => {
        stdout.write(text, (error) => {
          if (!error || systemCode(error) === 'EPIPE') resolve()
          else reject(cliError('cli.output', { reason: textOf(error) }, error))
        })
      }),
    outBytes: (bytes) =>
      new Promise((resolve, reject) => {
        stdout.write(bytes, (error) => {
          if (error) reject(cliError('cli.output', { reason: textOf(error) }, error))
          else resolve()
        })
      }),
    err: (text) => void stderr.write(text),
    get outColumns() {
      return stdout.isTTY ? (stdout.columns ?? 80) : undefined
    },
    get errColumns() {
      return stderr.isTTY ? (stderr.columns ?? 80) : undefined
    },
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    ask: async (question, isHidden = false) => {
      if (!stdin.isTTY || !stderr.isTTY) return undefined
      const { createInterface } = await import('node:readline/promises')
      if (isHidden) stderr.write(question)
      // because what is typed is shown by whoever has an output to show it on
      const output = isHidden ? silence() : stderr
      using lines = createInterface({ input: stdin, output, terminal: true })
      const closed = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)))
      const answer = await Promise.race([lines.question(isHidden ? '' : question), closed])
      if (isHidden) stderr.write('\n')
      return answer
    },
  }
}

function silence(): Writable {
  return new Writable({ write: (_bytes, _encoding, done) => done() })
}

/** A text in which nothing steers a terminal: names of files come from everywhere. Line ends stay. */
export function printable(text: string): string {
  return text.replace(/(?![\t\n])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.codePointAt(0)!
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}
