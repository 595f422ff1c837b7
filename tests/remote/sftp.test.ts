import assert from 'node:assert/strict'
import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { collect } from '#base'
import { needs } from '../needs.ts'
import { openFiles } from './place.ts'
import { startSshd } from './sshd.ts'

const servers = [
  ['as it comes', 'internal-sftp'],
  ['without extensions', 'internal-sftp -P posix-rename,fsync,statvfs'],
] as const

for (const [name, subsystem] of servers) {
  test(`a server ${name} keeps what is written over SFTP`, { skip: needs('sshd', 'ssh') }, async () => {
    await using sshd = await startSshd({ subsystem })
    await using session = await openFiles(sshd.target)
    const { sftp } = session.connection
    const at = (path: string): string => join(sshd.home, path)
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, place) => (place * 31) % 253))

    await sftp.mkdir(at('folder'), 0o700)
    const handle = await sftp.create(at('folder/part'), 0o600)
    await sftp.write(handle, 0, bytes.subarray(0, 200_001))
    await sftp.write(handle, 200_001, bytes.subarray(200_001))
    if (sftp.has('fsync@openssh.com')) await sftp.sync(handle)
    await sftp.close(handle)
    await sftp.rename(at('folder/part'), at('folder/whole'))
    assert.deepEqual(readFileSync(at('folder/whole')), bytes)
    assert.equal(statSync(at('folder/whole')).mode & 0o777, 0o600)
    assert.deepEqual(Buffer.from(await collect(sftp.read(at('folder/whole')))), bytes)
    await assert.rejects(sftp.create(at('folder/whole'), 0o600), { code: 'EIO' })

    await sftp.close(await sftp.create(at('folder/other'), 0o600))
    await assert.rejects(sftp.rename(at('folder/other'), at('folder/whole')), { code: 'EIO' })
    if (sftp.has('posix-rename@openssh.com')) await sftp.replace(at('folder/other'), at('folder/whole'))
    if (sftp.has('statvfs@openssh.com')) {
      const { size, free, isReadOnly } = await sftp.space(at('folder'))
      assert.ok(size > 0n && free <= size && !isReadOnly)
    }
    await sftp.remove(at('folder/whole'))
    await assert.rejects(sftp.lstat(at('folder/whole')), { code: 'ENOENT' })
    assert.equal(sftp.has('statvfs@openssh.com'), name === 'as it comes')

    writeFileSync(at('closed'), 'x')
    chmodSync(at('closed'), 0)
    if (process.getuid?.() === 0) await assert.rejects(collect(sftp.read(at('closed'))), { code: 'EACCES' })
    assert.equal(await sftp.realpath(at('folder/../folder/.')), at('folder'))
  })
}
