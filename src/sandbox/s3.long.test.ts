import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'

import { processesIn } from './processes.ts'
import { isS3Installed, startS3 } from './s3.ts'

const skip = !isS3Installed() && 'needs the packages radosgw, ceph-mon and ceph-osd'

const folders = (): string[] => readdirSync('/tmp').filter((name) => name.startsWith('bewaar-s3-'))

test('a throw-away S3 server answers, comes back after a power cut, and leaves nothing behind', { skip }, async () => {
  const before = new Set(folders())
  {
    await using server = await startS3()
    assert.match(server.version, /^\d+\.\d+\.\d+$/)
    const { user_id: user } = JSON.parse(await server.administrate('user', 'info', '--uid', 'bewaar')) as {
      user_id: string
    }
    assert.equal(user, 'bewaar')
    assert.equal((await fetch(server.endpoint)).status, 200)
    await server.stop()
    await assert.rejects(fetch(server.endpoint))
    await server.restart()
    assert.equal((await fetch(server.endpoint)).status, 200)
  }
  for (const folder of folders().filter((name) => !before.has(name))) {
    // because another test may have started a server of its own meanwhile
    assert.notDeepEqual(processesIn(`/tmp/${folder}`), [])
  }
})
