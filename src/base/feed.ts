import type { DuplexProgram } from './subprocess.ts'

/** What kept a stream from reaching its end. */
export interface FeedFault {
  readonly thrown: unknown
}

/**
 * Gives a stream to a program's standard input, as fast as the program reads it, and closes it when the stream has ended
 * well. When the stream throws, the program is ended before it can take what it has for everything.
 *
 * Pieces must stay as they are after the next was asked for. Never rejects.
 *
 * @returns what the stream threw; undefined when it ended, or the program first.
 */
export async function feedProgram(
  program: DuplexProgram,
  input: AsyncIterable<Uint8Array>,
): Promise<FeedFault | undefined> {
  let hasEnded = false
  void program.ended.then(() => (hasEnded = true))
  try {
    for await (const piece of input) {
      if (hasEnded) return undefined
      await program.write(piece)
    }
    program.closeInput()
    return undefined
  } catch (thrown) {
    program.kill()
    return { thrown }
  }
}

/** True for what comes piece by piece. */
export function isStream(input: string | Uint8Array | AsyncIterable<Uint8Array>): input is AsyncIterable<Uint8Array> {
  return typeof input === 'object' && Symbol.asyncIterator in input
}
