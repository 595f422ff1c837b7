import assert from 'node:assert/strict'
import { test } from 'node:test'

import { BadList, readList, type ListItem } from './list-items.ts'
import { NameSet } from './name-set.ts'

async function read(text: string | Uint8Array, pieceSize = 7): Promise<ListItem[]> {
  const bytes = Buffer.from(text)
  const pieces = async function* (): AsyncGenerator<Uint8Array, void, void> {
    for (let at = 0; at < bytes.length; at += pieceSize) yield bytes.subarray(at, at + pieceSize)
  }
  return await Array.fromAsync(readList(pieces()))
}

test('both versions of a list are read, however the bytes are cut', async () => {
  const names = ['a'.repeat(64), 'b"}]\\{', 'ü€😀', '']
  const second = names.map((name, size) => ({ name, size }))
  const lists: [string, ListItem[]][] = [
    ['[]', []],
    [' [ ]\n', []],
    [JSON.stringify(names), names.map((name) => ({ name, size: undefined }))],
    [JSON.stringify(second), second],
    [JSON.stringify(second, undefined, 2), second],
    [JSON.stringify(second.map((item) => ({ ...item, more: [{ deep: ']' }] }))), second],
  ]
  for (const [text, expected] of lists) {
    for (const size of [1, 2, 3, 64, 10_000]) assert.deepEqual(await read(text, size), expected, text)
  }
})

test('anything else is no list', async () => {
  const bad = [
    '',
    ' ',
    '{}',
    '[',
    '[]]',
    '[] []',
    'null',
    '[1]',
    '[null]',
    '[true]',
    '[[]]',
    '[,]',
    '["a",]',
    '["a" "b"]',
    '["a"',
    '[{"name":"a","size":1}',
    '[{"name":"a"',
    '[{"name":"a}]',
    '[{name:1}]',
    '["\\x"]',
    '<html></html>',
    '[{}]',
    '[{"size":1}]',
    '[{"name":1,"size":1}]',
    '[{"name":"a"}]',
    '[{"name":"a","size":"1"}]',
    '[{"name":"a","size":-1}]',
    '[{"name":"a","size":1.5}]',
    '[{"name":"a","size":1e300}]',
    '["a"};',
    '["a"}]',
  ]
  for (const text of bad) await assert.rejects(read(text), BadList, text)
  await assert.rejects(read(Uint8Array.of(0x5b, 0x22, 0xff, 0x22, 0x5d)), BadList)
})

test('an entry without an end is given up soon', async () => {
  let read = 0
  const endless = async function* (): AsyncGenerator<Uint8Array, void, void> {
    yield Buffer.from('[{"name":"')
    for (;;) {
      read += 1024
      yield Buffer.alloc(1024, 'a')
    }
  }
  await assert.rejects(Array.fromAsync(readList(endless())), BadList)
  assert.ok(read < 10_000)
})

test('a set of names knows each once, many of them too', () => {
  const seen = new NameSet()
  const names = Array.from({ length: 20_000 }, (_, at) => (at * 7919).toString(16).padStart(16, '0').padEnd(64, 'f'))
  for (const name of names) assert.ok(seen.add(name))
  for (const name of names) assert.ok(!seen.add(name))
  assert.equal(seen.size, names.length)
})
