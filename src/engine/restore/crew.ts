import { availableParallelism } from 'node:os'

import { Sealer, type MasterKey } from '../crypto/seal.ts'
import { PackMemory } from '../repository/pack-memory.ts'
import { WorkerPool } from '../threads/pool.ts'
import type { CrewSetup, RestoreJob, Results } from './job.ts'
import { performJob } from './perform-job.ts'

type AnyResult = Results[keyof Results]

/**
 * Does the jobs of a restore: in this thread until `hire` is called, in threads of their own from then on. Starting threads
 * takes longer than many a restore.
 */
export class Crew implements AsyncDisposable {
  /** For the runs of its jobs. */
  readonly memory = new PackMemory()
  readonly #key: MasterKey
  readonly #sealer: Sealer
  #pool: WorkerPool<RestoreJob, AnyResult> | undefined

  constructor(key: MasterKey) {
    this.#key = key
    this.#sealer = new Sealer(key)
  }

  /** How many jobs should be under way at once, so that nobody waits for the next one. */
  get jobsAhead(): number {
    return this.#pool ? this.#pool.size * 2 : 1
  }

  hire(): void {
    this.#pool ??= new WorkerPool(new URL(import.meta.resolve('./worker.ts')), {
      size: availableParallelism(),
      setup: (): CrewSetup => ({ key: this.#key }),
    })
  }

  async run<Job extends RestoreJob>(job: Job): Promise<Results[Job['kind']]> {
    const result = this.#pool ? await this.#pool.run(job) : performJob(job, this.#sealer)
    return result as Results[Job['kind']]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool?.[Symbol.asyncDispose]()
  }
}
