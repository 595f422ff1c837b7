import assert from 'node:assert/strict'
import { test } from 'node:test'

import { pause } from './clock.ts'
import { runProgram, streamProgram } from './subprocess.ts'

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
