import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'

import { startDuplex } from '#base'
import { needs } from '../../../../tests/needs.ts'
import { backendSuite } from '../../testing.ts'
import type { Backend } from '../backend.ts'
import { Http2Transport } from './http2.ts'
import { createRestOver } from './rest-backend.ts'

suite('REST over the input and output of a program', { skip: needs('rclone') }, async () => {
  const scratch = await mkdtemp(join(tmpdir(), 'bewaar-http2-'))
  after(() => rm(scratch, { recursive: true, force: true }))

  const over = (program: string, args: readonly string[], stallMs = 60_000): Promise<Backend> => {
    const transport = new Http2Transport({
      start: () => startDuplex(program, args),
      explain: ({ stderr }) => new Error(stderr),
      stallMs,
    })
    return createRestOver(transport, { place: 'a program', path: '/', connections: 5, headers: {} })
  }
  const serve = ['serve', 'restic', '--config', '/dev/null', '--stdio']
  let made = 0

  backendSuite('REST over HTTP/2', () => over('rclone', [...serve, join(scratch, String(made++))]))

  test('a full disk is told, and nothing of the file stays', { skip: needs('unshare', 'root') }, async () => {
    const mounted = `mount -t tmpfs -o size=1m tmpfs "$0" && exec rclone ${serve.join(' ')} "$0"`
    await using backend = await over('unshare', ['--mount', 'sh', '-c', mounted, scratch])
    const saving = backend.save({ type: 'pack', name: 'a'.repeat(64) }, new Uint8Array(3_000_000))
    await assert.rejects(saving, { code: 'backend.unavailable' })
    assert.deepEqual(await Array.fromAsync(backend.list('pack')), [])
    await backend.save({ type: 'pack', name: 'b'.repeat(64) }, new Uint8Array(1000))
  })

  test('a program that speaks something else, or ends, is told', async () => {
    await assert.rejects(over('cat', [], 500), { code: 'backend.unavailable' })
    await assert.rejects(over('sh', ['-c', 'echo welcome; cat >/dev/null'], 500), { code: 'backend.unavailable' })
    const ending = over('sh', ['-c', 'echo no room here >&2; exit 3'])
    await assert.rejects(ending, { code: 'backend.unavailable', message: /no room here/ })
    const greeted = over('sh', ['-c', `echo welcome to this server; exec rclone ${serve.join(' ')} ${scratch}`], 500)
    await assert.rejects(greeted, { code: 'backend.unavailable' })
    await assert.rejects(over('bewaar-no-such-program', []), { code: 'backend.unavailable' })
  })
})
