import { Worker } from 'node:worker_threads'

/**
 * Runs a script in a thread of its own, because SQLite lets nothing else happen meanwhile.
 *
 * @returns the first message that the thread posts. @throws what it throws; the signal's reason, after which the thread is ended.
 */
export function runThread<Order, Answer>(script: URL, order: Order, signal?: AbortSignal): Promise<Answer> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const worker = new Worker(script, { workerData: order })
    const stop = (): void => void worker.terminate()
    signal?.addEventListener('abort', stop, { once: true })
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => {
      signal?.removeEventListener('abort', stop)
      reject((signal?.aborted ? signal.reason : new Error('the thread ended without an answer')) as Error)
    })
  })
}
