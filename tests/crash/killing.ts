import assert from 'node:assert/strict'
import { existsSync, globSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import { catalogFile, openCatalog } from '#catalog'
import { check } from '#engine'
import { assertTyped, type Ended, type Installation, reportOf } from './program.ts'
import { assertSame, type Contents, contentsOf, SnapshotReader } from './record.ts'

/**
 * Runs of one project, some of them killed, and a record of what every snapshot must hold: written down from the project
 * and from what the program printed, never from what the vault says of itself.
 */
export class KilledRuns {
  readonly #bewaar: Installation
  readonly #project: string
  readonly repository: string
  /** What the project held when the snapshot was made, by id; the acknowledged ones, and those seen after a kill. */
  readonly #records = new Map<string, Contents>()
  readonly #acknowledged = new Set<string>()
  /** Of the whole runs: until the lock was there, and from then to the end. */
  readonly #startsMs: number[] = []
  readonly #worksMs: number[] = []
  readonly #figures = { killed: 0, ended: 0, withLock: 0, withTemporaryFiles: 0, withNewPacks: 0, withSnapshot: 0 }

  constructor(bewaar: Installation) {
    this.#bewaar = bewaar
    this.#project = bewaar.projects['data']!.path
    this.repository = bewaar.repository()
  }

  /** A run that must be complete. */
  async runWhole(): Promise<void> {
    const began = performance.now()
    const { ended } = this.#bewaar.start(['run'])
    await this.#untilLocked(ended)
    const locked = performance.now()
    const end = await ended
    this.#startsMs.push(locked - began)
    this.#worksMs.push(performance.now() - locked)
    assertTyped(end)
    assert.equal(end.code, 0, end.stderr + end.stdout)
    this.#takeDown(end)
  }

  /**
   * @param share - how far the run is when it is killed, 0 to 1. The first fifth of it stands for the start of the program,
   * until it has locked the repository: there is less to lose.
   */
  async runKilled(share: number): Promise<void> {
    const packs = this.#packs()
    const snapshots = new Set(this.snapshots())
    const { child, ended } = this.#bewaar.start(['run'])
    if (share >= 0.2) await this.#untilLocked(ended)
    const waitMs = share < 0.2 ? share * 5 * usual(this.#startsMs) : ((share - 0.2) / 0.8) * usual(this.#worksMs)
    await Promise.race([pause(waitMs), ended])
    child.kill('SIGKILL')
    const end = await ended
    if (end.code === 137) this.#figures.killed++
    else this.#figures.ended++
    if (end.code !== 137) assertTyped(end)
    if (end.stdout !== '') this.#takeDown(end)
    const fresh = this.snapshots().filter((id) => !snapshots.has(id))
    // because a snapshot that is there is believed in, whether or not anybody was told of it
    for (const id of fresh) this.#records.set(id, contentsOf(this.#project))
    if (readdirSync(join(this.repository, 'locks')).length > 0) this.#figures.withLock++
    if (globSync('*/**/*-tmp-*', { cwd: this.repository }).length > 0) this.#figures.withTemporaryFiles++
    if (this.#packs() > packs) this.#figures.withNewPacks++
    if (fresh.length > 0) this.#figures.withSnapshot++
  }

  /** Every snapshot that was ever seen is there and equals its record; nothing of the repository is damaged. */
  async assertNothingLost(): Promise<void> {
    assert.deepEqual(this.snapshots(), [...this.#records.keys()].sort())
    await using repository = await this.#bewaar.open()
    const { findings } = await check(repository, { readShare: 0 })
    const serious = findings.filter(({ severity }) => severity !== 'notice')
    assert.deepEqual(serious, [])
    const reader = new SnapshotReader(repository)
    for (const [id, record] of this.#records) assertSame(await reader.contents(id), record, `snapshot ${id}`)
  }

  /** The catalog opens as it is, and knows how every run ended. */
  async assertCatalogWhole(): Promise<void> {
    await using catalog = await openCatalog(catalogFile(this.#bewaar.state), { purpose: 'read' })
    const runs = await catalog.runs.list()
    assert.ok(runs.every(({ status }) => status !== 'running'))
    const complete = runs.filter(({ status }) => status === 'complete').map(({ snapshot }) => snapshot)
    for (const id of this.#acknowledged) assert.ok(complete.includes(id), `the catalog does not know ${id}`)
  }

  /** Restores snapshots to folders: every nth with stock restic, and fewer as people do. */
  async assertRestored(every: number): Promise<void> {
    const { scratch } = this.#bewaar
    for (const [nth, [id, record]] of [...this.#records].entries()) {
      const [ours, theirs] = [join(scratch, `ours${nth}`), join(scratch, `theirs${nth}`)]
      if (nth % every !== 0) continue
      await this.#bewaar.restic(this.repository, 'restore', id, '--target', theirs)
      assertSame(contentsOf(join(theirs, 'files')), record, `restic's restore of ${id}`)
      rmSync(theirs, { recursive: true })
      if (nth % (every * 4) !== 0) continue
      await this.#bewaar.succeed('restore', '--project=data', `--snapshot=${id}`, `--to=${ours}`)
      assertSame(contentsOf(join(ours, 'files')), record, `restore of ${id}`)
      rmSync(ours, { recursive: true })
    }
  }

  snapshots(): string[] {
    return readdirSync(join(this.repository, 'snapshots')).filter(isFileName).sort()
  }

  /** Another content for one path of every record, so that a comparison must fail. */
  spoil(path: string): void {
    for (const [id, record] of this.#records) this.#records.set(id, { ...record, [path]: 'spoiled' })
  }

  figures(): string {
    const { killed, ended, withLock, withTemporaryFiles, withNewPacks, withSnapshot } = this.#figures
    return (
      `${killed} runs killed, ${ended} ended before; left behind: ${withLock} locks, ` +
      `${withTemporaryFiles} with temporary files, ${withNewPacks} with new packs, ${withSnapshot} with a snapshot; ` +
      `${this.#acknowledged.size} snapshots acknowledged, ${this.#records.size} there`
    )
  }

  async #untilLocked(ended: Promise<unknown>): Promise<void> {
    const locks = join(this.repository, 'locks')
    const before = new Set(readdirSync(locks))
    const over = new AbortController()
    void ended.then(() => over.abort())
    const isLocked = (): boolean => readdirSync(locks).some((name) => !before.has(name) && isFileName(name))
    while (!over.signal.aborted && !isLocked()) await pause(3)
  }

  #takeDown({ stdout }: Ended): void {
    const report = reportOf(stdout)
    assert.equal(report?.status, 'complete', stdout)
    this.#records.set(report.snapshot!, contentsOf(this.#project))
    this.#acknowledged.add(report.snapshot!)
  }

  #packs(): number {
    return existsSync(this.repository) ? globSync('data/??/*', { cwd: this.repository }).length : 0
  }
}

function isFileName(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name)
}

/** The middle of the last three. */
function usual(durationsMs: readonly number[]): number {
  const last = durationsMs.slice(-3).sort((a, b) => a - b)
  return last[last.length >> 1]!
}
