import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** Says which process has a run open, so that another can tell whether it still lives. */
export interface ProcessMark {
  readonly host: string
  /** Changes whenever the machine starts; empty where the system does not tell. */
  readonly boot: string
  readonly pid: number
  /** When the process started, in ticks of the system; tells two processes with one pid apart. */
  readonly start: string
}

export function ownMark(): ProcessMark {
  return { host: hostname(), boot: bootId(), pid: process.pid, start: startOf(process.pid) ?? '' }
}

/** Whether the process of `mark` is surely gone. A process on another host is not known to be. */
export function isGone(mark: ProcessMark): boolean {
  if (mark.host !== hostname()) return false
  if (mark.boot !== bootId()) return true
  if (mark.start === '') return !isAlive(mark.pid)
  return startOf(mark.pid) !== mark.start
}

export function encodeMark({ host, boot, pid, start }: ProcessMark): string {
  return JSON.stringify([host, boot, pid, start])
}

export function decodeMark(text: string): ProcessMark {
  const [host, boot, pid, start] = JSON.parse(text) as [string, string, number, string]
  return { host, boot, pid, start }
}

function bootId(): string {
  return readOrEmpty('/proc/sys/kernel/random/boot_id').trim()
}

/** @returns undefined when there is no such process, when only its entry is left for its parent to read, or no /proc. */
function startOf(pid: number): string | undefined {
  const stat = readOrEmpty(`/proc/${pid}/stat`)
  // Because the name of the program, in parentheses, may hold spaces and parentheses itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // because not every system has /proc, and a process may end at any moment
  }
}
