import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { saveStream } from './save-stream.ts'

async function emptyFolder() {
  const path = await mkdtemp(join(tmpdir(), 'bewaar-save-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

async function* pieces(...texts: readonly string[]): AsyncGenerator<Uint8Array, void, void> {
  for (const text of texts) yield Buffer.from(text)
}

test('a stream gets its name when it is whole, and replaces nothing', async () => {
  await using folder = await emptyFolder()
  const file = join(folder.path, 'shop.tar.zst.age')
  assert.equal(await saveStream(file, pieces('one ', 'two')), 7)
  assert.equal(await readFile(file, 'utf8'), 'one two')
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  await assert.rejects(saveStream(file, pieces('other')), { code: 'export.exists' })
  const late = join(folder.path, 'late')
  async function* interrupted(): AsyncGenerator<Uint8Array, void, void> {
    yield Buffer.from('mine')
    await writeFile(late, 'of somebody else')
  }
  await assert.rejects(saveStream(late, interrupted()), { code: 'export.exists' })
  assert.equal(await readFile(late, 'utf8'), 'of somebody else')
  await assert.rejects(saveStream(join(folder.path, 'none', 'x'), pieces('x')), { code: 'export.unwritable' })
  assert.deepEqual((await readdir(folder.path)).toSorted(), ['late', 'shop.tar.zst.age'])
})

test('a stream that breaks off, or whose process is killed, leaves nothing', async () => {
  await using folder = await emptyFolder()
  async function* broken(): AsyncGenerator<Uint8Array, void, void> {
    yield Buffer.from('half')
    throw new Error('the vault is gone')
  }
  await assert.rejects(saveStream(join(folder.path, 'x'), broken()), { message: 'the vault is gone' })
  const script = `
    import { saveStream } from ${JSON.stringify(new URL('save-stream.ts', import.meta.url).href)}
    async function* endless() {
      yield Buffer.alloc(100_000)
      process.stdout.write('begun')
      await new Promise((resolve) => setTimeout(resolve, 60_000))
    }
    await saveStream(${JSON.stringify(join(folder.path, 'killed'))}, endless())`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'close')
  assert.deepEqual(await readdir(folder.path), [])
})

test('what killed processes left a day ago is removed, and what may still be written is not', async () => {
  await using folder = await emptyFolder()
  const at = (name: string): string => join(folder.path, name)
  const old = ['.shop.tar.zst.age.bewaar-0123abcd.part', '.other.bewaar-ffffffff.part']
  const kept = ['.shop.tar.zst.age.bewaar-11111111.part', '.bewaar-0123abcd.part', 'shop.bewaar-0123abcd.part']
  for (const name of [...old, ...kept]) await writeFile(at(name), 'part')
  const twoDaysAgo = (await stat(at(old[0]!))).mtimeMs / 1000 - 2 * 86_400
  for (const name of [...old, ...kept.slice(1)]) await utimes(at(name), twoDaysAgo, twoDaysAgo)
  await saveStream(at('shop'), pieces('whole'))
  assert.deepEqual((await readdir(folder.path)).toSorted(), [...kept, 'shop'].toSorted())
})
