import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { after, before, beforeEach, suite, test } from 'node:test'

import { Secret } from '#base'
import { rawPathOf } from '../raw-path.ts'
import { temporaryFolder, type TemporaryFolder } from '../suite/temporary-folder.ts'
import { dockerHost } from './docker-host.ts'
import type { Host } from './host.ts'

/** Writes down how it was called, then does what `docker exec` would do in a container. */
const standIn = String.raw`#!/bin/sh
printf '%s\0' "$@" >> "$(dirname "$0")/calls"
printf '\0' >> "$(dirname "$0")/calls"
shift
while :; do
  case "$1" in
    -i) shift ;;
    -w) cd "$2" && shift 2 ;;
    -e) export "$2" && shift 2 ;;
    *) break ;;
  esac
done
[ "$1" = shop-db ] || { echo "Error response from daemon: No such container: $1" >&2; exit 1; }
shift
command -v "$1" >/dev/null || {
  echo "OCI runtime exec failed: exec failed: unable to start container process: exec: \"$1\": executable file not found in \$PATH: unknown" >&2
  exit 127
}
exec "$@"
`

suite('a project in a container, behind a stand-in for docker', () => {
  const path = process.env['PATH'] ?? '/usr/bin:/bin'
  let place: TemporaryFolder
  let host: Host
  before(async () => {
    place = await temporaryFolder()
    host = dockerHost('shop-db', place.path)
    writeFileSync(join(place.path, 'docker'), standIn, { mode: 0o755 })
    process.env['PATH'] = `${place.path}${delimiter}${path}`
  })
  after(async () => {
    process.env['PATH'] = path
    await place[Symbol.asyncDispose]()
  })
  const calls = (): string[][] =>
    existsSync(join(place.path, 'calls'))
      ? readFileSync(join(place.path, 'calls'), 'utf8')
          .split('\0\0')
          .filter((call) => call !== '')
          .map((call) => call.split('\0'))
      : []
  beforeEach(() => rmSync(join(place.path, 'calls'), { force: true }))

  test('programs run in the container, with folder, environment and input', async () => {
    const call = { program: 'sh', args: ['-c', 'pwd; echo "$A"; cat'], cwd: '/usr', environment: { A: "it's $HOME" } }
    assert.equal(await host.run({ ...call, input: 'in' }), "/usr\nit's $HOME\nin")
    assert.deepEqual(calls(), [
      ['exec', '-i', '-w', '/usr', '-e', "A=it's $HOME", 'shop-db', 'sh', '-c', 'pwd; echo "$A"; cat'],
    ])
  })

  test('a secret goes in by standard input and is in no argument', async () => {
    const canary = 'canary-77ab'
    const call = { program: 'sh', args: ['-c', 'cat /dev/fd/3; pwd; echo "$A"; cat'], cwd: '/usr' }
    const environment = { A: 'b' }
    const output = await host.run({ ...call, environment, secretFile: new Secret(canary), input: 'in' })
    assert.equal(output, `${canary}/usr\nb\nin`)
    const stream = async function* () {
      yield* [Buffer.from('one '), Buffer.from('two')]
    }
    const fed = await host.run({ ...call, environment, secretFile: new Secret(canary), input: stream() })
    assert.equal(fed, `${canary}/usr\nb\none two`)
    rmSync(join(place.path, 'calls'))
    await host.run({ ...call, environment, secretFile: new Secret(canary), input: 'in' })
    assert.equal(calls().length, 1)
    assert.deepEqual(calls()[0]!.slice(0, 5), ['exec', '-i', 'shop-db', 'sh', '-c'])
    assert.equal(JSON.stringify(calls()).includes(canary), false)
  })

  test('it is said of a program in the container that it is missing or failed', async () => {
    for (const secretFile of [undefined, new Secret('s')]) {
      const secret = secretFile && { secretFile }
      await assert.rejects(host.run({ program: 'no-such-program', args: [], ...secret }), {
        code: 'program.missing',
        message: /no-such-program/,
      })
      await assert.rejects(host.run({ program: 'sh', args: ['-c', 'echo why >&2; exit 4'], ...secret }), {
        code: 'program.failed',
        message: /sh ended with exit code 4: why/,
      })
      await assert.rejects(dockerHost('gone', place.path).run({ program: 'id', args: [], ...secret }), {
        code: 'program.failed',
        message: /No such container: gone/,
      })
    }
  })

  test('files are those of this machine', async () => {
    assert.equal(host.place, 'docker://shop-db')
    assert.equal(await host.kindAt(rawPathOf(place.path)), 'dir')
    assert.deepEqual(await host.list(rawPathOf(place.path)), [{ name: 'docker', kind: 'file' }])
    assert.equal(host.filePart('x', rawPathOf(place.path)).kind, 'file')
  })
})
