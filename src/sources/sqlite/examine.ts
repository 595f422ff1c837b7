import { Worker } from 'node:worker_threads'

import type { ExamineAnswer, ExamineOrder } from './examine-thread.ts'

export type { ExamineAnswer, ExamineOrder, SqliteAnswer } from './examine-thread.ts'

/**
 * Looks through a SQLite database that nobody changes, and asks it. In a thread of its own, because SQLite lets nothing else happen
 * meanwhile; nothing is written, also beside it.
 *
 * That it is broken is the result, not an error. @throws the signal's reason.
 */
export function examineSqlite(order: ExamineOrder, signal?: AbortSignal): Promise<ExamineAnswer> {
  const script = new URL(import.meta.resolve('./examine-thread.ts'))
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
