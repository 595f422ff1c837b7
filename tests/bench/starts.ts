import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Secret } from '#base'
import { createLocal, createRepository } from '#engine'
import { cheapKey } from '#engine/testing'
import { measure, type Measured } from './measure.ts'

const launcher = fileURLToPath(new URL('../../bin/bewaar', import.meta.url))
const dayNs = 86_400_000_000_000n
const firstNs = 1_700_000_000_000_000_000n

/** One start of the program, as users start it. */
export function startOf(...args: readonly string[]): string[] {
  return [launcher, ...args]
}

const startsAtOnce = 5

/** What one start takes; several are measured together, because the system counts CPU time in hundredths of a second. */
export function measureStart(command: readonly string[], env: NodeJS.ProcessEnv): Measured {
  const script = `for nth in $(seq ${startsAtOnce}); do "$@" > /dev/null || exit 1; done`
  const { seconds, cpuSeconds, peak } = measure(['sh', '-c', script, 'sh', ...command], env)
  return { seconds: seconds / startsAtOnce, cpuSeconds: cpuSeconds / startsAtOnce, peak }
}

/** A configuration in `store` whose vault holds `backups` snapshots of each of `projects`; nothing is in them. */
export async function makeManyBackups(store: string, projects: number, backups: number): Promise<void> {
  const names = Array.from({ length: projects }, (_, nth) => `project-${nth}`)
  const password = { env: 'BEWAAR_BENCH_PASSWORD' }
  mkdirSync(join(store, 'data'), { recursive: true })
  const configuration = {
    state: join(store, 'state'),
    vaults: { bench: { location: join(store, 'vault'), tier: 'hot', password } },
    projects: Object.fromEntries(
      names.map((name) => [name, { type: 'generic', schedule: 'daily 03:00', path: join(store, 'data') }]),
    ),
  }
  writeFileSync(join(store, 'bewaar.yaml'), JSON.stringify(configuration))
  for (const name of names) {
    await using backend = await createLocal(join(store, 'vault', name))
    const options = { password: new Secret('bench'), cost: cheapKey }
    await using repository = await createRepository(backend, options)
    const tree = '0'.repeat(64)
    for (let day = 0n; day < BigInt(backups); day++) {
      const time = Temporal.Instant.fromEpochNanoseconds(firstNs + day * dayNs).toString()
      const summary = { backupStart: time, backupEnd: time, ...noChanges }
      const tags = [`project:${name}`, `run:${name}-${day}`]
      await repository.saveSnapshot({
        time,
        tree,
        paths: ['/data'],
        hostname: 'bench',
        username: 'bench',
        tags,
        summary,
      })
    }
  }
}

const noChanges = {
  filesNew: 0,
  filesChanged: 0,
  filesUnmodified: 1000,
  dirsNew: 0,
  dirsChanged: 0,
  dirsUnmodified: 100,
  dataBlobs: 0,
  treeBlobs: 0,
  dataAdded: 0,
  dataAddedPacked: 0,
  totalFilesProcessed: 1000,
  totalBytesProcessed: 1_000_000,
}
