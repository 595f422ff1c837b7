import { Worker } from 'node:worker_threads'

import { AppError } from '#base'
import type { FromWorker, ToWorker } from './messages.ts'

interface Waiting<Result, News> {
  readonly resolve: (result: Result) => void
  readonly reject: (reason: unknown) => void
  readonly onNews: ((news: News) => void) | undefined
}

interface Member<Result, News> {
  readonly worker: Worker
  readonly waiting: Map<number, Waiting<Result, News>>
}

/**
 * A fixed number of worker threads that run one script, which serves jobs with `serveJobs`.
 *
 * Jobs of one worker begin in the order they were sent. A worker that dies fails the jobs it held and all later ones.
 * Disposing ends the threads at once, whatever they are doing.
 */
export class WorkerPool<Job, Result, News = never> implements AsyncDisposable {
  readonly #members: Member<Result, News>[]
  #nextJob = 0
  #lastPicked = 0
  #broken: unknown

  /** @param setup - what each worker's script gets before its first job; cloned for each of them. */
  constructor(
    script: URL,
    options: {
      readonly size: number
      readonly setup: (worker: number) => unknown
      /** Megabytes of each thread's young objects; the less, the sooner memory of short-lived buffers is used again. */
      readonly youngMegabytes?: number
    },
  ) {
    this.#members = Array.from({ length: options.size }, (_, index) => {
      const resourceLimits = options.youngMegabytes ? { maxYoungGenerationSizeMb: options.youngMegabytes } : {}
      const worker = new Worker(script, { workerData: options.setup(index), resourceLimits })
      const member: Member<Result, News> = { worker, waiting: new Map() }
      worker.on('message', (message: FromWorker<Result, News>) => this.#settle(member, message))
      worker.on('error', (error) => this.#fail(error))
      worker.on('exit', (code) => {
        if (member.waiting.size > 0) this.#fail(new Error(`a worker thread ended with exit code ${code}`))
      })
      worker.unref()
      return member
    })
  }

  get size(): number {
    return this.#members.length
  }

  /** Jobs that were sent to `worker` and have not come back. */
  outstanding(worker: number): number {
    return this.#members[worker]!.waiting.size
  }

  /** The worker with the fewest outstanding jobs; of equal ones the one that was named longest ago. */
  idlest(): number {
    let best = (this.#lastPicked + 1) % this.size
    for (let step = 2; step <= this.size; step++) {
      const index = (this.#lastPicked + step) % this.size
      if (this.outstanding(index) < this.outstanding(best)) best = index
    }
    this.#lastPicked = best
    return best
  }

  /** Sends a job, to the idlest worker when none is named. @throws the AppError that the worker threw. */
  run(job: Job, options: { readonly worker?: number; readonly onNews?: (news: News) => void } = {}): Promise<Result> {
    if (this.#broken) return Promise.reject(this.#broken)
    const member = this.#members[options.worker ?? this.idlest()]!
    const id = this.#nextJob++
    return new Promise((resolve, reject) => {
      if (member.waiting.size === 0) member.worker.ref()
      member.waiting.set(id, { resolve, reject, onNews: options.onNews })
      member.worker.postMessage({ id, job } satisfies ToWorker<Job>, [])
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#broken ??= new Error('the worker threads were ended')
    await Promise.all(this.#members.map((member) => member.worker.terminate()))
    this.#rejectAll()
  }

  #settle(member: Member<Result, News>, message: FromWorker<Result, News>): void {
    const waiting = member.waiting.get(message.id)
    if (!waiting) return
    if ('news' in message) {
      waiting.onNews?.(message.news)
      return
    }
    member.waiting.delete(message.id)
    if (member.waiting.size === 0) member.worker.unref()
    if ('result' in message) waiting.resolve(message.result)
    else if ('appError' in message) waiting.reject(new AppError(...message.appError))
    else waiting.reject(message.thrown)
  }

  #fail(reason: unknown): void {
    this.#broken ??= reason
    this.#rejectAll()
  }

  #rejectAll(): void {
    for (const { waiting } of this.#members) {
      for (const { reject } of waiting.values()) reject(this.#broken)
      waiting.clear()
    }
  }
}
