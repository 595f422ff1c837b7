import { pause, randomBytes } from '#base'
import { isUnavailable } from '#engine'

const firstDelayMs = 500
const longestDelayMs = 30_000

/**
 * Does again what failed because a place did not answer: up to eight times within about a minute, with waits that grow and
 * differ from each other. It must bear being done twice.
 *
 * @param attempts - in place of eight; three take less than two seconds besides the work.
 */
export async function persistently<T>(
  work: () => Promise<T>,
  signal: AbortSignal | undefined,
  attempts = 8,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work()
    } catch (thrown) {
      signal?.throwIfAborted()
      if (attempt === attempts || !isUnavailable(thrown)) throw thrown
      const delayMs = Math.min(longestDelayMs, firstDelayMs * 2 ** (attempt - 1))
      await pause(delayMs * (1 - Buffer.from(randomBytes(1)).readUInt8() / 512), signal)
    }
  }
}
