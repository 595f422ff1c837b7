import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'

import { AppError, runProgram } from '#base'
import type { Repository } from '#engine'
import { strikeOf, type FaultCase } from './fault-cases.ts'
import type { FaultPlace } from './fault-places.ts'
import {
  assertSound,
  assertWhole,
  countFiles,
  openRun,
  packsPerRun,
  password,
  store,
  type OpenedRun,
  type Wrap,
} from './fault-run.ts'
import { FaultProxy, type Direction, type Strike, type Traffic } from './proxy.ts'

/** What each byte takes on a connection that has become slow: as much less than a second as other times are shorter. */
const slowMs = 10
/** Runs of one repository before the next one is made. */
const runsPerRepository = 16
/** Longer than any login that stalls is waited for, and all that follows. */
const mostMs = 60_000
/** Parts that one run leaves where that cannot be helped: what was under way when the connection broke. */
const mostParts = 5
/** Connections that one run makes at the most, refused ones among them. */
const mostConnections = 24

export interface SweepResult {
  readonly cases: number
  /** Cases whose fault struck. */
  readonly struck: number
  /** Runs that ended with the error of a place that could not be reached, or that kept a part of a file. */
  readonly gaveUp: number
  /** Parts of files that were left where that cannot be helped. */
  readonly parts: number
  /** One line for each case that the judge did not let pass. */
  readonly failures: readonly string[]
  readonly seconds: number
}

export interface SweepOptions {
  readonly seed: number
  /** Cases at once; they mostly wait. Default: 6. */
  readonly lanes?: number
  readonly wrap?: Wrap
  /** Whether stock restic looks at each repository in the end. */
  readonly restic: boolean
}

/** Performs the cases, each in a run of its own, and judges what each of them left behind. */
export async function sweep(
  place: FaultPlace,
  cases: readonly FaultCase[],
  { seed, lanes = 6, wrap, restic }: SweepOptions,
): Promise<SweepResult> {
  const began = performance.now()
  const counts = { struck: 0, gaveUp: 0, parts: 0 }
  const failures: string[] = []
  const queue = cases.values()
  const work = async (lane: number): Promise<void> => {
    await using sweeping = await Lane.open(place, lane, wrap, restic)
    for (const fault of queue) {
      const { strike, trouble, hasStruck, hasGivenUp, parts } = await sweeping.perform(fault, seed)
      if (hasStruck) counts.struck++
      if (hasGivenUp) counts.gaveUp++
      counts.parts += parts
      if (trouble !== undefined) {
        const { nth, among } = fault
        failures.push(`case ${nth} of seed ${seed}: ${JSON.stringify({ ...strike, among })}: ${inspect(trouble)}`)
      }
    }
    await sweeping.finish()
  }
  const ended = await Promise.allSettled(Array.from({ length: lanes }, (_, lane) => work(lane)))
  for (const lane of ended) if (lane.status === 'rejected') failures.push(inspect(lane.reason))
  return { cases: cases.length, ...counts, failures, seconds: Math.round((performance.now() - began) / 1000) }
}

interface Performed {
  readonly strike: Strike
  readonly hasStruck: boolean
  readonly hasGivenUp: boolean
  readonly parts: number
  /** What the judge says against it. */
  readonly trouble: unknown
}

/** Cases one after the other, through a proxy of their own; each repository serves some of them. */
class Lane implements AsyncDisposable {
  readonly #place: FaultPlace
  readonly #proxy: FaultProxy
  readonly #cache: string
  readonly #wrap: Wrap | undefined
  readonly #name: string
  readonly #restic: boolean
  #repositories = 0
  #runs = 0
  /** Parts of packs in the repository. */
  #parts = 0
  #hasBroken = false
  /** Whether the place was reached: what goes wrong after that is tried again. */
  #isConnected = false
  /** Of a run that makes its repository, and of one that finds it. */
  readonly #traffic = new Map<'open' | 'create', Record<Direction, Traffic>>()

  private constructor(place: FaultPlace, proxy: FaultProxy, lane: number, wrap: Wrap | undefined, restic: boolean) {
    this.#place = place
    this.#proxy = proxy
    this.#name = `lane${lane}`
    this.#wrap = wrap
    this.#restic = restic
    this.#cache = mkdtempSync(join(tmpdir(), 'bewaar-faults-'))
  }

  /** Performs two runs without a fault, to learn what passes. */
  static async open(place: FaultPlace, number: number, wrap: Wrap | undefined, restic: boolean): Promise<Lane> {
    const proxy = await FaultProxy.start(place.port)
    proxy.slowMs = slowMs
    const lane = new Lane(place, proxy, number, wrap, restic)
    for (const verb of ['create', 'open'] as const) {
      const traffic = proxy.record()
      await using opened = await lane.#open(verb)
      await lane.#run(opened.repository, 1_000_000 + number)
      lane.#traffic.set(verb, structuredClone(traffic))
    }
    lane.#repositories++
    return lane
  }

