import assert from 'node:assert/strict'
import { test } from 'node:test'

import { collect, type DuplexProgram } from '#base'
import { encodePacket, packetType, splitPackets, type Field, type PacketReader } from './sftp-packets.ts'
import { SftpClient } from './sftp.ts'

type Answer = (request: PacketReader, id: number) => readonly Uint8Array[]

/** The far side: what it is sent it answers as `answer` says; packets are cut into pieces of `pieceBytes`. */
function farSide(answer: Answer, pieceBytes = 1 << 16): DuplexProgram {
  const sent: Uint8Array[] = []
  let wake = (): void => {}
  let isEnded = false
  const end = (): void => {
    isEnded = true
    wake()
  }
  return {
    output: (async function* () {
      for (;;) {
        while (sent.length > 0) {
          const bytes = sent.shift()!
          for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
        }
        if (isEnded) return
        await new Promise<void>((resolve) => (wake = resolve))
      }
    })(),
    write: async (bytes) => {
      for await (const request of splitPackets(once(bytes))) {
        const version = encodePacket(packetType.version, 3, 'statvfs@openssh.com', '2')
        if (request.type === packetType.init) sent.push(version)
        else sent.push(...answer(request, request.uint32()))
      }
      wake()
    },
    closeInput: end,
    kill: end,
    ended: Promise.resolve({ code: 0, signal: null, stderr: '' }),
    [Symbol.asyncDispose]: async () => end(),
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}

function open(answer: Answer, options: { stallMs?: number; pieceBytes?: number } = {}): Promise<SftpClient> {
  return SftpClient.open(farSide(answer, options.pieceBytes), {
    stallMs: options.stallMs ?? 10_000,
    lost: async () => new Error('lost'),
    garbled: (reason) => new Error(`garbled: ${reason}`),
    stalled: () => new Error('stalled'),
  })
}

const fileFacts = [1 | 4 | 8, 5n, 0o100644, 10, 20] as const
const status = (id: number, code: number, text = ''): Buffer => encodePacket(packetType.status, id, code, text, '')

/** Serves one file of `bytes`, at most `most` bytes at a time. */
function serving(bytes: Buffer, most: number): Answer {
  return (request, id) => {
    if (request.type === packetType.open) return [encodePacket(packetType.handle, id, 'h')]
    if (request.type !== packetType.read) return [status(id, 0)]
    request.bytes()
    const offset = Number(request.uint64())
    const piece = bytes.subarray(offset, offset + Math.min(most, request.uint32()))
    return [piece.length === 0 ? status(id, 1) : encodePacket(packetType.data, id, piece)]
  }
}

test('a file comes whole and in order, whatever pieces the server and the connection make of it', async () => {
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7) % 251))
  for (const [most, pieceBytes] of [
    [1 << 20, 1 << 16],
    [1000, 13],
    [32_768, 32_768],
  ] as const) {
    const client = await open(serving(bytes, most), { pieceBytes })
    for (const expected of [undefined, bytes.length]) {
      assert.deepEqual(Buffer.from(await collect(client.read('/file', expected))), bytes)
    }
    assert.deepEqual(Buffer.from(await collect(client.read('/file', 40_000))), bytes.subarray(0, 40_000))
    assert.equal((await collect(client.read('/file', bytes.length + 5))).length, bytes.length)
    client.stop(new Error('done'))
  }
})

test('answers in any order reach the calls that asked', async () => {
  const waiting: Uint8Array[] = []
  const client = await open((request, id) => {
    const path = request.latin1()
    waiting.unshift(encodePacket(packetType.name, id, 1, `${path}!`, '', 0))
    return waiting.length < 3 ? [] : waiting
  })
  const paths = await Promise.all(['/a', '/b\xff', '/c'].map((path) => client.realpath(path)))
  assert.deepEqual(paths, ['/a!', '/b\xff!', '/c!'])
  client.stop(new Error('done'))
})

