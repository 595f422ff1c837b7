import { spawn } from 'node:child_process'

import { defineErrors, systemCode } from './errors.ts'

export const subprocessError = defineErrors({
  'program.missing': {
    kind: 'missing',
    message: 'The program {program} is not installed',
    hint: 'Install {program} and see that it is on the PATH.',
  },
  'program.failed': {
    kind: 'unavailable',
    message: '{program} {outcome}: {stderr}',
    hint: 'Run {program} by hand as the same user to see what it needs.',
  },
})

export interface ProgramOptions {
  readonly cwd?: string
  /** The whole environment of the program. Default: this process's own. */
  readonly env?: NodeJS.ProcessEnv
  /** Bytes for its standard input; none by default. */
  readonly input?: string | Uint8Array
}

/** Bytes of standard error that are kept: the last of them, where programs say why they end. */
const stderrKept = 4096

/**
 * Runs a program with an argument array, never through a shell, and yields its standard output.
 *
 * The stream ends only after the program has ended with exit code 0 and without a signal. It is killed when the
 * consumer stops early or `signal` is aborted.
 *
 * @throws `program.missing`; `program.failed` with the exit code or signal and the end of standard error.
 */
export async function* streamProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  signal?.throwIfAborted()
  const child = spawn(program, args, { cwd: options.cwd, env: options.env, stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (bytes: Buffer) => {
    stderr = (stderr + bytes.toString()).slice(-stderrKept)
  })
  const ended = new Promise<{ code: number | null; signal: string | null; error?: Error }>((resolve) => {
    child.on('error', (error) => resolve({ code: null, signal: null, error }))
    child.on('close', (code, signalName) => resolve({ code, signal: signalName }))
  })
  const kill = (): void => void child.kill('SIGKILL')
  signal?.addEventListener('abort', kill, { once: true })
  child.stdin.on('error', () => {}) // because a program that does not read its input says why by its exit code
  child.stdin.end(options.input ?? '')
  try {
    for await (const bytes of child.stdout) yield bytes as Buffer
    const end = await ended
    signal?.throwIfAborted()
    if (end.error) {
      if (systemCode(end.error) === 'ENOENT') throw subprocessError('program.missing', { program }, end.error)
      throw subprocessError(
        'program.failed',
        { program, outcome: 'did not start', stderr: end.error.message },
        end.error,
      )
    }
    if (end.code !== 0) {
      const outcome = end.signal ? `was ended by ${end.signal}` : `ended with exit code ${end.code}`
      throw subprocessError('program.failed', { program, outcome, stderr: stderr.trim() || 'it gave no reason' })
    }
  } finally {
    signal?.removeEventListener('abort', kill)
    if (child.exitCode === null && child.signalCode === null) kill()
    await ended
  }
}

/** Runs a program and gives its whole standard output as text. @throws as {@link streamProgram}. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProgramOptions = {},
  signal?: AbortSignal,
): Promise<string> {
  return Buffer.concat(await Array.fromAsync(streamProgram(program, args, options, signal))).toString()
}
