import { readdirSync, readlinkSync } from 'node:fs'

import { pause, systemClock } from '#base'

/** Whether a process is there; one that has ended and was not yet waited for is not. */
export function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0)
    return true
  } catch {
    return false
  }
}

/** Sends a signal to a process that may have ended meanwhile. */
export function sendSignal(processId: number, signal: NodeJS.Signals): void {
  try {
    process.kill(processId, signal)
  } catch {
    // because a process that is gone needs no signal
  }
}

/** Waits until it is so; false when it was not within `patienceMs`. */
export async function waitUntil(isSo: () => boolean | Promise<boolean>, patienceMs: number): Promise<boolean> {
  const deadline = systemClock.monotonic() + patienceMs
  while (!(await isSo())) {
    if (systemClock.monotonic() > deadline) return false
    await pause(10)
  }
  return true
}

/** Processes that work in a folder: what a server that was killed left behind. */
export function processesIn(folder: string): number[] {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return all.filter((processId) => workFolder(processId)?.startsWith(folder)).map(Number)
}

function workFolder(processId: string): string | undefined {
  try {
    return readlinkSync(`/proc/${processId}/cwd`)
  } catch {
    return undefined
  }
}
