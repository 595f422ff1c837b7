import type { Readable, Writable } from 'node:stream'

import { systemCode, textOf } from '#base'
import { cliError } from './errors.ts'

/** The three streams of the process. */
export interface Terminal {
  /** Writes to standard output. A reader that has gone away is no error. @throws `cli.output`. */
  out(text: string): Promise<void>
  /** Writes to standard error; what cannot be written is lost. */
  err(text: string): void
  /** Columns of standard output, undefined where it is no terminal. */
  readonly outColumns: number | undefined
  /** Columns of standard error, undefined where it is no terminal. */
  readonly errColumns: number | undefined
  /** Whether a person can answer. Absent: nobody can. */
  readonly canAsk?: boolean
  /** One line typed by a person, undefined where there is none. */
  ask(question: string): Promise<string | undefined>
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
    err: (text) => void stderr.write(text),
    get outColumns() {
      return stdout.isTTY ? (stdout.columns ?? 80) : undefined
    },
    get errColumns() {
      return stderr.isTTY ? (stderr.columns ?? 80) : undefined
    },
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    ask: async (question) => {
      if (!stdin.isTTY || !stderr.isTTY) return undefined
      const { createInterface } = await import('node:readline/promises')
      using lines = createInterface({ input: stdin, output: stderr })
      const closed = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)))
      return Promise.race([lines.question(question), closed])
    },
  }
}

/** A text in which nothing steers a terminal: names of files come from everywhere. Line ends stay. */
export function printable(text: string): string {
  return text.replace(/(?![\t\n])[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.codePointAt(0)!
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`
  })
}
