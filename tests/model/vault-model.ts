import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'

import type { Chance } from '../crash/chance.ts'
import { assertTyped, errorOf, Installation, reportOf } from '../crash/program.ts'
import { assertSame, changeProject, type Contents, contentsOf, makeProject, SnapshotReader } from '../crash/record.ts'

/** A snapshot that somebody was told of. */
interface Known {
  readonly contents: Contents
  /** Where the project lies in it. */
  readonly strip: string
}

type Verb = (model: VaultModel) => Promise<string>

/**
 * Two installations of Bewaar and stock restic, all on one repository, and a small model of what it must hold. After
 * each verb every snapshot of the model is in the repository and equals what the project was when it was made.
 */
export class VaultModel implements AsyncDisposable {
  readonly #chance: Chance
  readonly #clients: readonly Installation[]
  readonly #project: string
  readonly #repository: string
  readonly #known = new Map<string, Known>()
  /** Copies in the second vault, by the snapshot that they were made of. */
  readonly #copies = new Map<string, Known>()
  #round = 0
  /** Verbs that wait for their turn: each has had it before any has it again. */
  #deck: Verb[] = []

  constructor(chance: Chance) {
    this.#chance = chance
    const first = new Installation((scratch) => ({
      vaults: { vault: join(scratch, 'vault'), second: join(scratch, 'second') },
      projects: { data: { path: join(scratch, 'project'), copies: ['second'] } },
    }))
    const second = new Installation(() => ({ vaults: first.vaults, projects: first.projects }))
    this.#clients = [first, second]
    this.#project = first.projects['data']!.path
    this.#repository = first.repository()
  }

