import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { needs } from '../needs.ts'
import { blocksBelow, boxPort, startBox, type Box } from './storage-box.ts'

suite(
  'docs/operate/storage-box.md',
  { skip: needs('root', 'sshd', 'ssh', 'openssl', 'restic'), concurrency: 1 },
  () => {
    let box: Box
    before(async () => {
      const rules = ['ForceCommand internal-sftp', 'DisableForwarding yes', 'PermitTTY no']
      box = await startBox(rules, '/usr/sbin/nologin', await boxPort())
    })
    after(() => box?.[Symbol.asyncDispose]())

    test('leads to a vault on an account that may use SFTP alone, as it stands', async () => {
      const [hostKey] = blocksBelow('2. The key of the box', 'sh')
      assert.match((await box.succeed(hostKey!)).out, /^256 SHA256:\S+ \[?127\.0\.0\.1\]?\S* \(ED25519\)$/m)
      const [makeKey, install, tryKey] = blocksBelow('3. A key to log in with', 'sh')
      await box.succeed(makeKey!)
      assert.notEqual((await box.follow(tryKey!)).code, 0, 'the key got in before it was there')
      await box.succeed(install!)
      await box.succeed(tryKey!)

      const [makePassword] = blocksBelow('4. The configuration', 'sh')
      await box.succeed(makePassword!)
      const [configuration] = blocksBelow('4. The configuration', 'yaml')
      await box.place.write('etc/bewaar.yaml', box.localised(configuration!))
      const [fill, makeUp, look] = blocksBelow('5. Make the vault, and fill it', 'sh')
      await box.succeed(fill!)
      assert.deepEqual(readdirSync(join(box.sshd.home, 'bewaar/shop/snapshots')).length, 1)
      await box.succeed(makeUp!)
      assert.match((await box.succeed(look!)).out, /storage-box/)
    })

    test('brings the project back from the box, by Bewaar and by stock restic', async () => {
      const [restore, restic] = blocksBelow('6. Get it back', 'sh')
      await box.succeed(restore!)
      assert.match((await box.succeed(restic!)).out, /no errors were found/)
    })

    test('was followed with an account that may run nothing', async () => {
      const login = '-i /etc/bewaar/storage-box.ed25519 -o UserKnownHostsFile=/etc/bewaar/storage-box.known_hosts'
      const { code, out } = await box.follow(`ssh ${login} -p 23 u123456-sub1@u123456-sub1.your-storagebox.de ls`)
      assert.notEqual(code, 0)
      assert.match(out, /sftp connections only/)
    })
  },
)
