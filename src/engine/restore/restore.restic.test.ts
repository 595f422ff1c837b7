import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  closeSync,
  ftruncateSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  openSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { Secret } from '#base'
import { needs } from '../../../tests/needs.ts'
import { openLocal } from '../backend/local/local.ts'
import { Directory } from '../filesystem/directory.ts'
import { deviceNumber } from '../filesystem/status.ts'
import { openRepository } from '../repository/repository.ts'
import { stockRestic } from '../testing.ts'
import { planRestore } from './plan-restore.ts'
import type { RestoreRequest } from './request.ts'
import { performRestore, type RestoreResult } from './restore.ts'

const skip = needs('restic', 'rsync', 'root')
const password = new Secret('x')

/** What rsync would change to make `to` equal to `from`. */
function differences(from: string, to: string): string {
  const flags = ['-aHAXn', '--checksum', '--delete', '--itemize-changes']
  return execFileSync('rsync', [...flags, `${from}/`, `${to}/`], { encoding: 'utf8' })
}

async function restoreLatest(repository: string, request: Omit<RestoreRequest, 'tree'>): Promise<RestoreResult> {
  await using backend = await openLocal(repository)
  await using opened = await openRepository(backend, { password })
  await opened.loadIndex()
  const { snapshot } = await opened.findSnapshot('latest')
  return await performRestore(opened, await planRestore(opened, { tree: snapshot.tree, ...request }))
}

/** A bit of everything that restic 0.14 stores: no attributes of links, no targets that are not text. */
function makeAwkwardTree(path: string): void {
  mkdirSync(path)
  using root = Directory.open(path)
  const at = (name: string): string => join(path, name)
  writeFileSync(at('large'), randomBytes(9_000_000))
  writeFileSync(at('text'), 'line\n'.repeat(300_000))
  linkSync(at('large'), at('another name of large'))
  symlinkSync('/nowhere/at/all', at('link'))
  lutimesSync(at('link'), 1.25, 2.5)
  linkSync(at('text'), at('text again'))
  const sparse = openSync(at('sparse'), 'w')
  ftruncateSync(sparse, 20_000_000)
  writeSync(sparse, 'middle', 10_000_000)
  closeSync(sparse)
  writeFileSync(at('empty'), '')
  root.makeNode(Buffer.from('pipe'), 'fifo')
  root.makeNode(Buffer.from('null'), 'chardev', deviceNumber(1, 3))
  root.makeNode(Buffer.from('disk'), 'dev', deviceNumber(259, 70_000))
  for (const name of [Buffer.from([0x6e, 0xff, 0xfe, 0x0a]), Buffer.alloc(255, 'x'), Buffer.from('ü"\\\n\t\u2028')]) {
    writeFileSync(root.pathOf(name), name)
  }

  mkdirSync(at('folders/a/b/c'), { recursive: true })
  mkdirSync(at('folders/empty'))
  for (let file = 0; file < 300; file++) writeFileSync(at(`folders/a/f${file}`), `file ${file}\n`.repeat(file))
  chmodSync(at('folders/a/b'), 0o500)
  chmodSync(at('folders/empty'), 0o3751)
  chownSync(at('folders/a/f3'), 4_000_000_000, 1234)
  chmodSync(at('folders/a/f3'), 0o6755)
  chmodSync(at('folders/a/f4'), 0)
  execFileSync('setfacl', ['-m', 'u:1234:rw,g:77:r', at('folders/a/f5')])
  execFileSync('setfacl', ['-d', '-m', 'u:1234:rwx', at('folders/a/b/c')])
  writeFileSync(at('folders/a/b/c/inherits'), '')
  root.setExtendedAttribute(Buffer.from('text'), 'user.größe', Buffer.alloc(2000, 0xff))
  root.setExtendedAttribute(Buffer.from('text'), 'user.empty', Buffer.alloc(0))
  root.setExtendedAttribute(Buffer.from('folders'), 'user.of-a-folder', Buffer.from('x'))
  const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex')
  root.setExtendedAttribute(Buffer.from('large'), 'security.capability', capability)
  root.setTimes(Buffer.from('text'), -1n, -315_618_894_876_543_211n)
  root.setTimes(Buffer.from('folders'), 1n, 999_999_999n)
}

test('what restic stored comes back as it was, to the last bit of metadata', { skip }, async () => {
  await using restic = await stockRestic(password)
  const source = join(restic.scratch, 'source')
  const target = join(restic.scratch, 'target')
  makeAwkwardTree(source)
  await restic.run('init')
  await restic.run('backup', 'source')

  const result = await restoreLatest(restic.repository, { target, strip: 'source' })
  assert.deepEqual(result.findings, [])
  assert.equal(differences(source, target), '')
  assert.ok(statSync(join(target, 'sparse')).blocks * 512 < 2_000_000)
  assert.equal(statSync(join(target, 'large')).nlink, 2)
})

test('restoring over a changed tree mends just what changed', { skip }, async () => {
  await using restic = await stockRestic(password)
  const source = join(restic.scratch, 'source')
  const target = join(restic.scratch, 'target')
  makeAwkwardTree(source)
  await restic.run('init')
  await restic.run('backup', 'source')
  await restoreLatest(restic.repository, { target, strip: 'source' })

  const at = (name: string): string => join(target, name)
  const kept = statSync(at('folders/a/f7'), { bigint: true })
  writeFileSync(at('folders/a/f9'), 'other')
  writeFileSync(at('folders/a/f10'), 'x'.repeat('file 10\n'.length * 10))
  chmodSync(at('large'), 0o777)
  for (const name of ['folders/a/f11', 'another name of large', 'null', 'link', 'pipe']) rmSync(at(name))
  writeFileSync(at('another name of large'), 'not it')
  symlinkSync('/etc/passwd', at('null'))
  mkdirSync(at('extra/deep'), { recursive: true })
  symlinkSync('/etc', at('extra/deep/etc'))
  rmSync(at('folders/empty'), { recursive: true })
  symlinkSync('/etc', at('folders/empty'))
  mkdirSync(at('link/full/of'), { recursive: true })
  rmSync(at('text again'))
  linkSync(at('text'), at('text again'))
  linkSync(at('folders/a/f12'), at('folders/a/f11'))
  const etc = statSync('/etc', { bigint: true })

  const request = { target, strip: 'source', existing: 'overwrite', delete: true } as const
  const result = await restoreLatest(restic.repository, request)
  assert.deepEqual(result.findings, [])
  assert.equal(differences(source, target), '')
  assert.deepEqual(statSync('/etc', { bigint: true }), etc)
  assert.equal(statSync(at('folders/a/f7'), { bigint: true }).ino, kept.ino)

  const again = await restoreLatest(restic.repository, request)
  assert.deepEqual([again.files, again.bytes, again.folders], [0, 0, 0])
  assert.equal(differences(source, target), '')
})

test('many small files come back in threads of their own', { skip }, async () => {
  await using restic = await stockRestic(password)
  const source = join(restic.scratch, 'source')
  const target = join(restic.scratch, 'target')
  for (let folder = 0; folder < 700; folder++) {
    const path = join(source, `${folder % 7}`, `${folder % 70}`, `${folder}`)
    mkdirSync(path, { recursive: true })
    for (let file = 0; file < 4; file++) writeFileSync(join(path, `f${file}`), `${folder} ${file} `.repeat(file * 40))
  }
  await restic.run('init')
  await restic.run('backup', 'source')
  const result = await restoreLatest(restic.repository, { target })
  assert.deepEqual([result.files, result.findings], [2800, []])
  assert.equal(differences(source, join(target, 'source')), '')
})
