import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { descendantsOf, type TestSshd } from '../remote/sshd.ts'

/** A folder for sockets of logins, removed with it. */
export function socketFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), 'bewaar-sockets-'))
  chmodSync(path, 0o700)
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

let made = 0

/** A path below the home there that no other test has. */
export function freshPath(sshd: TestSshd): string {
  return join(sshd.home, 'backups', String(made++), 'repository')
}

/** Makes a folder that the user there may write to. */
export function makeHomeFolder(sshd: TestSshd, name: string): string {
  const path = join(sshd.home, name)
  mkdirSync(path)
  chmodSync(path, 0o777)
  return path
}

/** Process ids of each `ssh` that this process started and that has not ended. */
export function ownSshProcesses(): number[] {
  return descendantsOf(process.pid).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8') === 'ssh\n'
    } catch {
      return false // because it has ended meanwhile
    }
  })
}