  async perform(fault: FaultCase, seed: number): Promise<Performed> {
    if (this.#runs >= runsPerRepository || this.#hasBroken) await this.finish()
    const verb = this.#runs === 0 ? 'create' : 'open'
    const strike = strikeOf(fault, this.#traffic.get(verb)!)
    const content = seed * 10_000 + fault.nth
    const connections = this.#proxy.connections
    const began = performance.now()
    const packs = verb === 'open' ? await countFiles(this.#place, this.#repository, 'pack') : 0
    this.#proxy.arm(strike)
    let thrown: unknown
    let opened: OpenedRun | undefined
    let [hasStruck, parts] = [false, 0]
    try {
      try {
        opened = await this.#open(verb)
        await this.#run(opened.repository, content)
      } catch (error) {
        thrown = error
      }
      hasStruck = this.#proxy.hasStruck
      this.#proxy.heal()
      assert.ok(performance.now() - began < mostMs, 'it took too long')
      const made = this.#proxy.connections - connections
      assert.ok(made <= mostConnections, `${made} connections were made`)
      const left = await assertWhole(this.#place, this.#repository)
      parts = left.removed + left.kept - this.#parts
      this.#parts = left.kept
      assert.ok(parts <= mostParts, `${parts} parts were left`)
      this.#judgeEnd(thrown)
      opened ??= await this.#open(verb)
      await this.#run(opened.repository, content + 5000)
      await this.#judgePacks(packs, thrown !== undefined)
      return { strike, hasStruck, hasGivenUp: thrown !== undefined, parts, trouble: undefined }
    } catch (trouble) {
      // because what is wrong with one repository must not be held against the next case
      this.#hasBroken = true
      const all = thrown === undefined || thrown === trouble ? trouble : [trouble, thrown]
      return { strike, hasStruck, hasGivenUp: thrown !== undefined, parts, trouble: all }
    } finally {
      this.#runs++
      await opened?.[Symbol.asyncDispose]()
    }
  }

  /** Ends with the repository: stock restic must find it sound, before and after it has pruned it. */
  async finish(): Promise<void> {
    const [isJudged, repository] = [this.#restic && this.#runs > 0 && !this.#hasBroken, this.#repository]
    this.#repositories++
    this.#runs = 0
    this.#parts = 0
    this.#hasBroken = false
    if (!isJudged) return
    const { at, env } = this.#place.restic(repository)
    const run = (...args: string[]): Promise<string> =>
      runProgram('restic', ['-r', at, '--no-cache', ...args], {
        env: { PATH: process.env['PATH'], HOME: this.#cache, RESTIC_PASSWORD: password.reveal(), ...env },
      })
    await run('check', '--read-data')
    await run('prune', '--max-unused', '0')
    await run('check', '--read-data')
    const { length: snapshots } = JSON.parse(await run('snapshots', '--json')) as readonly unknown[]
    const packs = await countFiles(this.#place, repository, 'pack')
    assert.ok(packs <= packsPerRun * snapshots, `${packs} packs after prune, ${snapshots} snapshots`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy[Symbol.asyncDispose]()
    rmSync(this.#cache, { recursive: true, force: true })
  }

  get #repository(): string {
    return `${this.#name}-${this.#repositories}`
  }

  async #open(verb: 'open' | 'create'): Promise<OpenedRun> {
    this.#isConnected = false
    const way = { place: this.#place, port: this.#proxy.port, repository: this.#repository, cache: this.#cache }
    return await openRun(verb, { ...way, ...(this.#wrap && { wrap: this.#wrap }) }, () => (this.#isConnected = true))
  }

  /** Stores some files, and reads all that is stored. */
  async #run(repository: Repository, content: number): Promise<void> {
    await store(repository, content)
    await assertSound(repository)
  }

  /** Only a place that could not be opened ends a run, and in our own words. */
  #judgeEnd(thrown: unknown): void {
    if (thrown === undefined) return
    if (!(thrown instanceof AppError)) throw thrown
    const mayEnd = this.#place.keepsParts && thrown.code === 'backend.half-stored'
    if (this.#isConnected && !mayEnd) throw thrown
    assert.equal(thrown.kind, 'unavailable')
  }

  /** No pack is there twice, and no lock is left that keeps others out. */
  async #judgePacks(before: number, hasGivenUp: boolean): Promise<void> {
    const most = before + (hasGivenUp ? 3 : 2) * packsPerRun
    const packs = await countFiles(this.#place, this.#repository, 'pack')
    assert.ok(packs <= most, `${packs} packs, and at most ${most} were needed`)
    const locks = await countFiles(this.#place, this.#repository, 'lock')
    assert.ok(locks === 0 || hasGivenUp, `${locks} locks are left`)
  }
}
