import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { contenders, type Contender } from './contenders.ts'
import { isUndecided, type Bounds } from './gate.ts'
import { outcomesOf, type Done, type Outcome } from './outcomes.ts'

export interface BenchRequest {
  /** Where data and stores lie. Data stays there for the next time. */
  readonly home: string
  /** 1 is full size. */
  readonly scale: number
  /** At least; where chance may decide about a bound there are more. */
  readonly rounds: number
  readonly seed: string
  /** Names of contenders besides Bewaar. */
  readonly peers: readonly string[]
  readonly isWanted: (name: string) => boolean
  readonly bounds?: Bounds
}

type Program = Pick<Contender, 'name'>

const mostRounds = 9

/** Data, stores and outcomes of one time that cases are run. */
export class Bench {
  readonly scale: number
  readonly rounds: number
  readonly seed: string
  readonly isWanted: (name: string) => boolean
  readonly running: readonly Contender[]
  readonly outcomes: Outcome[] = []
  readonly #home: string
  readonly #bounds: Bounds

  constructor({ home, scale, rounds, seed, peers, isWanted, bounds = {} }: BenchRequest) {
    this.scale = scale
    this.rounds = rounds
    this.seed = seed
    this.isWanted = isWanted
    this.running = contenders.filter(({ name }, nth) => nth === 0 || peers.includes(name))
    this.#home = home
    this.#bounds = bounds
  }

  /** Lets each program do the same work in turn, and the next time round in the other order. */
  compare<One extends Program>(
    name: string,
    programs: readonly One[],
    work: (program: One, round: number) => Done | undefined,
  ): void {
    if (!this.isWanted(name)) return
    const rows = new Map<string, Done[]>()
    for (let round = 0; round < this.rounds || (round < mostRounds && isUndecided(rows, this.#bounds[name])); round++) {
      for (const program of inTurn(programs, round)) this.note(rows, program, work(program, round))
    }
    this.conclude(name, rows)
  }

  note(rows: Map<string, Done[]>, { name }: Program, done: Done | undefined): void {
    if (done) rows.set(name, [...(rows.get(name) ?? []), done])
  }

  conclude(name: string, rows: ReadonlyMap<string, readonly Done[]>): void {
    for (const outcome of outcomesOf(name, rows)) {
      this.outcomes.push(outcome)
      const { program, seconds, cpuSeconds } = outcome
      const ratios = outcome.ratios['restic']
      const beside = ratios && `, ratios ${ratios.seconds.median.toFixed(2)} and ${ratios.cpuSeconds.median.toFixed(2)}`
      const rounds = rows.get(program)!.length
      const text = `${program} ${seconds.toFixed(2)} s, CPU ${cpuSeconds.toFixed(2)} s${beside ?? ''}, ${rounds} rounds`
      console.error(`${name}: ${text}`)
    }
  }

  /** A folder that is not there, in one that is. What others left to be written is written, so that nobody waits for it. */
  fresh(name: string): string {
    const folder = join(this.#home, 'stores', name)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(join(folder, '..'), { recursive: true })
    spawnSync('sync', ['-f', this.#home])
    return folder
  }

  /** Removes all stores, so that the cases after have room. */
  clear(): void {
    rmSync(join(this.#home, 'stores'), { recursive: true, force: true })
  }

  /** A folder of data that is made once and kept. */
  prepared(name: string, make: (path: string) => void): string {
    const path = join(this.#home, `data-${this.seed}-${this.scale}`, name)
    if (!existsSync(madeOf(path))) {
      rmSync(path, { recursive: true, force: true })
      mkdirSync(path, { recursive: true })
      make(path)
      writeFileSync(madeOf(path), '')
    }
    return path
  }

  /** After data was changed: it is made again the next time. */
  spoilt(path: string): void {
    rmSync(madeOf(path), { force: true })
  }
}

function madeOf(path: string): string {
  return `${path}.made`
}

export function inTurn<One>(programs: readonly One[], round: number): readonly One[] {
  return round % 2 === 0 ? programs : programs.toReversed()
}

export function bytesIn(path: string): number {
  if (!statSync(path).isDirectory()) return statSync(path).size
  const entries = readdirSync(path, { recursive: true, withFileTypes: true })
  return entries.reduce(
    (sum, entry) => sum + (entry.isFile() ? statSync(join(entry.parentPath, entry.name)).size : 0),
    0,
  )
}
