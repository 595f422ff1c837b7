import type { ErrorEntry } from '#base'

export interface ToWorker<Job> {
  readonly id: number
  readonly job: Job
}

/** An AppError is sent as its parts, because structured cloning keeps only a plain Error's message. */
export type FromWorker<Result, News = never> =
  | { readonly id: number; readonly news: News }
  | { readonly id: number; readonly result: Result }
  | { readonly id: number; readonly appError: [string, ErrorEntry, Record<string, string | number>] }
  | { readonly id: number; readonly thrown: unknown }
