import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { archive, type Backend, check, openRepository, type Repository } from '#engine'
import { memoryPassword } from '#engine/testing'
import type { Chance } from './chance.ts'
import { assertSame, type Contents, contentsOf, SnapshotReader } from './record.ts'

export const opening = { password: memoryPassword, lockTimings: { settleMs: 0 } }

/** What a folder of a history holds at the beginning. */
export interface HistorySize {
  readonly files: number
  /** Bytes of the largest of them. */
  readonly largest: number
}

/** A folder that changes by chance, its backups, and a record of what each of them must hold. */
export class History implements Disposable {
  readonly folder: string
  /** What each snapshot must hold, and below which folder of it; by its hex id. */
  readonly records: Map<string, { readonly contents: Contents; readonly strip: string }> = new Map()
  readonly #chance: Chance
  readonly #size: HistorySize
  #round = 0

  constructor(chance: Chance, size: HistorySize) {
    this.#chance = chance
    this.#size = size
    this.folder = mkdtempSync(join(tmpdir(), 'bewaar-history-'))
    for (let nth = 0; nth < size.files; nth++) this.#write()
  }

  /** Writes, writes over and removes some files. */
  change(): void {
    this.#round++
    for (let nth = this.#chance.below(1 + this.#size.files / 4); nth >= 0; nth--) this.#write()
    for (const name of readdirSync(this.folder)) {
      for (const file of readdirSync(join(this.folder, name))) {
        if (this.#chance.next() < 0.08) rmSync(join(this.folder, name, file))
      }
    }
  }

  /** One more backup by the engine. */
  async backUp(repository: Repository): Promise<string> {
    const { snapshot, findings } = await archive(repository, {
      parts: [{ kind: 'folder', at: 'files', path: this.folder }],
      timeNs: BigInt(Date.UTC(2026, 0, 1) + this.#round * 3_600_000) * 1_000_000n,
      paths: [this.folder],
      hostname: 'here',
    })
    assert.deepEqual(findings, [])
    this.take(snapshot, 'files')
    return snapshot
  }

  /** Notes what a snapshot must hold that was made just now. @param strip - the folder of it that stands for ours. */
  take(snapshot: string, strip: string): void {
    this.records.set(snapshot, { contents: contentsOf(this.folder), strip })
  }

  /** Ids of some snapshots, which are records no more; the newest one stays. */
  letGo(share: number): string[] {
    const some = [...this.records.keys()].slice(0, -1).filter(() => this.#chance.next() < share)
    for (const id of some) this.records.delete(id)
    return some
  }

  /** Each snapshot that is recorded, and no other, is there and holds what it must; nothing is worse than superfluous. */
  async assertWhole(backend: Backend, what: string): Promise<void> {
    await using repository = await openRepository(backend, opening)
    const { snapshots } = await repository.listSnapshots()
    assert.deepEqual(snapshots.map(({ id }) => id).sort(), [...this.records.keys()].sort(), what)
    const { findings } = await check(repository, { readShare: 1 })
    const serious = findings.filter(({ severity }) => severity !== 'notice')
    assert.deepEqual(serious, [], what)
    const reader = new SnapshotReader(repository)
    for (const [id, { contents, strip }] of this.records) {
      assertSame(await reader.contents(id, strip), contents, `${what}: snapshot ${id}`)
    }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  #write(): void {
    const folder = join(this.folder, `d${this.#chance.below(6)}`)
    mkdirSync(folder, { recursive: true })
    const most = this.#chance.next() < 0.2 ? this.#size.largest : 3000
    writeFileSync(
      join(folder, `f${this.#chance.below(this.#size.files)}`),
      this.#chance.bytes(this.#chance.below(most)),
    )
  }
}
