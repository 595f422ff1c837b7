/**
 * Passes a stream on, and looks after it whenever nothing has come for a while: a server that waits for a lock, or has
 * stopped, says nothing for hours.
 *
 * @param open - begins the stream; aborting its signal must end it.
 * @param onSilence - asked each time that `silenceMs` have passed without a piece, with how often that was so in a row;
 *   what it gives ends the stream as its error.
 */
export async function* withPatience(
  open: (signal: AbortSignal) => AsyncIterable<Uint8Array>,
  onSilence: (times: number) => Promise<Error | undefined>,
  silenceMs: number,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const stop = new AbortController()
  const iterator = open(signal ? AbortSignal.any([signal, stop.signal]) : stop.signal)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await nextOf(iterator, onSilence, silenceMs, stop)
      if (next.done) return
      yield next.value
    }
  } finally {
    await iterator.return?.()
  }
}

async function nextOf(
  iterator: AsyncIterator<Uint8Array>,
  onSilence: (times: number) => Promise<Error | undefined>,
  silenceMs: number,
  stop: AbortController,
): Promise<IteratorResult<Uint8Array>> {
  let times = 0
  let isWaiting = true
  const look = async (): Promise<void> => {
    const error = await onSilence(++times).catch((thrown: Error) => thrown)
    if (!isWaiting) return
    if (error) stop.abort(error)
    else timer = setTimeout(() => void look(), silenceMs)
  }
  let timer = setTimeout(() => void look(), silenceMs)
  try {
    return await iterator.next()
  } finally {
    isWaiting = false
    clearTimeout(timer)
  }
}
