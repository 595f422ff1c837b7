import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** One finished program, as the system accounted for it. */
export interface Measured {
  readonly seconds: number
  /** User and system time of the program and its children. */
  readonly cpuSeconds: number
  /** Bytes of memory of the largest single process. */
  readonly peak: number
}

/**
 * Runs a program to its end under GNU time.
 *
 * @throws when it does not end with one of `accept`; its output is in the message.
 */
export function measure(
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
  accept: readonly number[] = [0],
): Measured {
  const report = join(tmpdir(), `bewaar-bench-${process.pid}.time`)
  const args = ['-o', report, '-f', '%e %U %S %M', '--', ...command]
  const ended = spawnSync('/usr/bin/time', args, {
    env: { ...process.env, ...env },
    maxBuffer: 64 << 20,
    encoding: 'utf8',
  })
  if (ended.error) throw ended.error
  if (!accept.includes(ended.status ?? -1)) {
    throw new Error(`${command.join(' ')} ended with ${ended.status ?? ended.signal}: ${ended.stderr}${ended.stdout}`)
  }
  const [seconds, user, system, kilobytes] = readFileSync(report, 'utf8')
    .trim()
    .split('\n')
    .at(-1)!
    .split(' ')
    .map(Number)
  rmSync(report)
  return { seconds: seconds!, cpuSeconds: user! + system!, peak: kilobytes! * 1024 }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