test('what the server refuses has the code of the system', async () => {
  const codes = new Map([
    ['/2', 'ENOENT'],
    ['/3', 'EACCES'],
    ['/4', 'EIO'],
    ['/8', 'ENOTSUP'],
  ])
  const client = await open((request, id) => [status(id, Number(request.latin1().slice(1)), 'Failure')])
  for (const [path, code] of codes) await assert.rejects(client.lstat(path), { code, syscall: 'lstat' })
  client.stop(new Error('done'))
})

const nonsense: readonly (readonly [string, Answer])[] = [
  ['a packet longer than any', () => [Buffer.from([0x7f, 0xff, 0xff, 0xff, 1])]],
  ['a packet without a type', () => [Buffer.from([0, 0, 0, 0])]],
  ['an answer to no question', (_, id) => [status(id + 1, 0)]],
  ['an answer of another type', (_, id) => [encodePacket(packetType.handle, id, 'h')]],
  ['a text longer than its packet', (_, id) => [encodePacket(packetType.name, id, 1, 0xffffffff)]],
  ['attributes that end too early', (_, id) => [encodePacket(packetType.attributes, id, 1 | 4, 5n)]],
  [
    'more extended attributes than there are',
    (_, id) => [encodePacket(packetType.attributes, id, 0x80000000, 0xffffffff)],
  ],
  ['an entry without a type', (_, id) => [encodePacket(packetType.attributes, id, 4, 0o644)]],
  ['a size beyond all', (_, id) => [encodePacket(packetType.attributes, id, 1, 0xffff_ffff_ffff_ffffn)]],
  ['a status that is cut off', (_, id) => [encodePacket(packetType.status, id)]],
]
for (const [name, answer] of nonsense) {
  test(`${name} ends the connection, and every call that waits or follows`, async () => {
    const client = await open(answer)
    const calls = [client.lstat('/a'), client.realpath('/b')].map((call) => call.catch((thrown: unknown) => thrown))
    const thrown = (await Promise.all(calls)) as Error[]
    assert.match(thrown[0]!.message + thrown[1]!.message, /garbled: /)
    await assert.rejects(client.lstat('/c'), /garbled/)
  })
}

const folders: readonly (readonly [string, readonly Field[]])[] = [
  ['a name that leads out of its folder', [1, '../etc', '', ...fileFacts]],
  ['an empty name', [1, '', '', ...fileFacts]],
  ['a name with a zero byte', [1, 'a\0b', '', ...fileFacts]],
  ['more names than there are', [0xffffffff, 'a', '', ...fileFacts]],
]
for (const [name, fields] of folders) {
  test(`a folder that shows ${name} is not believed`, async () => {
    const client = await open((request, id) => {
      if (request.type === packetType.readdir) return [encodePacket(packetType.name, id, ...fields)]
      return [encodePacket(packetType.handle, id, 'h')]
    })
    await assert.rejects(client.list('/folder'), /garbled/)
  })
}

test('a folder without end is not kept in memory for ever', async () => {
  const names = Array.from({ length: 4000 }, (_, nth) => [`n${nth}`, '', ...fileFacts]).flat()
  const packet = encodePacket(packetType.name, 0, 4000, ...names)
  const client = await open((request, id) => {
    if (request.type !== packetType.readdir) return [encodePacket(packetType.handle, id, 'h')]
    packet.writeUInt32BE(id, 5)
    return [packet]
  })
  await assert.rejects(client.list('/folder'), /garbled: a folder that does not end/)
})

test('more bytes than were asked for, or none, are not believed', async () => {
  for (const piece of [Buffer.alloc(40_000), Buffer.alloc(0)]) {
    const client = await open((request, id) => {
      if (request.type === packetType.read) return [encodePacket(packetType.data, id, piece)]
      return [encodePacket(packetType.handle, id, 'h')]
    })
    await assert.rejects(collect(client.read('/file')), /garbled/)
  }
})

test('a server that does not answer is given up, one that nobody asks is not', async () => {
  const client = await open(() => [], { stallMs: 200 })
  await new Promise((resolve) => setTimeout(resolve, 400))
  const began = performance.now()
  await assert.rejects(client.lstat('/a'), /stalled/)
  assert.ok(performance.now() - began >= 200)
})
