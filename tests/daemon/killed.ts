import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { chanceOf } from '../crash/chance.ts'
import { stage } from './scene.ts'

const program = fileURLToPath(new URL('kept.ts', import.meta.url))
const cache = fileURLToPath(new URL('../../node_modules/.cache/bewaar', import.meta.url))
const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs
const speed = 60
const firstSlot = Date.parse('2026-11-02T02:00:00Z')

/**
 * Kills a daemon at random moments of its runs and copies, several times a slot, then lets it finish. Each slot must have one
 * run that made a backup and one snapshot in each vault in the end, and stock restic must find both vaults sound and unlocked.
 */
export async function killAndRestart({
  kills,
  seed,
}: {
  readonly kills: number
  readonly seed: number
}): Promise<void> {
  const chance = chanceOf(seed)
  await using scene = await stage(new Date(firstSlot).toISOString(), {
    shop: 'schedule: daily 03:00, vault: local, copies: [{ to: archive }]',
  })
  await scene.write('shop/large.bin', Buffer.alloc(24 * 1024 * 1024, 'not much').toString())
  await scene.init()
  const start = (at: number): ChildProcess => {
    const config = join(scene.folder, 'bewaar.yaml')
    const args = ['--disable-warning=ExperimentalWarning', program, config, new Date(at).toISOString(), String(speed)]
    const env = { ...process.env, NODE_COMPILE_CACHE: cache }
    return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], env })
  }

  let slots = 0
  for (let killed = 0; killed < kills; slots++) {
    const slot = firstSlot + slots * dayMs
    await scene.write(`shop/of-${slots}.txt`, String(chance.next()).repeat(100_000))
    let at = slot
    for (let left = 1 + chance.below(3); left > 0 && killed < kills; left--, killed++, at += 60 * minuteMs) {
      const child = start(at)
      const begun = Promise.race([saysOf(child, /begins/), once(child, 'exit')])
      await begun
      await setTimeout(chance.next() * 1200)
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
    const child = start(at)
    const ended = once(child, 'exit') as Promise<[number | null]>
    await waitFor(async () => (await idle(scene, slot)) || child.exitCode !== null, `slot ${slots}, seed ${seed}`)
    child.kill('SIGTERM')
    assert.equal((await ended)[0], 0)
  }

  const runs = await scene.runs('shop')
  for (let index = 0; index < slots; index++) {
    const made = runs.filter(({ slot, snapshot }) => slot === firstSlot + index * dayMs && snapshot !== undefined)
    assert.equal(made.length, 1, `slot ${index}, seed ${seed}`)
  }
  assert.ok(runs.every(({ status }) => status !== 'running'))
  for (const vault of ['local', 'archive']) {
    const repository = join(scene.folder, vault, 'shop')
    const listed = JSON.parse(await restic(repository, scene.folder, 'snapshots', '--json')) as unknown[]
    assert.equal(listed.length, slots, `${vault}, seed ${seed}`)
    await restic(repository, scene.folder, 'check')
    assert.equal((await restic(repository, scene.folder, 'list', 'locks', '--no-lock')).trim(), '', 'a lock was left')
  }
}

/** Whether the slot has its backup in both vaults, and nothing is being done. */
async function idle(scene: Awaited<ReturnType<typeof stage>>, slot: number): Promise<boolean> {
  await using opened = await scene.open()
  const { runs, copies, snapshots } = opened.services.catalog
  const all = await runs.list({ project: 'shop' })
  const isMade = all.some((run) => run.slot === slot && run.snapshot !== undefined)
  const isBusy = all.some(({ status }) => status === 'running') || (await copies.open()).length > 0
  const [here, there] = [await snapshots.list({ vault: 'local' }), await snapshots.list({ vault: 'archive' })]
  return isMade && !isBusy && here.length === there.length
}

async function waitFor(isSo: () => Promise<boolean>, what: string): Promise<void> {
  for (let left = 600; left > 0; left--) {
    if (await isSo()) return
    await setTimeout(100)
  }
  throw new Error(`it did not finish: ${what}`)
}

async function saysOf(child: ChildProcess, pattern: RegExp): Promise<void> {
  for await (const bytes of child.stdout!.iterator({ destroyOnReturn: false })) {
    if (pattern.test(String(bytes))) return void child.stdout!.resume()
  }
}

async function restic(repository: string, folder: string, ...args: readonly string[]): Promise<string> {
  const child = spawn('restic', [
    '--repo',
    repository,
    '--password-file',
    join(folder, 'password'),
    '--no-cache',
    ...args,
  ])
  let [out, err] = ['', '']
  child.stdout.on('data', (bytes: Buffer) => (out += bytes.toString()))
  child.stderr.on('data', (bytes: Buffer) => (err += bytes.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  assert.equal(code, 0, `restic ${args.join(' ')}: ${out}${err}`)
  return out
}
