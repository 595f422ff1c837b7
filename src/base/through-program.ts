import { feedProgram } from './feed.ts'
import { startDuplex, subprocessError, type ProgramOptions } from './subprocess.ts'

/**
 * Passes a stream through a program, and yields what the program writes. Pieces must stay as they are after the next was
 * asked for.
 *
 * The stream ends only after the program has ended with exit code 0 and without a signal. The program is ended when the
 * consumer stops early, the input fails or `signal` is aborted.
 *
 * @throws what the input throws; `program.missing`; `program.failed` with the end of standard error.
 */
export async function* throughProgram(
  input: AsyncIterable<Uint8Array>,
  program: string,
  args: readonly string[],
  options: Omit<ProgramOptions, 'input'> = {},
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  signal?.throwIfAborted()
  await using child = startDuplex(program, args, options, signal)
  const feeding = feedProgram(child, input)
  yield* child.output
  const { code, signal: name, stderr, error } = await child.ended
  signal?.throwIfAborted()
  if (error) throw subprocessError('program.missing', { program }, error)
  const fault = await feeding
  if (fault) throw fault.thrown
  if (code === 0) return
  const outcome = name ? `was ended by ${name}` : `ended with exit code ${code}`
  throw subprocessError('program.failed', { program, outcome, stderr: stderr.trim() || 'it gave no reason' })
}
