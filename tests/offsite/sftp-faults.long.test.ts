import assert from 'node:assert/strict'
import { test } from 'node:test'

import { needs } from '../needs.ts'
import { startSshd } from '../remote/sshd.ts'
import { faultCases, sufferAll } from './sftp-faults.ts'
import { ownSshProcesses } from './sftp-place.ts'

const servers = ['internal-sftp', 'internal-sftp -P hardlink,fsync,posix-rename,statvfs,limits']

for (const [seed, subsystem] of servers.entries()) {
  test(
    `every operation over ${subsystem} succeeds after each of 240 faults`,
    { skip: needs('sshd', 'ssh') },
    async () => {
      await using sshd = await startSshd({ subsystem })
      const cases = faultCases(240, seed + 10)
      const struck = await sufferAll(sshd, cases, 4)
      assert.ok(struck.length >= 200, `${struck.length} faults struck`)
      assert.deepEqual(ownSshProcesses(), [])
    },
  )
}
