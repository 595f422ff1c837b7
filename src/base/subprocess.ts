import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'

import { defineErrors, systemCode } from './errors.ts'
import { largeWrites, openLargePipe } from './large-pipe.ts'
import { untilDrained } from './streams.ts'

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
  /** Open files of this process that the program has as its descriptors 3, 4 … */
  readonly descriptors?: readonly number[]
  /**
   * The output comes by a large pipe and through one buffer, which spares much memory and time of a long stream; a piece
   * holds only until the next is asked for.
   */
  readonly isLong?: boolean
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
  using pipe = options.isLong ? openLargePipe() : undefined
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: pipe ? largeWrites(options.env ?? process.env) : options.env,
    stdio: ['pipe', pipe?.theirs ?? 'pipe', 'pipe', ...(options.descriptors ?? [])],
  }) as ChildProcessWithoutNullStreams
  pipe?.closeTheirs()
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
    for await (const bytes of pipe?.pieces() ?? child.stdout) yield bytes as Buffer
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

/** How a program ended. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal: string | null
  /** The last of its standard error. */
  readonly stderr: string
  /** Why it did not start. */
  readonly error?: Error
}

/** A program that is spoken with, both ways at once. It is ended, and waited for, when it is disposed. */
export interface DuplexProgram extends AsyncDisposable {
  /** Its standard output, to be read once. */
  readonly output: AsyncIterable<Uint8Array>
  /** Resolves when the program has room for more. What it does not read before it ends is lost without a word here. */
  write(bytes: Uint8Array): Promise<void>
  closeInput(): void
  /** Never rejects. */
  readonly ended: Promise<ProgramEnd>
  /** Asks it to end, and makes it when it does not. */
  kill(): void
}

/** What a program has to end by itself before it is made to. */
const graceMs = 2000

/** Starts a program with an argument array, never through a shell; it is killed when `signal` is aborted. */
export function startDuplex(
  program: string,
  args: readonly string[],
  options: Omit<ProgramOptions, 'input'> = {},
  signal?: AbortSignal,
): DuplexProgram {
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: ['pipe', 'pipe', 'pipe', ...(options.descriptors ?? [])],
  }) as ChildProcessWithoutNullStreams
  let stderr = ''
  child.stderr.on('data', (bytes: Buffer) => {
    stderr = (stderr + bytes.toString()).slice(-stderrKept)
  })
  child.stdin.on('error', () => {}) // because a program that does not read its input says why by how it ends
  let killed: NodeJS.Timeout | undefined
  const kill = (): void => {
    if (killed || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGTERM')
    killed = setTimeout(() => child.kill('SIGKILL'), graceMs)
  }
  if (signal?.aborted) kill()
  signal?.addEventListener('abort', kill, { once: true })
  const ended = new Promise<ProgramEnd>((resolve) => {
    child.on('error', (error) => resolve({ code: null, signal: null, stderr, error }))
    child.on('close', (code, signalName) => resolve({ code, signal: signalName, stderr }))
  }).finally(() => {
    clearTimeout(killed)
    signal?.removeEventListener('abort', kill)
  })
  child.on('exit', () => {
    // because what it started itself may hold the pipes for ever after it was killed
    if (killed) for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe.destroy()
  })
  return {
    output: readOutput(child.stdout),
    write: (bytes) => written(child.stdin, bytes),
    closeInput: () => void child.stdin.end(),
    ended,
    kill,
    [Symbol.asyncDispose]: async () => {
      kill()
      child.stdout.destroy() // because nobody reads what it may still write
      await ended
    },
  }
}

async function* readOutput(output: ChildProcessWithoutNullStreams['stdout']): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const bytes of output) yield bytes as Buffer
  } catch (thrown) {
    // because one that was killed says so by how it ended
    if (systemCode(thrown) !== 'ERR_STREAM_PREMATURE_CLOSE') throw thrown
  }
}

function written(input: ChildProcessWithoutNullStreams['stdin'], bytes: Uint8Array): Promise<void> {
  if (input.destroyed || input.writableEnded || input.write(bytes)) return Promise.resolve()
  return untilDrained(input)
}
