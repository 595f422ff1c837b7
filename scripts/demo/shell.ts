import { spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { styleText } from 'node:util'

export interface Finished {
  readonly exitCode: number
  readonly seconds: number
  readonly stdout: string
  /** Both streams, in the order in which they came. */
  readonly printed: string
}

/** Runs a program to its end. It is killed when `signal` is aborted. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
  signal: AbortSignal,
): Promise<Finished> {
  const began = performance.now()
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], signal, killSignal: 'SIGTERM' })
  let stdout = ''
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    printed += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const exitCode = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code ?? 1))
  })
  return { exitCode, seconds: (performance.now() - began) / 1000, stdout, printed }
}

export function isProgram(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK)
      return folder !== ''
    } catch {
      return false
    }
  })
}

export function say(text = ''): void {
  process.stdout.write(`${text}\n`)
}

export function heading(text: string): void {
  say(`\n${styleText('bold', text, { stream: process.stdout })}`)
}

/** A line that says whether something held. */
export function verdict(holds: boolean, text: string): void {
  const mark = holds
    ? styleText('green', 'ok', { stream: process.stdout })
    : styleText('red', 'NO', { stream: process.stdout })
  say(`  ${mark}  ${text}`)
}

/** Lines under a command, set apart from it. */
export function sayPrinted(text: string): void {
  for (const line of text.trimEnd().split('\n')) say(line === '' ? '' : `  ${line}`)
}

/** Rows under their titles; numbers and times at the right of their column. */
export function sayTable(titles: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = titles.map((title, index) => Math.max(title.length, ...rows.map((row) => row[index]!.length)))
  for (const row of [titles, ...rows]) {
    say(
      `  ${row
        .map((cell, index) => cell.padEnd(widths[index]!))
        .join('  ')
        .trimEnd()}`,
    )
  }
}
