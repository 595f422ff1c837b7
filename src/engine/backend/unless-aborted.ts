/** Waits for `work`, or throws the signal's reason as soon as it is aborted; then nobody waits for `work` any more. */
export async function unlessAborted<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return await work
  const aborted = Promise.withResolvers<never>()
  const stop = (): void => aborted.reject(signal.reason as Error)
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', stop)
    work.catch(() => {}) // because nobody waits for it after an abort
  }
}

/** The same for a stream: each item is waited for, and the stream is told to end when its consumer stops. */
export async function* streamUnlessAborted<T>(
  stream: AsyncIterable<T>,
  signal?: AbortSignal,
): AsyncGenerator<T, void, void> {
  const items = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await unlessAborted(items.next(), signal)
      if (next.done) return
      yield next.value
    }
  } finally {
    // because a stream that waits for the other side ends only when that has answered
    items.return?.().catch(() => {})
  }
}
