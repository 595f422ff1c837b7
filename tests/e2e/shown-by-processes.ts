import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What every process of the machine shows of itself: its arguments, and its environment as far as we may read it. Bewaar's
 * own are left out, and those of a child that has not become another program yet.
 *
 * @param own - the process id of Bewaar.
 */
export function shownByProcesses(own: number): string {
  const texts: string[] = []
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
  for (const pid of pids.map(Number).filter((one) => one !== own)) {
    const before = shown(pid, 'cmdline')
    const environment = shown(pid, 'environ')
    const ownArguments = shown(own, 'cmdline')
    if (before !== ownArguments && shown(pid, 'cmdline') !== ownArguments) texts.push(before, environment)
  }
  return texts.join('\n')
}

/** Nothing for a process that has ended, or is not ours to read. */
function shown(pid: number, file: 'cmdline' | 'environ'): string {
  try {
    return readFileSync(join('/proc', String(pid), file), 'latin1')
  } catch {
    return ''
  }
}

/** The text around a word that should not be in it. */
export function around(text: string, word: string): string {
  const at = text.indexOf(word)
  return text.slice(Math.max(0, at - 100), at + 30)
}