  async begin(): Promise<void> {
    makeProject(this.#project, this.#chance, { small: 40, large: 1, largeBytes: 1_500_000 })
    for (const client of this.#clients) await client.succeed('init')
  }

  /** Performs one verb by chance and checks the invariant. @returns what was done, for the report of a failure. */
  async step(): Promise<string> {
    if (this.#deck.length === 0) this.#deck = [...verbs]
    const [verb] = this.#deck.splice(this.#chance.below(this.#deck.length), 1)
    const said = await verb!(this)
    await this.#assertInvariant()
    return said
  }

  async end(): Promise<void> {
    for (const vault of ['vault', 'second']) {
      const repository = this.#clients[0]!.repository('data', vault)
      await this.#clients[0]!.restic(repository, 'unlock')
      await this.#clients[0]!.restic(repository, 'check', '--read-data')
    }
  }

  async backUp(): Promise<string> {
    if (this.#chance.next() < 0.7) this.#change()
    const client = this.#client()
    const { snapshot, status } = reportOf(JSON.stringify(await client.succeed('run')))!
    assert.equal(status, 'complete')
    this.#known.set(snapshot!, { contents: contentsOf(this.#project), strip: 'files' })
    return `backup ${snapshot!.slice(0, 8)}`
  }

  async backUpByRestic(): Promise<string> {
    this.#change()
    const printed = await this.#restic('backup', '--json', this.#project)
    const { snapshot_id: name } = JSON.parse(printed.trim().split('\n').at(-1)!) as { snapshot_id: string }
    await using repository = await this.#clients[0]!.open()
    const { id } = await repository.findSnapshot(name)
    this.#known.set(id, { contents: contentsOf(this.#project), strip: this.#project.slice(1) })
    return `restic backup ${name}`
  }

  async killRun(): Promise<string> {
    this.#change()
    const before = await this.#ids()
    const { child, ended } = this.#client().start(['run'])
    const waitMs = this.#chance.below(2500)
    await Promise.race([pause(waitMs), ended])
    child.kill('SIGKILL')
    const end = await ended
    if (end.code !== 137) assertTyped(end)
    const report = reportOf(end.stdout)
    for (const id of await this.#ids()) {
      if (!before.has(id)) this.#known.set(id, { contents: contentsOf(this.#project), strip: 'files' })
    }
    if (report?.snapshot) assert.ok(this.#known.has(report.snapshot))
    return `run killed after ${waitMs} ms, code ${end.code}`
  }

  async forget(): Promise<string> {
    if (this.#known.size < 2) return 'nothing to forget'
    const id = this.#chance.pick([...this.#known.keys()])
    await this.#restic('unlock')
    await this.#restic('forget', id)
    this.#known.delete(id)
    return `forget ${id.slice(0, 8)}`
  }

  async prune(): Promise<string> {
    await this.#restic('unlock')
    await this.#restic('prune', '--max-unused', '0')
    return 'prune'
  }

  /** Whoever comes second is refused, or waits for its turn; whatever is said to be done is done. */
  async pruneWhileRunning(): Promise<string> {
    this.#change()
    await this.#restic('unlock')
    const client = this.#client()
    const running = client.start(['run'])
    await pause(this.#chance.below(1500))
    const prune = await client.tryRestic(this.#repository, ['prune', '--max-unused', '0'])
    const end = await running.ended
    assertTyped(end)
    const report = reportOf(end.stdout)
    if (end.code === 0) this.#known.set(report!.snapshot!, { contents: contentsOf(this.#project), strip: 'files' })
    else assert.deepEqual([end.code, report?.error?.code], [11, 'repository.locked'], end.stderr + end.stdout)
    if (prune.code !== 0) assert.match(prune.stderr, /already locked/)
    return `run ended with ${end.code} beside a prune that ended with ${prune.code}`
  }

  async twoRuns(): Promise<string> {
    this.#change()
    const contents = contentsOf(this.#project)
    const ended = await Promise.all(this.#clients.map((client) => client.run(['run'])))
    for (const { code, stdout, stderr } of ended) {
      assert.equal(code, 0, stderr + stdout)
      this.#known.set(reportOf(stdout)!.snapshot!, { contents, strip: 'files' })
    }
    return 'two runs at once'
  }

  async copy(): Promise<string> {
    await this.#clients[0]!.succeed('copy')
    for (const [id, known] of this.#known) this.#copies.set(id, known)
    return `copy of ${this.#known.size}`
  }

  async verify(): Promise<string> {
    await this.#client().succeed('verify', '--vault=vault')
    return 'verify'
  }

  async restore(): Promise<string> {
    if (this.#known.size === 0) return 'nothing to restore'
    const id = this.#chance.pick([...this.#known.keys()])
    const client = this.#client()
    const target = join(client.scratch, `target${this.#round++}`)
    await client.succeed('restore', '--project=data', `--snapshot=${id}`, `--to=${target}`)
    const { contents, strip } = this.#known.get(id)!
    assertSame(contentsOf(join(target, strip)), contents, `restore of ${id}`)
    return `restore ${id.slice(0, 8)}`
  }

  async list(): Promise<string> {
    const list = (await this.#client().succeed('list')) as { snapshot: string; vault: string }[]
    const listed = list.filter(({ vault }) => vault === 'vault').map(({ snapshot }) => snapshot)
    assert.deepEqual(listed.sort(), [...this.#known.keys()].sort())
    return 'list'
  }

  async restoreWhatIsGone(): Promise<string> {
    const id = 'ab'.repeat(32)
    const ended = await this.#client().run([
      'restore',
      '--project=data',
      `--snapshot=${id}`,
      `--to=${this.#project}-gone`,
    ])
    assert.deepEqual([ended.code, errorOf(ended).code], [1, 'restore.no-backup'])
    return 'restore of nothing'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client[Symbol.dispose]()
    return Promise.resolve()
  }

  async #assertInvariant(): Promise<void> {
    assert.deepEqual([...(await this.#ids())].sort(), [...this.#known.keys()].sort())
    await this.#assertHolds('vault', this.#known)
    await using second = await this.#clients[0]!.open('data', 'second')
    const { snapshots } = await second.listSnapshots()
    const copies = new Map(snapshots.map(({ id, snapshot }) => [snapshot.original, id]))
    const wanted = [...this.#copies].map(([source, known]): [string, Known] => {
      assert.ok(copies.has(source), `there is no copy of ${source}`)
      return [copies.get(source)!, known]
    })
    await this.#assertHolds('second', new Map(wanted))
  }

  async #assertHolds(vault: string, wanted: ReadonlyMap<string, Known>): Promise<void> {
    await using repository = await this.#clients[0]!.open('data', vault)
    const reader = new SnapshotReader(repository)
    for (const [id, { contents, strip }] of wanted) {
      assertSame(await reader.contents(id, strip), contents, `snapshot ${id} in ${vault}`)
    }
  }

  async #ids(): Promise<Set<string>> {
    await using repository = await this.#clients[0]!.open()
    const { snapshots } = await repository.listSnapshots()
    return new Set(snapshots.map(({ id }) => id))
  }

  #change(): void {
    changeProject(this.#project, this.#chance, this.#round++)
  }

  #client(): Installation {
    return this.#chance.pick(this.#clients)
  }

  #restic(...args: readonly string[]): Promise<string> {
    return this.#clients[0]!.restic(this.#repository, ...args)
  }
}

/** What happens often stands here more than once. */
const verbs: readonly Verb[] = [
  (model) => model.backUp(),
  (model) => model.backUp(),
  (model) => model.backUpByRestic(),
  (model) => model.killRun(),
  (model) => model.forget(),
  (model) => model.prune(),
  (model) => model.pruneWhileRunning(),
  (model) => model.twoRuns(),
  (model) => model.copy(),
  (model) => model.verify(),
  (model) => model.restore(),
  (model) => model.list(),
  (model) => model.restoreWhatIsGone(),
]
