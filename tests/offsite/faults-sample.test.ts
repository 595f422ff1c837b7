import assert from 'node:assert/strict'
import { test } from 'node:test'

import { seedOf } from '../crash/chance.ts'
import { needs } from '../needs.ts'
import { casesOf } from './fault-cases.ts'
import { startSftpPlace } from './fault-places.ts'
import { sweep } from './fault-sweep.ts'
import { ownSshProcesses } from './sftp-place.ts'

const seed = seedOf(20_261_122)

test(
  `a run over SFTP outlives each of 6 faults of the network, seed ${seed}`,
  { skip: needs('sshd', 'ssh', 'restic') },
  async (context) => {
    await using place = await startSftpPlace()
    const { failures, struck, seconds } = await sweep(place, casesOf(3, seed), { seed, lanes: 3, restic: true })
    context.diagnostic(`${struck} faults struck, ${seconds} s`)
    assert.deepEqual(failures, [])
    assert.deepEqual(ownSshProcesses(), [], 'no ssh is left behind')
  },
)
