import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'

import { collect } from '#base'
import { memoryRepository } from '#engine/testing'
import { streamThere } from '#remote'
import { needs } from '../needs.ts'
import { archived, openFiles, temporaryFolder } from './place.ts'
import { run, startSshd } from './sshd.ts'

const page = readFileSync(new URL('../../docs/operate/remote.md', import.meta.url), 'utf8')

/** The block of the page that begins with this line. */
function block(kind: string, nth = 0): string {
  const blocks = page.split(`\n\`\`\`${kind}\n`).slice(1)
  return blocks[nth]!.slice(0, blocks[nth]!.indexOf('\n```'))
}

suite('the settings that docs/operate/remote.md gives', { skip: needs('root', 'sshd', 'ssh', 'setfacl') }, () => {
  const name = `bewaar-${randomBytes(4).toString('hex')}`
  let place: ReturnType<typeof temporaryFolder>
  const project = (): string => join(place.path, 'www', 'aimtrack')
  const named = (text: string): string =>
    text.replaceAll(/\bbewaar\b/g, name).replaceAll('/var/www/aimtrack', project())
  const perform = (commands: string): string => run('sh', ['-ec', named(commands)])

  before(() => {
    place = temporaryFolder('operate')
    perform(block('sh'))
    mkdirSync(join(project(), 'storage'), { recursive: true, mode: 0o750 })
    chmodSync(join(place.path, 'www'), 0o755)
    writeFileSync(join(project(), '.env'), 'DB_PASSWORD=secret\n', { mode: 0o640 })
    perform(block('rights'))
    writeFileSync(join(project(), 'storage', 'made later'), 'x', { mode: 0o640 })
  })
  after(() => {
    run('sh', ['-c', `userdel --force --remove ${name} 2>/dev/null; true`])
    place[Symbol.dispose]()
  })

  test('are enough to read a project and run programs, and give no more', async () => {
    const config = named(block('sshd_config'))
    await using sshd = await startSshd({ user: name, config, keyOptions: block('authorized_keys') })
    await using session = await openFiles(sshd.target)
    assert.equal(session.files.method, 'find')
    const part = { kind: 'remote-folder', at: '', reader: session.files, path: project() } as const
    const result = await archived(await memoryRepository(), [part])
    assert.deepEqual(result.findings, [])
    assert.equal(result.files.new, 2)
    const tried = `cd ${project()}; for f in .env storage/new; do ( : >> $f ) 2>/dev/null && echo written; done; id -un`
    const output = await collect(streamThere(session.connection, { program: 'sh', args: ['-c', tried] }))
    assert.equal(Buffer.from(output).toString(), `${name}\n`)
  })

  test('let a user who may run nothing read the same files, and write none', async () => {
    const config = named(block('sshd_config files-alone'))
    await using sshd = await startSshd({ user: name, config, keyOptions: block('authorized_keys') })
    await using session = await openFiles(sshd.target)
    assert.equal(session.files.method, 'sftp')
    const part = { kind: 'remote-folder', at: '', reader: session.files, path: project() } as const
    const result = await archived(await memoryRepository(), [part])
    assert.deepEqual(result.findings, [])
    assert.equal(result.files.new, 2)
    await assert.rejects(session.connection.sftp.create(`${sshd.home}/written`, 0o600), { code: 'EACCES' })
  })
})
