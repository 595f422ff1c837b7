import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { inspect } from 'node:util'

import { resolveSecret } from './resolve.ts'

const folder = await mkdtemp(join(tmpdir(), 'credentials-'))
after(() => rm(folder, { recursive: true }))

async function secretFile(name: string, content: string | Uint8Array, mode = 0o600): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  await chmod(path, mode)
  return path
}

test('a secret comes from the environment, and no way of printing shows it', async () => {
  const secret = await resolveSecret({ env: 'VAULT' }, { VAULT: 'hunter2' })
  assert.equal(secret.reveal(), 'hunter2')
  assert.ok(![String(secret), JSON.stringify({ secret }), inspect({ secret })].join().includes('hunter2'))
})

test('an unset and an empty variable are told apart', async () => {
  await assert.rejects(resolveSecret({ env: 'NONE' }, {}), { code: 'credential.missing', kind: 'missing' })
  await assert.rejects(resolveSecret({ env: 'NONE' }, { NONE: '' }), { code: 'credential.empty', kind: 'invalid' })
})

test('of a file exactly one newline at its end is not part of the secret', async () => {
  for (const [content, value] of [
    ['pass word', 'pass word'],
    ['pass\n', 'pass'],
    ['pass\r\n', 'pass'],
    ['pass\n\n', 'pass\n'],
    [' päss \n', ' päss '],
  ] as const) {
    const file = await secretFile('newlines', content)
    assert.equal((await resolveSecret({ file })).reveal(), value)
  }
})

test('a file that anybody else can read or change is refused, and the message says what to do', async () => {
  for (const mode of [0o640, 0o604, 0o660, 0o620, 0o602, 0o644, 0o777]) {
    const file = await secretFile('open', 'pass', mode)
    await assert.rejects(resolveSecret({ file }), (error: Error & { code?: string; hint?: string }) => {
      assert.equal(error.code, 'credential.exposed')
      assert.ok(error.hint?.includes(`chmod 600 ${file}`))
      return true
    })
  }
  assert.equal((await resolveSecret({ file: await secretFile('own', 'pass', 0o400) })).reveal(), 'pass')
})

test('a missing file, a folder, an endless device, bytes that are no text and an empty file are typed errors', async () => {
  await assert.rejects(resolveSecret({ file: join(folder, 'none') }), { code: 'credential.missing' })
  await assert.rejects(resolveSecret({ file: folder }), { code: 'credential.malformed' })
  await assert.rejects(resolveSecret({ file: '/dev/zero' }), { code: 'credential.malformed' })
  const bytes = await secretFile('bytes', new Uint8Array([0xff, 0xfe, 0x00]))
  await assert.rejects(resolveSecret({ file: bytes }), { code: 'credential.malformed' })
  await assert.rejects(resolveSecret({ file: await secretFile('empty', '\n') }), { code: 'credential.empty' })
  const long = await secretFile('long', 'x'.repeat(70_000))
  await assert.rejects(resolveSecret({ file: long }), { code: 'credential.malformed' })
})

test('a program gives the secret on its standard output, without a shell', async () => {
  assert.equal((await resolveSecret({ command: ['printf', '%s\n', '$HOME;x'] })).reveal(), '$HOME;x')
  await assert.rejects(resolveSecret({ command: ['no-such-program-here'] }), { code: 'program.missing' })
  await assert.rejects(resolveSecret({ command: ['false'] }), { code: 'program.failed' })
  await assert.rejects(resolveSecret({ command: ['true'] }), { code: 'credential.empty' })
})

test('a program is stopped when the run is', async () => {
  const controller = new AbortController()
  const secret = resolveSecret({ command: ['sleep', '30'] }, process.env, controller.signal)
  controller.abort(new Error('stopped'))
  await assert.rejects(secret, /stopped/)
})

test('a systemd credential is a file of its folder and of no other', async () => {
  const credentials = join(folder, 'systemd')
  await mkdir(credentials)
  await writeFile(join(credentials, 'vault'), 'pass\n', { mode: 0o440 })
  const environment = { CREDENTIALS_DIRECTORY: credentials }
  assert.equal((await resolveSecret({ credential: 'vault' }, environment)).reveal(), 'pass')
  await assert.rejects(resolveSecret({ credential: 'other' }, environment), { code: 'credential.missing' })
  await assert.rejects(resolveSecret({ credential: '../own' }, environment), { code: 'credential.malformed' })
  await assert.rejects(resolveSecret({ credential: 'vault' }, {}), { code: 'credential.missing' })
})
