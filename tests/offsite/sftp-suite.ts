import { after, before, suite } from 'node:test'

import { createSftp } from '#engine'
import { backendSuite } from '#engine/testing'
import { needs } from '../needs.ts'
import { startSshd, type TestSshd } from '../remote/sshd.ts'
import { freshPath, socketFolder } from './sftp-place.ts'

/** The contract of a backend over a server of its own. @param refused - what the server is told not to do, by `-P`. */
export function sftpSuite(name: string, refused: string): void {
  suite(`SFTP ${name}`, { skip: needs('sshd', 'ssh') }, () => {
    let sockets: ReturnType<typeof socketFolder>
    let sshd: TestSshd
    before(async () => {
      sockets = socketFolder()
      sshd = await startSshd({ subsystem: refused === '' ? 'internal-sftp' : `internal-sftp -P ${refused}` })
    })
    after(async () => {
      sockets?.[Symbol.dispose]()
      await sshd?.[Symbol.asyncDispose]()
    })
    backendSuite('sftp', () => createSftp({ target: sshd.target, path: freshPath(sshd), folder: sockets.path }))
  })
}
