import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'

import { craftRepository } from '#engine/testing'
import { isLong, seedOf } from '../crash/chance.ts'
import { assertTyped, type Ended, main, type RunReport } from '../crash/program.ts'
import { bombs, brokenCases, contentCases, fileCases, type HostileCase, soundContent } from './cases.ts'
import { Stage } from './stage.ts'

/** Bytes that a program may hold that meets a bomb; a quiet one holds 150 MB. */
const memoryLimit = 900 * 2 ** 20

/** All cases when sweeps are to be whole, else every third, another third with another seed. */
function sample(cases: readonly HostileCase[]): readonly HostileCase[] {
  return isLong ? cases : cases.filter((_, nth) => nth % 3 === seedOf(0) % 3)
}

async function setUp({ craft, change }: HostileCase): Promise<Stage> {
  const stage = new Stage()
  await stage.place(await craftRepository(craft))
  change?.(stage)
  return stage
}

/** What the verbs made of a repository, in the order in which they were asked. */
interface Outcome {
  readonly verify: Ended
  readonly restore: Ended
}

async function restoreAndVerify(stage: Stage): Promise<Outcome> {
  const verify = await stage.bewaar('verify')
  assertTyped(verify)
  const restore = await stage.bewaar('restore', '--project=data', `--to=${stage.target}`, '--yes')
  assertTyped(restore)
  stage.assertNothingOutside()
  return { verify, restore }
}

/** Whatever was restored is what the snapshot meant, and a restore that calls itself complete brought all of it. */
function assertHonest(stage: Stage, { original, harmless }: HostileCase, { restore }: Outcome): void {
  const restored = stage.restored()
  const wanted = original ?? soundContent
  for (const [path, content] of Object.entries(restored)) {
    assert.equal(content, wanted[path], `${JSON.stringify(path)} was restored as something else`)
  }
  if (restore.code === 0 && (original ?? harmless))
    assert.deepEqual(Object.keys(restored).sort(), Object.keys(wanted).sort())
}

function isTold({ code, stdout }: Ended): boolean {
  return code !== 0 || (JSON.parse(stdout) as { findings: unknown[] }).findings.length > 0
}

function assertTold({ harmless, verify, restore }: HostileCase, outcome: Outcome): void {
  const said = JSON.stringify(outcome, undefined, 1)
  if (harmless) assert.deepEqual([outcome.verify.code, outcome.restore.code], [0, 0], said)
  else assert.ok(isTold(outcome.verify) || isTold(outcome.restore), `nobody said a word: ${said}`)
  if (verify !== undefined) assert.equal(outcome.verify.code, verify, said)
  if (restore !== undefined) assert.equal(outcome.restore.code, restore, said)
}

/** A run may refuse such a repository; when it makes a snapshot, that one is whole. */
async function assertRunHonest(stage: Stage): Promise<void> {
  assertTyped(await stage.bewaar('list'))
  const run = await stage.bewaar('run')
  assertTyped(run)
  stage.assertNothingOutside()
  if (run.code !== 0 && run.code !== 3) return
  const [report] = JSON.parse(run.stdout) as RunReport[]
  const to = join(stage.scratch, 'state', 'again')
  const again = await stage.bewaar('restore', '--project=data', `--snapshot=${report!.snapshot}`, `--to=${to}`)
  assertTyped(again)
  assert.equal(readFileSync(join(to, 'files', 'mine'), 'utf8'), readFileSync(join(stage.project, 'mine'), 'utf8'))
}

describe(
  'a hostile repository is told, restores nothing wrong and writes nothing outside: ',
  { concurrency: 4 },
  () => {
    for (const hostile of sample([...contentCases, ...fileCases, ...brokenCases])) {
      test(hostile.title, async () => {
        using stage = await setUp(hostile)
        const outcome = await restoreAndVerify(stage)
        assertHonest(stage, hostile, outcome)
        assertTold(hostile, outcome)
        if (fileCases.includes(hostile)) await assertRunHonest(stage)
      })
    }
  },
)

/** Runs a verb in a process of its own. @returns how it ended, and the most memory that it held, in bytes. */
async function measure(stage: Stage, ...args: readonly string[]): Promise<{ ended: Ended; peak: number }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...stage.args(...args)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (text) => (texts[name] += String(text)))
  const closed = once(child, 'close')
  let peak = 0
  while (child.exitCode === null && child.signalCode === null) {
    peak = Math.max(peak, peakOf(child.pid!))
    await pause(5)
  }
  await closed
  return { ended: { code: child.exitCode ?? 128, ...texts }, peak }
}

function peakOf(pid: number): number {
  const path = `/proc/${pid}/status`
  if (!existsSync(path)) return 0
  try {
    return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0 // because the process may end at any moment
  }
}

describe('a bomb fills no memory and takes no time: ', { concurrency: 2 }, () => {
  for (const hostile of bombs) {
    test(hostile.title, async () => {
      using stage = await setUp(hostile)
      const verbs = [['verify'], ['restore', '--project=data', `--to=${stage.target}`, '--yes']]
      const outcome: Ended[] = []
      for (const verb of verbs) {
        const { ended, peak } = await measure(stage, ...verb)
        assertTyped(ended)
        assert.ok(peak < memoryLimit, `${verb[0]} took ${peak} bytes`)
        outcome.push(ended)
      }
      stage.assertNothingOutside()
      const [verify, restore] = outcome as [Ended, Ended]
      assertHonest(stage, hostile, { verify, restore })
      assertTold(hostile, { verify, restore })
    })
  }
})

test('what was restored thousands of folders deep lies there', async () => {
  const hostile = contentCases.find(({ title }) => title.includes('deep'))!
  using stage = await setUp(hostile)
  const { restore } = await restoreAndVerify(stage)
  assert.equal(restore.code, 0, restore.stderr)
  const found = spawnSync('find', [stage.target, '-name', 'bottom', '-execdir', 'cat', '{}', ';'], { encoding: 'utf8' })
  assert.equal(found.stdout, 'bottom')
})

test('a repository without any deviation is sound and restored whole, so the cases differ by theirs alone', async () => {
  const plain: HostileCase = { title: 'none', original: soundContent, harmless: true }
  using stage = await setUp(plain)
  const outcome = await restoreAndVerify(stage)
  assertHonest(stage, plain, outcome)
  assertTold(plain, outcome)
  await assertRunHonest(stage)
  assert.ok(statSync(stage.target).isDirectory())
  const wrong = { ...plain, original: { 0: 'something else' } }
  assert.throws(() => assertHonest(stage, wrong, outcome), /was restored as something else/)
})
