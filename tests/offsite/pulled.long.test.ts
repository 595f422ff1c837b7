import assert from 'node:assert/strict'
import { test } from 'node:test'

import { emptyPlace } from '../e2e/place.ts'
import { needs } from '../needs.ts'
import { startSshd } from '../remote/sshd.ts'

test(
  'a machine that does not see the project fetches its backups from where production keeps them',
  {
    skip: needs('sshd', 'ssh'),
  },
  async () => {
    await using sshd = await startSshd()
    await using place = await emptyPlace()
    const { identity, knownHosts } = sshd.target
    const password = 'password: { file: ./password }'
    const location = `sftp://${sshd.user.name}@127.0.0.1:${sshd.port}/./vault`
    const source = `{ location: "${location}", identity: { file: ${identity} }, known-hosts: ${knownHosts}, ${password} }`
    await place.write('password', 'secret of the vaults', 0o600)
    await place.write('disk/file', 'hello\n')
    await place.write(
      'production.yaml',
      `state: ./production
vaults: { own: ${source} }
projects: { disk: { type: generic, path: ./disk, schedule: daily 03:00 } }
`,
    )
    await place.write(
      'fetching.yaml',
      `state: ./fetching
vaults: { production: ${source}, here: { location: ./here, ${password} } }
projects:
  disk: { type: generic, path: ./not-here, schedule: daily 03:00, vault: production, copies: [{ to: here }] }
`,
    )
    const succeed = async (...args: string[]): Promise<string> => {
      const { code, out, err } = await place.bewaar(...args)
      assert.equal(code, 0, out + err)
      return out
    }
    for (const verb of ['init', 'run']) await succeed(verb, '--config=production.yaml')
    for (const verb of ['init', 'copy']) await succeed(verb, '--config=fetching.yaml')
    const verified = await succeed('verify', '--vault=here', '--share=100%', '--json', '--config=fetching.yaml')
    assert.equal((JSON.parse(verified) as { status: string }).status, 'sound')
    const listed = await succeed('list', '--vault=here', '--json', '--config=fetching.yaml')
    assert.equal((JSON.parse(listed) as unknown[]).length, 1)
  },
)
