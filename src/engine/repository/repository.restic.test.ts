import assert from 'node:assert/strict'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstdCompressSync } from 'node:zlib'

import { Secret } from '#base'
import { stockRestic } from '../testing.ts'
import { needs } from '../../../tests/needs.ts'
import { createLocal, openLocal } from '../backend/local/local.ts'
import { sha256Hex } from '../crypto/hash.ts'
import { Sealer } from '../crypto/seal.ts'
import { encodeIndex, type IndexedPack } from '../format/index-file.ts'
import { decodeTree, encodeTree, type TreeNode } from '../format/tree-node.ts'
import type { BlobType } from './blob-index.ts'
import { PackBuffer } from './pack-buffer.ts'
import { createRepository, openRepository, type Repository } from './repository.ts'

const skip = needs('restic')
const password = new Secret('first pässwörd')
const second = new Secret('second 🔑')

/** Every blob below a tree, each loaded and thereby compared with its id. @returns bytes of files by path. */
async function readTree(repository: Repository, tree: string, path = ''): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for (const node of decodeTree(await repository.loadBlob('tree', tree))) {
    const name = `${path}/${Buffer.from(node.name).toString()}`
    if (node.subtree)
      for (const [inner, bytes] of await readTree(repository, node.subtree, name)) files.set(inner, bytes)
    if (!node.content) continue
    const parts = await Promise.all(node.content.map((id) => repository.loadBlob('data', id)))
    files.set(name, Buffer.concat(parts))
  }
  return files
}

test('a repository that restic made opens, with either password, and all of its blobs load', { skip }, async () => {
  await using restic = await stockRestic(password)
  const source = join(restic.scratch, 'source')
  const expected = new Map<string, Buffer>()
  for (let folder = 0; folder < 20; folder++) {
    await mkdir(join(source, `folder ${folder}`), { recursive: true })
    for (let file = 0; file < 10; file++) {
      const path = join(source, `folder ${folder}`, `file ${file}`)
      const bytes = Buffer.alloc(file * 1000 * (folder + 1), `${folder}-${file}`)
      await writeFile(path, bytes)
      expected.set(path, bytes)
    }
  }
  await restic.run('init')
  await restic.run('backup', '--tag', 'one,two', '--host', 'web1', source)
  await restic.run('backup', '--tag', 'three', source)
  await writeFile(join(restic.scratch, 'second'), second.reveal())
  await restic.run('key', 'add', '--new-password-file', join(restic.scratch, 'second'))

  for (const each of [password, second]) {
    await using backend = await openLocal(restic.repository)
    await using repository = await openRepository(backend, { password: each })
    const { snapshots, damaged } = await repository.listSnapshots()
    assert.deepEqual(damaged, [])
    assert.deepEqual(
      snapshots.map(({ snapshot }) => snapshot.tags),
      [['one', 'two'], ['three']],
    )
    assert.equal(snapshots[0]!.snapshot.hostname, 'web1')
    for (const { snapshot } of snapshots) {
      const found = await readTree(repository, snapshot.tree)
      assert.equal(found.size, expected.size)
      for (const [path, bytes] of expected) assert.equal(Buffer.compare(found.get(path)!, bytes), 0, path)
    }
    assert.equal((await repository.listKeys()).length, 2)
  }
})

/** Packs blobs of one type and saves the pack. */
async function savePack(repository: Repository, type: BlobType, blobs: readonly Uint8Array[]): Promise<IndexedPack> {
  const sealer = new Sealer(repository.key)
  const buffer = new PackBuffer(type)
  for (const plain of blobs) buffer.seal(sealer, sha256Hex(plain), zstdCompressSync(plain), plain.length)
  const pack = buffer.finish(sealer)
  await repository.backend.save({ type: 'pack', name: pack.id }, pack.bytes)
  return pack
}

test('restic accepts what was made here: config, keys, packs, index, snapshot and locks', { skip }, async () => {
  await using restic = await stockRestic(password)
  await using backend = await createLocal(restic.repository)
  await using repository = await createRepository(backend, { password })
  const content = Buffer.alloc(700_000, 'the content of a file\n')
  const time = BigInt(Date.parse('2026-05-06T07:08:09Z')) * 1_000_000n
  const node: TreeNode = {
    name: Buffer.from('hello.txt'),
    type: 'file',
    mode: 0o644,
    mtimeNs: time,
    atimeNs: time,
    ctimeNs: time,
    uid: 0,
    gid: 0,
    user: 'root',
    group: 'root',
    inode: 12n,
    deviceId: 34n,
    size: content.length,
    links: 1,
    extendedAttributes: [],
    device: 0n,
    content: [sha256Hex(content)],
  }
  const tree = Buffer.from(encodeTree([node]))
  const packs = [await savePack(repository, 'data', [content]), await savePack(repository, 'tree', [tree])]
  await repository.saveUnpacked('index', encodeIndex(packs))
  const snapshot = await repository.saveSnapshot({
    time: '2026-05-06T07:08:09.123456789Z',
    tree: sha256Hex(tree),
    paths: ['/srv/app'],
    hostname: 'web1',
    username: 'backup',
    tags: ['project:app'],
  })
  await repository.addKey(second)

  for (const each of [password, second]) {
    const listed: unknown = JSON.parse(await restic.as(each, 'snapshots', '--json'))
    assert.ok(Array.isArray(listed))
    assert.equal((listed[0] as { id: string }).id, snapshot)
    assert.equal(JSON.parse(await restic.as(each, 'cat', 'config')).id, repository.config.id)
    assert.equal(JSON.parse(await restic.as(each, 'key', 'list', '--json')).length, 2)
  }
  assert.match(await restic.run('check', '--read-data'), /no errors were found/)
  assert.equal(await restic.run('dump', 'latest', '/hello.txt'), content.toString())
  assert.match(await restic.run('stats', '--mode', 'raw-data'), /Total Blob Count:\s+2/)

  const source = join(restic.scratch, 'more')
  await mkdir(source)
  await writeFile(join(source, 'a'), 'a')
  await restic.run('backup', source)
  await restic.run('forget', '--keep-last', '1', '--group-by', '', '--prune')
  assert.match(await restic.run('check', '--read-data'), /no errors were found/)
  assert.equal((await repository.listSnapshots()).snapshots.length, 1)
  assert.deepEqual(await readdir(join(restic.repository, 'locks')), [])
})
