/**
 * Shows the main way through Bewaar on real data: three projects are backed up, copied, verified, restored and compared,
 * each step by the command that a person would type. What it makes stays, in a folder under the system's temporary one.
 *
 * The exit code is 0 only when every comparison held.
 */
import { runDemo } from './demo/run-demo.ts'
import { say } from './demo/shell.ts'

const interruption = new AbortController()
for (const name of ['SIGINT', 'SIGTERM'] as const)
  process.once(name, () => interruption.abort(new Error(`stopped by ${name}`)))

try {
  const failures = await runDemo(interruption.signal)
  process.exitCode = failures === 0 ? 0 : 1
} catch (error) {
  const reason = interruption.signal.aborted ? (interruption.signal.reason as unknown) : error
  say(`\nThe demo did not come to its end: ${reason instanceof Error ? reason.message : String(reason)}`)
  process.exitCode = 1
}
