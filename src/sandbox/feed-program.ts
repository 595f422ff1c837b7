import { startDuplex, subprocessError, type ProgramOptions } from '#base'

/**
 * Runs a program with a stream as its standard input, and waits until it has read and done all. What it writes is not wanted.
 *
 * @throws `program.missing`; `program.failed` with the end of standard error; what the stream throws.
 */
export async function feedProgram(
  { program, args }: { readonly program: string; readonly args: readonly string[] },
  options: Omit<ProgramOptions, 'input'>,
  input: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<void> {
  await using child = startDuplex(program, args, options, signal)
  const drained = drain(child.output)
  let hasEnded = false
  void child.ended.then(() => (hasEnded = true))
  for await (const bytes of input) {
    if (hasEnded) break // because it stopped at what it could not do, and says so by how it ended
    await child.write(bytes)
  }
  child.closeInput()
  await drained
  const end = await child.ended
  signal?.throwIfAborted()
  if (end.error) throw subprocessError('program.missing', { program }, end.error)
  if (end.code === 0) return
  const outcome = end.signal ? `was ended by ${end.signal}` : `ended with exit code ${end.code}`
  throw subprocessError('program.failed', { program, outcome, stderr: end.stderr.trim() || 'it gave no reason' })
}

async function drain(output: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of output);
}
