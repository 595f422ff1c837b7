import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { needs } from '../../tests/needs.ts'
import { pause } from './clock.ts'
import { largeWrites } from './large-pipe.ts'
import { runProgram, startDuplex, streamProgram } from './subprocess.ts'

const node = process.execPath

test('a program gets its arguments as they are, whatever a shell would read in them', async () => {
  const awkward = ['$(touch here)', 'a b', "'", '"', ';', '*', '\n', '']
  const printed = await runProgram(node, ['-p', 'JSON.stringify(process.argv.slice(1))', '--', ...awkward])
  assert.deepEqual(JSON.parse(printed), awkward)
})

test('a program gets its input, its folder and nothing but the environment that was named', async () => {
  const script = 'process.stdin.pipe(process.stdout); console.log(process.cwd(), process.env.COLOUR, process.env.HOME)'
  const printed = await runProgram(node, ['-e', script], { cwd: '/', env: { COLOUR: 'red' }, input: 'typed' })
  assert.equal(printed, '/ red undefined\ntyped')
})

test('a program that is not there is `program.missing`', async () => {
  await assert.rejects(runProgram('no-such-program-here', []), { code: 'program.missing', kind: 'missing' })
})

test('an exit code other than 0 fails the stream after its bytes, with the end of standard error', async () => {
  const script = `process.stdout.write('half'); console.error('x'.repeat(9000)); console.error('disk gone'); process.exitCode = 3`
  const seen: string[] = []
  await assert.rejects(
    async () => {
      for await (const bytes of streamProgram(node, ['-e', script])) seen.push(Buffer.from(bytes).toString())
    },
    (error: Error) => /ended with exit code 3: x+\ndisk gone$/.test(error.message) && error.message.length < 4300,
  )
  assert.equal(seen.join(''), 'half')
})

test('a program that is ended by a signal has failed, even when all it wrote was read', async () => {
  const script = `process.stdout.write('all of it', () => process.kill(process.pid, 'SIGKILL'))`
  await assert.rejects(runProgram(node, ['-e', script]), { code: 'program.failed', message: /was ended by SIGKILL/ })
})

test('a program that does not read its input is judged by its exit code', async () => {
  assert.equal(await runProgram('true', [], { input: 'x'.repeat(1_000_000) }), '')
})

