import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { Secret } from '#base'
import { rawPathOf } from '../raw-path.ts'
import { temporaryFolder } from '../testing.ts'
import { localHost } from './local-host.ts'

test('a program reads its secret as often as it opens it, and nobody else sees a file of it', async () => {
  await using folder = await temporaryFolder()
  const host = localHost(folder.path)
  const script =
    'cat /dev/fd/3; cat /dev/fd/3; stat -L -c " %a %h %F" /dev/fd/3; tr "\\0" " " < /proc/self/cmdline; env'
  const out = await host.run({ program: 'sh', args: ['-c', script], secretFile: new Secret('pass\nword') })
  assert.match(out, /^pass\nwordpass\nword 600 0 regular file\n/)
  assert.equal(out.split('word').length, 3)
  assert.deepEqual(readdirSync(folder.path), [])
})

test('a program is given what it is told and what every program has, and none of our other variables', async () => {
  await using folder = await temporaryFolder()
  process.env['BEWAAR_TEST_SECRET'] = 'canary'
  try {
    const call = { program: 'env', args: [], environment: { GIVEN: 'yes' } }
    const variables = (await localHost(folder.path).run(call)).split('\n')
    assert.ok(variables.includes('GIVEN=yes') && variables.some((line) => line.startsWith('PATH=')))
    assert.ok(!variables.some((line) => line.includes('canary')))
  } finally {
    delete process.env['BEWAAR_TEST_SECRET']
  }
})

test('a program that fails says so after what it wrote, and one that is not there is missing', async () => {
  await using folder = await temporaryFolder()
  const host = localHost(folder.path)
  const pieces: string[] = []
  await assert.rejects(
    async () => {
      const call = { program: 'sh', args: ['-c', 'echo begun; echo why >&2; exit 4'] }
      for await (const bytes of host.stream(call)) pieces.push(Buffer.from(bytes).toString())
    },
    { code: 'program.failed', message: /exit code 4: why/ },
  )
  assert.deepEqual(pieces, ['begun\n'])
  await assert.rejects(host.run({ program: 'no-such-program', args: [] }), { code: 'program.missing' })
})

test('what lies in a folder is told by its kind, and what cannot be read is as if it were not there', async () => {
  await using folder = await temporaryFolder()
  const host = localHost(folder.path)
  const at = (name: string): string => join(folder.path, name)
  mkdirSync(at('folder'))
  writeFileSync(Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from([0xff, 0x0a])]), '')
  writeFileSync(at('text'), 'some text')
  symlinkSync('folder', at('link'))
  symlinkSync('nowhere', at('dangling'))
  const listed = (await host.list(rawPathOf(folder.path))).map(({ name, kind }) => `${JSON.stringify(name)} ${kind}`)
  assert.deepEqual(listed.toSorted(), [
    '"dangling" symlink',
    '"folder" dir',
    '"link" symlink',
    '"text" file',
    '"ÿ\\n" file',
  ])
  assert.equal(await host.kindAt(rawPathOf(at('link'))), 'dir')
  assert.equal((await host.findStatus(rawPathOf(at('link'))))?.kind, 'symlink')
  assert.equal(await host.kindAt(rawPathOf(at('dangling'))), undefined)
  assert.equal(await host.findText(rawPathOf(at('text'))), 'some text')
  assert.equal(await host.findText(rawPathOf(at('folder'))), undefined)
  assert.deepEqual(await host.findHead(rawPathOf(at('text')), 4), Buffer.from('some'))
  assert.deepEqual(await host.findHead(rawPathOf(at('text')), 400), Buffer.from('some text'))
  await assert.rejects(host.list(rawPathOf(at('nowhere'))), { code: 'ENOENT' })
  chmodSync(at('text'), 0)
  assert.equal((await host.findStatus(rawPathOf(at('text'))))?.size, 9)
})

test('a program is given a stream beside its secret, and is ended when the stream breaks off', async () => {
  await using folder = await temporaryFolder()
  const host = localHost(folder.path)
  const input = async function* (thrown?: Error) {
    for (let nth = 0; nth < 50; nth++) yield Buffer.alloc(65_536, nth)
    if (thrown) throw thrown
  }
  const secretFile = new Secret('key ')
  const call = { program: 'sh', args: ['-c', 'cat /dev/fd/3; wc -c'], secretFile }
  assert.match(await host.run({ ...call, input: input() }), /^key 3276800\n$/)
  const file = join(folder.path, 'whole')
  const careful = { program: 'sh', args: ['-c', `cat > /dev/null && touch ${file}`] }
  await assert.rejects(host.run({ ...careful, input: input(new Error('broken off')) }), { message: 'broken off' })
  assert.deepEqual(readdirSync(folder.path), [])
  await assert.rejects(host.run({ program: 'sh', args: ['-c', 'echo no >&2; exit 3'], input: input() }), {
    code: 'program.failed',
    message: /exit code 3: no/,
  })
  await assert.rejects(host.run({ program: 'no-such-program', args: [], input: input() }), { code: 'program.missing' })
})
