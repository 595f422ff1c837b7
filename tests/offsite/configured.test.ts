import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'

import { needs } from '../needs.ts'
import { startSshd, type TestSshd } from '../remote/sshd.ts'
import { assertNoSecret, configured, liveWith, type Configured, type FarVault } from './configured.ts'
import { commandsFrom } from './followed-instructions.ts'
import { bytesBelow } from './stored-bytes.ts'

suite('a configured vault behind SFTP', { skip: needs('sshd', 'ssh', 'restic'), concurrency: 1 }, () => {
  let sshd: TestSshd
  let vault: FarVault
  let it: Configured
  before(async () => {
    sshd = await startSshd({ config: 'Match User {user}\nForceCommand internal-sftp' })
    const { port, user, target, home } = sshd
    const identity = readFileSync(target.identity, 'utf8')
    vault = {
      settings: [
        `location: sftp://${user.name}@127.0.0.1:${port}/./my%20backups`,
        'identity: { file: ./identity }',
        `known-hosts: ${target.knownHosts}`,
        'connections: 2',
      ],
      files: { identity },
      secrets: [identity.split('\n')[2]!],
      storedBytes: () => bytesBelow(`${home}/my backups`),
    }
    it = await configured(vault)
  })
  after(async () => {
    await it?.[Symbol.asyncDispose]()
    await sshd?.[Symbol.asyncDispose]()
  })

  test('is made, filled, listed, verified and restored from, and the second run sends little', async () => {
    await liveWith(vault, it)
  })

  test('is read by stock restic as RESTORE.md says', async () => {
    const { place } = it
    const text = readFileSync(place.at('restored/direct/RESTORE.md'), 'utf8')
    // stands for the known hosts of whoever follows the text
    const hosts = `-o UserKnownHostsFile=${sshd.target.knownHosts} -F ${sshd.settings}`
    await place.write('bin/ssh', `#!/bin/sh\nexec /usr/bin/ssh ${hosts} "$@"\n`, 0o700)
    const target = place.at('by restic')
    const commands = commandsFrom(text, 'far')
      .replaceAll('/path/to/private-key', place.at('identity'))
      .replaceAll('/tmp/restored', `'${target}'`)
    const env = {
      PATH: `${place.at('bin')}:${process.env['PATH'] ?? ''}`,
      RESTIC_PASSWORD: 'canary-of-the-vault',
      RESTIC_CACHE_DIR: place.at('cache'),
    }
    const { code, out, err } = await place.run('sh', ['-euc', commands], { env }).ended
    assert.equal(code, 0, out + err)
    assert.match(out, /no errors were found/)
    assert.deepEqual(readFileSync(`${target}/files/photo.jpg`).compare(readFileSync(place.at('direct/photo.jpg'))), 0)
  })

  test('shows its private key and the password of the vault to nobody', async () => {
    await assertNoSecret(vault, it)
  })
})