test('a consumer that stops early ends the program', async () => {
  let pid = 0
  for await (const bytes of streamProgram(node, ['-e', 'setInterval(() => console.log(process.pid), 5)'])) {
    pid = Number.parseInt(Buffer.from(bytes).toString(), 10)
    break
  }
  assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

test('an aborted signal ends the program, and its reason comes out', async () => {
  const stop = new AbortController()
  const running = runProgram('sleep', ['600'], {}, stop.signal)
  await pause(20)
  stop.abort(new Error('stopped by hand'))
  await assert.rejects(running, /stopped by hand/)
  await assert.rejects(runProgram('true', [], {}, stop.signal), /stopped by hand/)
})

test('a program is spoken with both ways, and how it ended is known', async () => {
  await using cat = startDuplex('sh', ['-c', 'cat; echo why >&2; exit 3'])
  const seen: string[] = []
  void cat.write(Buffer.from('first'))
  for await (const bytes of cat.output) {
    seen.push(Buffer.from(bytes).toString())
    if (seen.length === 1) void cat.write(Buffer.from('second'))
    else cat.closeInput()
  }
  assert.deepEqual(seen, ['first', 'second'])
  assert.deepEqual(await cat.ended, { code: 3, signal: null, stderr: 'why\n' })
})

test('a program that is spoken with waits for its reader, and takes what is written when it has room', async () => {
  await using cat = startDuplex('cat', [])
  let written = 0
  const writing = (async () => {
    for (; written < 64; written++) await cat.write(Buffer.alloc(1 << 20))
    cat.closeInput()
  })()
  await pause(200)
  assert.ok(written < 32, `${written} MiB were taken though nobody reads`)
  let read = 0
  for await (const bytes of cat.output) read += bytes.length
  await writing
  assert.equal(read, 64 << 20)
})

test('a program that is spoken with ends when it is disposed or aborted, and what it started does not hold it', async () => {
  const stop = new AbortController()
  const began = performance.now()
  for (const signal of [stop.signal, undefined]) {
    const program = startDuplex('sh', ['-c', 'trap "" TERM; sleep 300 & echo begun; wait; wait'], {}, signal)
    const output = program.output[Symbol.asyncIterator]()
    const { value: said } = await output.next()
    if (signal) stop.abort(new Error('stopped'))
    else await program[Symbol.asyncDispose]()
    assert.equal(Buffer.from(said).toString(), 'begun\n')
    assert.equal((await output.next()).done, true)
    assert.equal((await program.ended).signal, 'SIGKILL')
  }
  assert.ok(performance.now() - began < 200_000)
})

test('a program that is spoken with and does not start says why', async () => {
  await using program = startDuplex('no-such-program-here', [])
  await program.write(Buffer.from('x'))
  assert.deepEqual(await Array.fromAsync(program.output), [])
  assert.equal((await program.ended).error !== undefined, true)
})

test('output of a long program is the same, to the last byte, and ends as it should', async () => {
  const descriptors = readdirSync('/proc/self/fd').length
  const script = 'process.stdout.write(Buffer.alloc(5_000_003, "0123456789abcdef")); process.stdout.write("end")'
  const hash = createHash('sha256')
  let length = 0
  for await (const piece of streamProgram(process.execPath, ['-e', script], { isLong: true })) {
    hash.update(piece)
    length += piece.length
  }
  const expected = Buffer.concat([Buffer.alloc(5_000_003, '0123456789abcdef'), Buffer.from('end')])
  assert.equal(length, expected.length)
  assert.equal(hash.digest('hex'), createHash('sha256').update(expected).digest('hex'))

  const failing = streamProgram('sh', ['-c', 'echo begun; exit 4'], { isLong: true })
  await assert.rejects(Array.fromAsync(failing), { code: 'program.failed' })
  await assert.rejects(Array.fromAsync(streamProgram('no-such-program', [], { isLong: true })), {
    code: 'program.missing',
  })
  assert.deepEqual(await Array.fromAsync(streamProgram('true', [], { isLong: true })), [])
  // Whoever stops early is not kept waiting by a program that another one has started.
  for await (const piece of streamProgram('sh', ['-c', 'yes & wait'], { isLong: true })) {
    assert.ok(piece.length > 0)
    break
  }
  await until(() => readdirSync('/proc/self/fd').length <= descriptors)
})

test('a long program is not kept waiting while a megabyte of its output is looked at, and many writes are few pieces', async () => {
  const script =
    'for (let i = 0; i < 240; i++) fs.writeSync(1, Buffer.alloc(4096)); fs.writeFileSync(process.argv[1], "")'
  const folder = mkdtempSync(join(tmpdir(), 'bewaar-long-'))
  try {
    const done = join(folder, 'done')
    const stream = streamProgram(process.execPath, ['-e', script, done], { isLong: true })
    let [pieces, bytes] = [0, 0]
    for await (const piece of stream) {
      if (pieces === 0) await until(() => existsSync(done))
      pieces += 1
      bytes += piece.length
    }
    assert.equal(bytes, 240 * 4096)
    assert.ok(pieces < 20, `${pieces} pieces`)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test(
  'a long program writes in large pieces, where coreutils are there, and what else it is to load is left alone',
  { skip: needs('strace') },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bewaar-long-'))
    try {
      const log = join(folder, 'calls')
      const count = 'BEGIN { for (i = 100000; i < 300000; i++) print i }'
      const under = ['-f', '-e', 'trace=write', '-e', 'signal=none', '-o', log, 'awk', count]
      let printed = 0
      for await (const piece of streamProgram('strace', under, { isLong: true })) printed += piece.length
      assert.equal(printed, 7 * 200_000)
      const writes = readFileSync(log, 'utf8').match(/write\(1,/g)!.length
      assert.ok(writes <= 10, `${writes} writes`)

      const env = { ...process.env, LD_PRELOAD: '/usr/lib/own.so' }
      assert.equal(largeWrites(env), env)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

async function until(holds: () => boolean): Promise<void> {
  for (const began = performance.now(); !holds(); await pause(5)) assert.ok(performance.now() - began < 60_000)
}
