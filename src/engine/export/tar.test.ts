import assert from 'node:assert/strict'
import { lstat, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { collect, runProgram } from '#base'
import { encodeHeader, writeTar, type TarEntry, type TarHeader } from './tar.ts'

const plain: TarHeader = {
  kind: 'file',
  path: Buffer.from('a'),
  size: 0,
  mode: 0o640,
  uid: process.getuid!(),
  gid: process.getgid!(),
  user: '',
  group: '',
  mtimeNs: 1_700_000_000_123_456_789n,
}

async function* these(entries: readonly TarEntry[]): AsyncGenerator<TarEntry, void, void> {
  yield* entries
}

async function unpacked(entries: readonly TarEntry[], use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bewaar-tar-'))
  try {
    await writeFile(join(folder, 'archive.tar'), await collect(writeTar(these(entries))))
    await runProgram('tar', ['--extract', '--file=archive.tar'], { cwd: folder })
    await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('tar unpacks what was written: long paths, odd bytes, links, modes and parts of seconds', async () => {
  const long = Buffer.from(`${'folder/'.repeat(30)}file é`)
  const odd = Buffer.concat([Buffer.from('odd\n\\'), Buffer.from([0xff, 0xfe])])
  const oddAndLong = Buffer.concat([Buffer.alloc(120, 0xfe), Buffer.from('x')])
  const bytes = Buffer.from('content\n')
  await unpacked(
    [
      { header: { ...plain, kind: 'dir', path: Buffer.from('private'), mode: 0o700 } },
      { header: { ...plain, path: long, size: bytes.length }, content: [bytes.subarray(0, 3), bytes.subarray(3)] },
      { header: { ...plain, path: odd } },
      { header: { ...plain, path: oddAndLong, mtimeNs: -1_500_000_000n } },
      { header: { ...plain, kind: 'symlink', path: Buffer.from('soft'), target: Buffer.alloc(150, 'x') } },
      { header: { ...plain, kind: 'link', path: Buffer.from('hard'), target: long } },
      { header: { ...plain, kind: 'fifo', path: Buffer.from('fifo') } },
    ],
    async (folder) => {
      const file = join(folder, long.toString())
      assert.deepEqual(await readFile(file), bytes)
      const status = await lstat(file, { bigint: true })
      assert.equal(status.mtimeNs, plain.mtimeNs)
      assert.equal(status.mode & 0o7777n, 0o640n)
      assert.equal((await lstat(join(folder, 'hard'), { bigint: true })).ino, status.ino)
      assert.ok((await lstat(join(folder, 'fifo'))).isFIFO())
      assert.equal((await lstat(join(folder, 'private'))).mode & 0o7777, 0o700)
      const names = await readdir(Buffer.from(folder), { encoding: 'buffer' })
      assert.ok(names.some((name) => name.equals(odd)))
      assert.ok(names.some((name) => name.equals(oddAndLong)))
      const before = await lstat(Buffer.concat([Buffer.from(`${folder}/`), oddAndLong]), { bigint: true })
      assert.equal(before.mtimeNs, -1_500_000_000n)
    },
  )
})

test('sizes and ids that a header has no room for are in a record of their own', () => {
  const header = encodeHeader({ ...plain, size: 10 * 2 ** 30, uid: 3_000_000_000 }).toString('latin1')
  assert.match(header, /\d+ size=10737418240\n/)
  assert.match(header, /\d+ uid=3000000000\n/)
  assert.equal(header.length, 3 * 512)
  for (const [line, length] of header.matchAll(/(?<=[\0\n])(\d+) [a-z]+=[^\n]*\n/g))
    assert.equal(line.length, Number(length))
})

test('a content that is longer or shorter than was announced ends the archive with an error', async () => {
  for (const size of [3, 5]) {
    const entry = { header: { ...plain, size }, content: [Buffer.from('four')] }
    await assert.rejects(collect(writeTar(these([entry]))), { code: 'export.size-differs', kind: 'damaged' })
  }
})
