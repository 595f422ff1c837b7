import { parentPort, workerData } from 'node:worker_threads'

import { textOf } from '#base'
import { copyDatabase, type CopyOutcome } from './copy.ts'

export interface CopyOrder {
  /** Both absolute, each byte one character (latin1). */
  readonly database: string
  readonly copy: string
}

export type CopyAnswer = { readonly outcome: CopyOutcome } | { readonly failed: string }

const { database, copy } = workerData as CopyOrder
let answer: CopyAnswer
try {
  answer = { outcome: await copyDatabase(database, copy) }
} catch (thrown) {
  answer = { failed: textOf(thrown) }
}
parentPort!.postMessage(answer, [])
