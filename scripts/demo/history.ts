import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface History {
  readonly commits: number
  /** Every reference with the id that it has. */
  readonly references: string
}

export function isGitCheckout(folder: string): boolean {
  return existsSync(join(folder, '.git'))
}

/** The history of a checkout, as git tells it; of no commits where git or the history is missing. */
export function historyOf(folder: string): History {
  const commits = ask(folder, 'rev-list', '--all', '--count')
  return { commits: Number(commits), references: ask(folder, 'for-each-ref', '--format=%(objectname) %(refname)') }
}

/** The history in a bundle, as a clone of it tells it. */
export function historyInBundle(bundle: string): History {
  const scratch = mkdtempSync(join(tmpdir(), 'bewaar-demo-history-'))
  try {
    ask(scratch, 'clone', '--quiet', '--mirror', bundle, join(scratch, 'clone'))
    return historyOf(join(scratch, 'clone'))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** What git prints; empty when it is not there or refuses. */
function ask(folder: string, ...args: string[]): string {
  const { stdout } = spawnSync('git', ['-c', 'safe.directory=*', '-C', folder, ...args], { encoding: 'utf8' })
  return stdout ?? ''
}
