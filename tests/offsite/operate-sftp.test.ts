import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { createSftp } from '#engine'
import { loadAll } from '#engine/testing'
import { needs } from '../needs.ts'
import { run, startSshd } from '../remote/sshd.ts'
import { socketFolder } from './sftp-place.ts'

const page = readFileSync(new URL('../../docs/operate/sftp.md', import.meta.url), 'utf8')
const [makeAccount] = blocks('sh')
const [rules] = blocks('sshd_config')

function blocks(kind: string): string[] {
  return [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, name]) => name === kind).map(([, , text]) => text!)
}

suite('the account that docs/operate/sftp.md makes', { skip: needs('root', 'sshd', 'ssh') }, () => {
  const name = `bewaar-${randomBytes(4).toString('hex')}`
  let folder: string
  // Because the root folder of an account must lie below folders that only root may write to, and /tmp is none.
  const localised = (text: string): string =>
    text
      .replaceAll(/\bbewaar\b/g, name)
      .replaceAll('/srv/', `${folder}/`)
      .replaceAll('/etc/ssh/', `${folder}/`)
  before(() => {
    folder = mkdtempSync('/var/lib/bewaar-test-')
    chmodSync(folder, 0o755)
    run('sh', ['-euc', localised(makeAccount!)])
  })
  after(() => {
    run('sh', ['-c', `userdel --force ${name} 2>/dev/null; true`])
    rmSync(folder, { recursive: true, force: true })
  })

  test('holds a vault, and can neither run a program, see another folder, nor add a key', async () => {
    mkdirSync(join(folder, 'secret'))
    await using sshd = await startSshd({ user: name, config: localised(rules!) })
    // because that server is made for accounts with a home of their own, where keys are
    rmSync(join(folder, name, '.ssh'), { recursive: true })
    run('chown', ['root:root', join(folder, name)])
    const keys = join(folder, 'authorized_keys', name)
    run('install', ['-m', '0644', join(sshd.folder, 'identity.pub'), keys])
    using sockets = socketFolder()
    const body = Buffer.from('a pack')
    const ref = { type: 'pack', name: createHash('sha256').update(body).digest('hex') } as const
    await using backend = await createSftp({ target: sshd.target, path: '/vault/shop', folder: sockets.path })
    await backend.save(ref, body)
    assert.deepEqual(Buffer.from(await loadAll(backend, ref)), body)
    const there = join(folder, name, 'vault/shop/data', ref.name.slice(0, 2))
    assert.deepEqual(readdirSync(there), [ref.name])

    const elsewhere = createSftp({ target: sshd.target, path: '/another', folder: sockets.path })
    await assert.rejects(elsewhere, { code: 'backend.denied' })
    const login = [
      '-i',
      sshd.target.identity,
      '-o',
      `UserKnownHostsFile=${sshd.target.knownHosts}`,
      '-F',
      sshd.settings,
    ]
    const options = [...login, '-o', 'BatchMode=yes', '-P', String(sshd.port)]
    const listed = run('sh', ['-c', `printf 'ls -1 /\\n' | sftp -q -b - ${options.join(' ')} ${name}@127.0.0.1`])
    assert.doesNotMatch(listed, /secret|authorized_keys/)
    const commands = ['-o', 'BatchMode=yes', '-p', String(sshd.port), `${name}@127.0.0.1`, 'true']
    assert.throws(() => run('ssh', [...login, ...commands]))
  })
})
