import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { nodeOptions, withSettings } from '../../bin/main.js'
import { chanceOf } from '../retention/histories.ts'
import type { World } from './world.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Something that goes wrong around the daemon. Moments are of the clock of Europe/Amsterdam, `2027-05-03T00:00`. */
export interface Happening {
  readonly what: 'power-cut' | 'full-disk' | 'dead-vault' | 'broken-mail' | 'dead-database'
  readonly from: string
  /** When it is over; after a power cut, when the machine is there again. */
  readonly until: string
}

export const timezone = 'Europe/Amsterdam'

/** Milliseconds since 1970. */
export function instantOf(local: string): number {
  return Temporal.PlainDateTime.from(local).toZonedDateTime(timezone).epochMilliseconds
}

const script = fileURLToPath(new URL('simulation.ts', import.meta.url))

/** Lets a daemon work from a moment to another, while things happen around it, one at a time or several. */
export async function live(
  world: World,
  from: string,
  until: string,
  happenings: readonly Happening[],
  seed: number,
): Promise<void> {
  const chance = chanceOf(seed)
  const steps = happenings
    .flatMap((happening) => [
      { at: instantOf(happening.from), happening, begins: true },
      { at: instantOf(happening.until), happening, begins: false },
    ])
    .sort((a, b) => a.at - b.at)
  let now = instantOf(from)
  let isFirst = true
  for (const { at, happening, begins } of steps) {
    const isCut = happening.what === 'power-cut'
    if (!isCut || begins) await serve(world, now, at, { isFirst, ...(isCut && { cutAfterMs: chance() * 1200 }) })
    await happen(world, happening, begins)
    now = at
    isFirst = false
  }
  await serve(world, now, instantOf(until), { isFirst })
}

async function happen(world: World, { what }: Happening, begins: boolean): Promise<void> {
  const { disk, box, mailServer, place, postgresql } = world
  const filler = place.at('disk', 'filler')
  switch (what) {
    case 'power-cut':
      return
    case 'full-disk':
      if (begins) disk.fill(filler)
      else disk.run('rm', filler)
      return
    case 'dead-vault':
      return begins ? box.stop() : await box.restart()
    case 'broken-mail':
      mailServer.behaviour = begins ? 'busy' : 'well'
      return
    case 'dead-database':
      return begins ? await postgresql.kill() : await postgresql.restart()
    default:
      return what satisfies never
  }
}

interface Serving {
  readonly isFirst: boolean
  /** Cut off so long after the end was reached, with all that it started. */
  readonly cutAfterMs?: number
}

async function serve(world: World, from: number, until: number, { isFirst, cutAfterMs }: Serving): Promise<void> {
  const dayMs = 86_400_000
  const end = cutAfterMs === undefined ? until : until + dayMs
  const args = [world.place.path, String(from), String(end), ...(isFirst ? ['init'] : [])]
  const [program, ...before] = [...world.disk.under, process.execPath, ...nodeOptions, script]
  const env = withSettings(process.env, root, script)
  const child = spawn(program, [...before, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true, env })
  let problem = ''
  child.stderr.on('data', (bytes: Buffer) => (problem += bytes.toString()))
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  if (cutAfterMs !== undefined) {
    for await (const line of createInterface({ input: child.stdout })) if (Number(line) >= until) break
    await pause(cutAfterMs)
    process.kill(-child.pid!, 'SIGKILL')
  } else {
    child.stdout.resume()
  }
  const [code, signal] = await ended
  if (code !== 0 && cutAfterMs === undefined) throw new Error(`the daemon ended with ${code ?? signal}: ${problem}`)
}
