/** Asks an application in a network of its own, and writes what it answers as JSON: this process is in that network. */
import { getHttp, textOf } from '#base'

const answerMs = 10_000

try {
  process.stdout.write(JSON.stringify(await getHttp(process.argv[2]!, { timeoutMs: answerMs })))
} catch (thrown) {
  process.stdout.write(JSON.stringify({ failed: textOf(thrown) }))
}
