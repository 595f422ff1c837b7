import { getHttp, pause, textOf } from '#base'
import { usecaseError } from '../errors.ts'

/** An application that was just started gets so many tries, and so long between them. */
const tries = 10
const betweenMs = 1000
const answerMs = 10_000

/** Asks an application whether it is well, some times over. @throws `restore.unhealthy` with what it said last. */
export async function askHealth(url: string, signal: AbortSignal): Promise<void> {
  let reason = ''
  for (let nth = 1; nth <= tries; nth++) {
    if (nth > 1) await pause(betweenMs, signal)
    try {
      const { status } = await getHttp(url, { timeoutMs: answerMs }, signal)
      if (status >= 200 && status < 300) return
      reason = `it answered ${status}`
    } catch (thrown) {
      signal.throwIfAborted()
      reason = textOf(thrown)
    }
  }
  throw usecaseError('restore.unhealthy', { url, reason, count: tries })
}
