import { styleText } from 'node:util'

import { AppError } from '#base'
import { printable } from './terminal.ts'

const report = 'This is a fault of Bewaar. Please report it with the lines above.'

/** An error for people: what happened, what to do now, the code. A bug comes with its stack instead. */
export function renderError(error: unknown, options: { readonly colour: boolean; readonly verbose: boolean }): string {
  const red = (text: string): string => (options.colour ? styleText('red', text, { validateStream: false }) : text)
  if (!(error instanceof AppError)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `${red(printable(stack))}\n${report}\n(bug)\n`
  }
  const causes = options.verbose ? causesOf(error).map((cause) => `  because: ${printable(cause)}\n`) : []
  return `${red(printable(error.message))}\n${causes.join('')}${printable(error.hint)}\n(${error.code})\n`
}

/** The same for programs. */
export function errorToJson(error: unknown): { error: { code: string; message: string; hint: string } } {
  if (error instanceof AppError) {
    return { error: { code: error.code, message: error.message, hint: error.hint } }
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
  return { error: { code: 'bug', message, hint: report } }
}

function causesOf(error: Error): string[] {
  const causes: string[] = []
  for (let cause = error.cause; cause instanceof Error && causes.length < 5; cause = cause.cause) {
    causes.push(cause.message)
  }
  return causes
}
