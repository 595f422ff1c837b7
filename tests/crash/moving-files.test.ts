import assert from 'node:assert/strict'
import { once } from 'node:events'
import { lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

import { chanceOf, isLong, seedOf } from './chance.ts'
import { Installation, reportOf, start } from './program.ts'
import { assertSame, contentsOf } from './record.ts'

const rounds = isLong ? 40 : 3
const seed = seedOf(20_260_105)
const writer = fileURLToPath(new URL('moving-writer.ts', import.meta.url))
const blockBytes = 65_536

/** A length, and so many letters of one kind: all of them, or those that were written first where a write was seen. */
function isUniform(text: string, whole: boolean): boolean {
  if (text === '') return !whole
  const [, length, letters] = /^(\d+) (([a-z])\3*)?$/.exec(text) ?? []
  if (length === undefined) return !whole && /^\d+$/.test(text)
  const count = letters?.length ?? 0
  return whole ? count === Number(length) : count <= Number(length)
}

/** Blocks of a later letter, then blocks of the one before. A write that was just going on may show in one block. */
function isOverwritten(bytes: Buffer): boolean {
  const letters: (number | undefined)[] = []
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = bytes.subarray(at, at + blockBytes)
    letters.push(block.every((byte) => byte === block[0]) ? block[0] : undefined)
  }
  const pure = letters.filter((letter) => letter !== undefined)
  const changes = pure.filter((letter, nth) => nth > 0 && letter !== pure[nth - 1])
  const [newer, older] = [pure[0]! - 97, pure.at(-1)! - 97]
  return (
    letters.length - pure.length <= 1 && (changes.length === 0 || (changes.length === 1 && newer === (older + 1) % 26))
  )
}

/** The numbers from 0, or nothing after a truncation, without a hole. */
function isGrown(text: string): boolean {
  const lines = text.split('\n').slice(0, -1)
  return text.endsWith('\n') ? lines.every((line, nth) => line === String(nth)) : text === ''
}

function wasEverThere(name: string, bytes: Buffer): boolean {
  const text = bytes.toString('latin1')
  if (name === 'small' || name === 'large') return isOverwritten(bytes)
  if (name === 'grows') return isGrown(text)
  return isUniform(text, name.startsWith('exchanged'))
}

test('files that change, grow, vanish or become others while they are read are told, or stored as they were', async (context) => {
  using bewaar = new Installation()
  const project = bewaar.projects['data']!.path
  const chance = chanceOf(seed)
  for (let nth = 0; nth < 200; nth++) {
    mkdirSync(join(project, `d${nth % 9}`), { recursive: true })
    writeFileSync(join(project, `d${nth % 9}`, `f${nth}`), chance.bytes(2000))
  }
  const still = contentsOf(project)
  const moving = join(project, 'moving')
  mkdirSync(moving)
  await bewaar.succeed('init')
  const { child } = start([process.execPath, '--disable-warning=ExperimentalWarning', writer, moving, String(seed)])
  const told: Record<string, number> = {}
  try {
    await once(child.stdout!, 'data')
    for (let round = 0; round < rounds; round++) {
      const ended = await bewaar.run(['run'])
      const report = reportOf(ended.stdout)!
      assert.ok([0, 3].includes(ended.code), ended.stdout)
      const findings = report.findings.filter(({ severity }) => severity !== 'notice')
      assert.equal(ended.code, findings.length > 0 ? 3 : 0)
      for (const { subject, text } of findings) {
        assert.match(subject, /^files\/moving\//)
        told[text] = (told[text] ?? 0) + 1
      }
      const target = join(bewaar.scratch, 'target')
      await bewaar.succeed('restore', '--project=data', `--snapshot=${report.snapshot}`, `--to=${target}`)
      const { moving: _, ...rest } = Object.fromEntries(
        Object.entries(contentsOf(join(target, 'files'))).filter(([path]) => !path.startsWith('moving/')),
      )
      assertSame(rest, still, 'what did not move')
      assertConsistent(join(target, 'files', 'moving'), new Set(findings.map(({ subject }) => subject)))
      rmSync(target, { recursive: true })
    }
  } finally {
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  context.diagnostic(`seed ${seed}; told: ${JSON.stringify(told)}`)
  assert.ok(Object.keys(told).length > 0, 'nothing moved while it was read')
  await bewaar.succeed('run')
  const target = join(bewaar.scratch, 'at-rest')
  await bewaar.succeed('restore', '--project=data', `--to=${target}`)
  assertSame(contentsOf(join(target, 'files')), contentsOf(project), 'after all came to rest')
})

function assertConsistent(folder: string, told: ReadonlySet<string>): void {
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!lstatSync(join(folder, name)).isFile() || told.has(`files/moving/${name}`)) continue
    const bytes = readFileSync(join(folder, name))
    assert.ok(
      wasEverThere(name, bytes),
      `${name} was never so: ${bytes.length} bytes, ${bytes.toString('latin1', 0, 60)}`,
    )
  }
}

test('a file that is torn is seen by what the test of moving files asserts', () => {
  const block = (letter: string): string => letter.repeat(blockBytes)
  assert.ok(wasEverThere('small', Buffer.from(block('c') + block('b'))))
  assert.ok(wasEverThere('small', Buffer.from(block('b') + block('b'))))
  assert.ok(!wasEverThere('small', Buffer.from(block('b') + block('c'))))
  assert.ok(!wasEverThere('small', Buffer.from(block('c') + block('b') + block('c'))))
  assert.ok(!wasEverThere('small', Buffer.from(block('d') + block('b'))))
  assert.ok(wasEverThere('exchanged1', Buffer.from('3 aaa')))
  for (const torn of ['3 aab', '3 aa', '3 aaaa', '']) assert.ok(!wasEverThere('exchanged1', Buffer.from(torn)), torn)
  assert.ok(wasEverThere('vanishes1', Buffer.from('3 aa')) && !wasEverThere('vanishes1', Buffer.from('3 ab')))
  assert.ok(wasEverThere('grows', Buffer.from('0\n1\n2\n')))
  for (const torn of ['0\n2\n', '1\n', '0\n1']) assert.ok(!wasEverThere('grows', Buffer.from(torn)), torn)
})
