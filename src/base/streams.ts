/**
 * Applies `work` to each item, up to `concurrency` at once, and yields the results in the order of the input.
 *
 * Reads at most `concurrency` items ahead of its consumer. When the consumer stops, or one item fails, nothing more
 * is read, and the stream ends only after the work already begun has settled.
 */
export async function* mapInOrder<In, Out>(
  input: AsyncIterable<In> | Iterable<In>,
  work: (item: In) => Promise<Out>,
  concurrency: number,
): AsyncGenerator<Out, void, void> {
  const begun: Promise<Out>[] = []
  try {
    for await (const item of input) {
      const result = work(item)
      result.catch(() => {}) // because a failure is reported when its turn comes, not as an unhandled rejection
      begun.push(result)
      if (begun.length === concurrency) yield await begun.shift()!
    }
    while (begun.length > 0) yield await begun.shift()!
  } finally {
    await Promise.allSettled(begun)
  }
}

/** Joins a stream into one array of bytes, also one whose pieces hold only until the next. Memory: the whole stream. */
export async function collect(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return Buffer.concat(await Array.fromAsync(stream, (piece) => Buffer.from(piece)))
}

/** Resolves when a stream takes more, or takes nothing any more. */
export function untilDrained(stream: Pick<NodeJS.WritableStream, 'on' | 'off'>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}
