import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'

import { defineErrors } from '#base'
import { memoryRepository } from '#engine/testing'
import { archive } from './archive.ts'
import type { ContentPart, StreamContent } from './entry.ts'
import { StreamAhead } from './stream-ahead.ts'
import { nodeAt, textAt, Trial } from './trial.ts'

const trouble = defineErrors({
  'trial.trouble': { kind: 'unavailable', message: 'the server went away', hint: 'Start it again.' },
})
const megabyte = 1024 * 1024

function part(content: Omit<StreamContent, 'kind'>, at = 'dump.sql'): ContentPart {
  return { kind: 'content', at, content: { kind: 'stream', ...content } }
}

const other: ContentPart = { kind: 'content', at: 'other', content: { kind: 'bytes', bytes: Buffer.from('other') } }

/** Gives `bytes` in pieces, then throws. */
async function* failingAfter(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
  throw trouble('trial.trouble', {})
}

async function* giving(...pieces: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array, void, void> {
  for (const piece of pieces) yield Buffer.from(piece)
}

/** Bytes that do not repeat, so that each chunk of them is stored. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed
  for (let at = 0; at < length; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

async function snapshotCount(repository: Awaited<ReturnType<typeof memoryRepository>>): Promise<number> {
  let count = 0
  for await (const _ of repository.backend.list('snapshot')) count++
  return count
}

test('a stream that fails is left out with a finding, and the snapshot is made all the same', async () => {
  await using repository = await memoryRepository()
  const result = await new Trial(repository).backUp([part({ open: () => failingAfter(noise(3 * megabyte, 1)) }), other])
  assert.deepEqual(
    result.findings.map(({ path, code }) => [path, code]),
    [['dump.sql', 'unreadable']],
  )
  assert.match(result.findings[0]!.text, /the server went away/)
  assert.equal(await nodeAt(repository, result.tree, 'dump.sql'), undefined)
  assert.equal(await textAt(repository, result.tree, 'other'), 'other')
  assert.deepEqual(
    result.artifacts.map(({ path }) => path),
    ['other'],
  )
})

for (const [when, bytes] of [
  ['at once', new Uint8Array(0)],
  ['after some bytes', noise(1000, 2)],
  ['late, when much of it has been sealed by threads', noise(40 * megabyte, 3)],
] as const) {
  test(`nothing is stored without a stream that may not fail and does so ${when}`, async () => {
    await using repository = await memoryRepository()
    const thrown = trouble('trial.trouble', {})
    async function* open(): AsyncGenerator<Uint8Array, void, void> {
      for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
      throw thrown
    }
    const backUp = new Trial(repository).backUp([other, part({ open, onFailure: 'abort' })])
    await assert.rejects(backUp, (caught) => caught === thrown)
    assert.equal(await snapshotCount(repository), 0)
    const again = await new Trial(repository).backUp([other])
    assert.equal(await textAt(repository, again.tree, 'other'), 'other')
  })
}

test('what stands for a file of a folder may end the backup too, and not only an AppError', async () => {
  await using repository = await memoryRepository()
  const open = (): AsyncIterable<Uint8Array> => {
    throw new TypeError('no such stream')
  }
  const backUp = new Trial(repository).backUp([part({ open, onFailure: 'abort' }, 'deep/inside/dump')])
  await assert.rejects(backUp, new TypeError('no such stream'))
  assert.equal(await snapshotCount(repository), 0)
})

for (const cut of ['file', 'dump'] as const) {
  test(`a stream that is tried again (cut as a ${cut}) is stored whole, and with nothing of its earlier attempts`, async () => {
    await using repository = await memoryRepository()
    const whole = noise(9 * megabyte, 4)
    const asked: [string, number][] = []
    let opened = 0
    const content = {
      open: () => (++opened <= 2 ? failingAfter(noise(opened * 7 * megabyte, opened)) : giving(whole)),
      retry: async (thrown: unknown, attempt: number) => {
        asked.push([(thrown as Error).message, attempt])
        return true
      },
      onFailure: 'abort',
      cut,
    } as const
    const result = await new Trial(repository).backUp([part(content)])
    assert.deepEqual(asked, [
      ['the server went away', 1],
      ['the server went away', 2],
    ])
    const sha256 = createHash('sha256').update(whole).digest('hex')
    assert.deepEqual(result.artifacts, [{ path: 'dump.sql', bytes: whole.length, sha256 }])
    assert.deepEqual(result.findings, [])
    assert.equal(result.bytes, whole.length)
    const node = await nodeAt(repository, result.tree, 'dump.sql')
    const chunks = await Promise.all(node!.content!.map((id) => repository.loadBlob('data', id)))
    assert.ok(Buffer.concat(chunks).equals(whole))
  })
}

test('a stream fails with what it threw last when it is not to be tried again', async () => {
  await using repository = await memoryRepository()
  let opened = 0
  async function* open(): AsyncGenerator<Uint8Array, void, void> {
    yield Buffer.from('some rows')
    throw new Error(`failure ${++opened}`)
  }
  const retry = async (_: unknown, attempt: number): Promise<boolean> => attempt < 3
  const { findings, tree } = await new Trial(repository).backUp([part({ open, retry })])
  assert.deepEqual(
    findings.map(({ text }) => text),
    ['could not be read: failure 3'],
  )
  assert.equal(await nodeAt(repository, tree, 'dump.sql'), undefined)
  opened = 0
  const backUp = new Trial(repository).backUp([part({ open, retry, onFailure: 'abort' })])
  await assert.rejects(backUp, new Error('failure 3'))
})

test('what the question for another attempt throws is what the stream failed with', async () => {
  await using repository = await memoryRepository()
  const retry = (): Promise<boolean> => Promise.reject(trouble('trial.trouble', {}))
  const content = { open: () => failingAfter(new Uint8Array(0)), retry, onFailure: 'abort' } as const
  await assert.rejects(new Trial(repository).backUp([part(content)]), { code: 'trial.trouble' })
})

test('a backup that is stopped asks no stream for another attempt', async () => {
  await using repository = await memoryRepository()
  const stop = new AbortController()
  async function* open(): AsyncGenerator<Uint8Array, void, void> {
    yield Buffer.from('some rows')
    stop.abort(new Error('enough'))
    throw new Error('it was ended')
  }
  let asked = 0
  const retry = async (): Promise<boolean> => ++asked > 0
  const request = { parts: [part({ open, retry })], timeNs: 1n, paths: ['/'], hostname: 'trial' }
  await assert.rejects(archive(repository, request, stop.signal), /enough/)
  assert.equal(asked, 0)
})

describe('a stream that is begun ahead', () => {
  const never = new AbortController().signal

  test('is the first one, is read once from its beginning, and a second time anew', async () => {
    const begun: string[] = []
    const open = (name: string) =>
      async function* () {
        begun.push(name)
        yield* [Buffer.from(`${name} one `), Buffer.from('two')]
      }
    const second = { ...part({ open: open('second') }), at: 'second' }
    await using ahead = new StreamAhead([other, part({ open: open('first') }), second], never)
    assert.deepEqual(begun, ['first'])
    await using repository = await memoryRepository()
    const { tree } = await new Trial(repository).backUp(ahead.parts)
    assert.equal(await textAt(repository, tree, 'dump.sql'), 'first one two')
    assert.equal(await textAt(repository, tree, 'second'), 'second one two')
    assert.deepEqual(begun, ['first', 'second'])
    const again = await new Trial(repository).backUp(ahead.parts)
    assert.equal(await textAt(repository, again.tree, 'dump.sql'), 'first one two')
    assert.deepEqual(begun, ['first', 'second', 'first', 'second'])
  })

  test('is ended when nobody opens it, and when the backup is stopped', async () => {
    const events: string[] = []
    async function* open(signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
      try {
        yield Buffer.from('some rows')
        await new Promise((resolve) => signal!.addEventListener('abort', resolve))
        signal!.throwIfAborted()
      } finally {
        events.push('ended')
      }
    }
    await new StreamAhead([part({ open })], never)[Symbol.asyncDispose]()
    assert.deepEqual(events, ['ended'])

    await using repository = await memoryRepository()
    await using ahead = new StreamAhead([part({ open })], never)
    const request = { parts: ahead.parts, timeNs: 1n, paths: ['/'], hostname: 'trial' }
    await assert.rejects(archive(repository, request, AbortSignal.timeout(50)), { name: 'TimeoutError' })
    assert.deepEqual(events, ['ended', 'ended'])
  })

  test('says what is wrong with it when it is read, and is tried again as any other', async () => {
    await using repository = await memoryRepository()
    let attempts = 0
    const open = (): AsyncIterable<Uint8Array> => {
      attempts += 1
      if (attempts === 1) throw trouble('trial.trouble', {})
      return giving('rows')
    }
    await using ahead = new StreamAhead([part({ open, retry: async () => true })], never)
    const { tree } = await new Trial(repository).backUp(ahead.parts)
    assert.equal(await textAt(repository, tree, 'dump.sql'), 'rows')
    assert.equal(attempts, 2)
  })
})

test('a stream that cannot even be opened is left out with a finding', async () => {
  await using repository = await memoryRepository()
  const open = (): AsyncIterable<Uint8Array> => {
    throw trouble('trial.trouble', {})
  }
  const { findings, tree } = await new Trial(repository).backUp([part({ open }), other])
  assert.deepEqual(
    findings.map(({ path, code }) => [path, code]),
    [['dump.sql', 'unreadable']],
  )
  assert.equal(await textAt(repository, tree, 'other'), 'other')
})
