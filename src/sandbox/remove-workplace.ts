import { readFileSync, rmSync } from 'node:fs'

import { processesIn, sendSignal, waitUntil } from './processes.ts'

const patienceMs = 10_000

/** Ends whatever works in a folder, and removes it with all that is in it. */
export async function removeWithProcesses(folder: string): Promise<void> {
  await waitUntil(() => {
    const left = processesIn(folder)
    for (const process of left) sendSignal(process, 'SIGKILL')
    return left.length === 0
  }, patienceMs)
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
}

/** A process in words that no other one gets, also after a restart of the machine; undefined when it is gone. */
export function processMark(processId: number): string | undefined {
  try {
    const status = readFileSync(`/proc/${processId}/stat`, 'utf8')
    const fields = status.slice(status.lastIndexOf(')') + 2).split(' ')
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return fields[0] === 'Z' ? undefined : `${processId} ${fields[19]} ${boot}`
  } catch {
    return undefined
  }
}
