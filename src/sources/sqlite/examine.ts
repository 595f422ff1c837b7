import type { ExamineAnswer, ExamineOrder } from './examine-thread.ts'
import { runThread } from './run-thread.ts'

export type { ExamineAnswer, ExamineOrder, SqliteAnswer } from './examine-thread.ts'

/**
 * Looks through a SQLite database that nobody changes, and asks it. Nothing is written, also beside it.
 *
 * That it is broken is the result, not an error. @throws the signal's reason.
 */
export function examineSqlite(order: ExamineOrder, signal?: AbortSignal): Promise<ExamineAnswer> {
  return runThread(new URL(import.meta.resolve('./examine-thread.ts')), order, signal)
}
