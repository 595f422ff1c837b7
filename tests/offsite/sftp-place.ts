import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
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

/** The server of a test, as it is reached by another port: that of a proxy. What is known of its key stays as it is. */
export function targetBehind(sshd: TestSshd, port: number): TestSshd['target'] {
  const knownHosts = join(sshd.folder, `known_hosts_${port}`)
  const line = `[127.0.0.1]:${port} ${readFileSync(join(sshd.folder, 'host.pub'), 'utf8')}`
  if (!existsSync(knownHosts)) writeFileSync(knownHosts, line)
  return { ...sshd.target, port, knownHosts }
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
