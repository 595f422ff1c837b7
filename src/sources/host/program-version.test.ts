import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { temporaryFolder } from '../testing.ts'
import type { Host, ProgramCall } from './host.ts'
import { localHost } from './local-host.ts'
import { askVersion } from './program-version.ts'

/** This machine, and what was run on it. */
function counted(folder: string): { readonly host: Host; readonly calls: ProgramCall[] } {
  const host = localHost(folder)
  const calls: ProgramCall[] = []
  return { host: { ...host, run: (call, signal) => (calls.push(call), host.run(call, signal)) }, calls }
}

test('a program is asked for its version once, and again when its file is another', async () => {
  await using folder = await temporaryFolder()
  const program = join(folder.path, 'cat')
  copyFileSync('/bin/cat', program)
  const call = { program, args: ['--version'] }
  const [first, second] = [counted(folder.path), counted(folder.path)]
  const answer = await askVersion(first.host, call)
  assert.match(answer, /\d/)
  assert.equal(await askVersion(second.host, call), answer)
  assert.deepEqual([first.calls.length, second.calls.length], [1, 0])
  writeFileSync(program, readFileSync('/bin/echo'))
  assert.notEqual(await askVersion(second.host, call), answer)
  assert.equal(second.calls.length, 1)
})

test('a script is asked once of each host, because it may start another program the next time', async () => {
  await using folder = await temporaryFolder()
  const program = join(folder.path, 'wrapper')
  writeFileSync(program, `#!/bin/sh\ncat ${join(folder.path, 'version')}\n`, { mode: 0o700 })
  const call = { program, args: ['--version'] }
  const ask = async (said: string): Promise<string[]> => {
    const { host } = counted(folder.path)
    writeFileSync(join(folder.path, 'version'), said)
    const answer = await askVersion(host, call)
    writeFileSync(join(folder.path, 'version'), 'another')
    return [answer, await askVersion(host, call)]
  }
  assert.deepEqual(await ask('15.18'), ['15.18', '15.18'])
  assert.deepEqual(await ask('17.2'), ['17.2', '17.2'])
})

test('what could not be asked is asked again', async () => {
  await using folder = await temporaryFolder()
  const host = localHost(folder.path)
  const call = { program: 'no-such-program', args: ['--version'] }
  for (const _ of [1, 2]) await assert.rejects(askVersion(host, call), { code: 'program.missing' })
})
