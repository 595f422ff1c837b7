import { parentPort, type Transferable } from 'node:worker_threads'

import { AppError } from '#base'
import type { FromWorker, ToWorker } from './messages.ts'

export interface Done<Result> {
  readonly result: Result
  readonly transfer?: Transferable[]
}

/**
 * In a worker thread's script: answers each job that a `WorkerPool` sends, one after the other.
 *
 * @param perform - `tell` sends something before the answer.
 */
export function serveJobs<Job, Result, News = never>(
  perform: (job: Job, tell: (news: News) => void) => Done<Result> | Promise<Done<Result>>,
): void {
  const port = parentPort!
  let last: Promise<void> = Promise.resolve()
  port.on('message', ({ id, job }: ToWorker<Job>) => {
    last = last.then(async () => {
      try {
        const tell = (news: News): void => port.postMessage({ id, news } satisfies FromWorker<Result, News>)
        const { result, transfer } = await perform(job, tell)
        port.postMessage({ id, result } satisfies FromWorker<Result>, transfer ?? [])
      } catch (thrown) {
        port.postMessage(failure(id, thrown))
      }
    })
  })
}

function failure(id: number, thrown: unknown): FromWorker<never> {
  if (!(thrown instanceof AppError)) return { id, thrown }
  const { code, kind, message, hint, facts } = thrown
  return { id, appError: [code, { kind, message, hint }, facts] }
}
