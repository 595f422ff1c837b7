import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { parse, stringify } from 'yaml'

import { needs } from '../needs.ts'
import { run } from '../remote/sshd.ts'
import { commandsFrom } from './followed-instructions.ts'
import { filesBelow } from './rest-server.ts'
import { blocksBelow, startBox, type Box } from './storage-box.ts'

const skip = needs('root', 'sshd', 'ssh', 'openssl', 'rclone', 'restic')

suite('docs/operate/storage-box.md, append-only', { skip, concurrency: 1 }, () => {
  let box: Box
  before(async () => {
    box = await startBox(['DisableForwarding yes', 'PermitTTY no'], '/bin/sh')
  })
  after(() => box?.[Symbol.asyncDispose]())

  test('leads to a vault that the key of the server cannot empty, as it stands', async () => {
    for (const block of blocksBelow('2. The key of the box', 'sh')) await box.succeed(block)
    await box.succeed(blocksBelow('4. The configuration', 'sh')[0]!)
    const [install, mustFail] = blocksBelow('Append-only', 'sh')
    await box.succeed(install!)
    const [login, ...attempts] = mustFail!.trim().split('\n')
    assert.equal(attempts.length, 3)
    writeFileSync(join(box.sshd.home, 'secret-file'), '')
    for (const attempt of attempts) {
      const { code, out } = await box.follow(`${login}\n${attempt}`)
      if (attempt.includes('sftp')) assert.notEqual(code, 0, attempt)
      assert.ok(out.length < 100 && !out.includes('secret-file'), `${attempt}: ${out}`)
    }

    const [whole] = blocksBelow('4. The configuration', 'yaml').map((text) => parse(text) as { vaults: object })
    const [append] = blocksBelow('Append-only', 'yaml').map((text) => parse(text) as { vaults: object })
    const configuration = { ...whole, vaults: { ...whole!.vaults, ...append!.vaults } }
    await box.place.write('etc/bewaar.yaml', box.localised(stringify(configuration)))
    for (const block of blocksBelow('5. Make the vault, and fill it', 'sh')) await box.succeed(block)
    const stored = filesBelow(join(box.sshd.home, 'bewaar/shop')).filter((path) => !path.startsWith('locks/'))
    assert.ok(stored.some((path) => path.startsWith('snapshots/')))

    await box.place.write('www/shop/photo.jpg', Buffer.alloc(700_000, 'another'))
    await box.succeed('bewaar run')
    const now = filesBelow(join(box.sshd.home, 'bewaar/shop'))
    for (const path of stored) assert.ok(now.includes(path), path)
    await box.succeed(blocksBelow('6. Get it back', 'sh')[0]!)
  })

  test('is read by stock restic as RESTORE.md says, with another key that is bound to the folder of the project', async () => {
    const text = readFileSync(box.place.at('tmp/shop-restored/RESTORE.md'), 'utf8')
    const line = /`(restrict,command="[^"]*") ssh-ed25519 …`/.exec(text)![1]!.replace('FOLDER', './bewaar')
    const key = box.place.at('etc/other')
    run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    appendFileSync(join(box.sshd.home, '.ssh/authorized_keys'), `${line} ${readFileSync(`${key}.pub`, 'utf8')}`)
    const commands = commandsFrom(text, 'storage-box').replaceAll('/path/to/private-key', key)
    const hosts = `-o UserKnownHostsFile=${box.place.at('etc/storage-box.known_hosts')}`
    // stands for the known hosts of whoever follows the text
    await box.place.write('bin/ssh', `#!/bin/sh\nexec /usr/bin/ssh ${hosts} "$@"\n`, 0o700)
    const target = box.place.at('tmp/by-restic')
    const environment = `export RESTIC_PASSWORD_FILE=${box.place.at('etc/vault.password')}\n`
    const { code, out, err } = await box.perform(environment + commands.replaceAll('/tmp/restored', target))
    assert.equal(code, 0, out + err)
    assert.match(out, /no errors were found/)
    assert.ok(existsSync(join(target, 'files/photo.jpg')))
  })
})
