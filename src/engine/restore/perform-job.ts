import type { Sealer } from '../crypto/seal.ts'
import { syncFilesystem } from '../filesystem/descriptor.ts'
import { compareFiles } from './compare-files.ts'
import type { RestoreJob, Results } from './job.ts'
import { openTrees } from './open-trees.ts'
import { settle } from './settle.ts'
import { writeFiles } from './write-files.ts'

/** Does one job, in whatever thread. */
export function performJob(job: RestoreJob, sealer: Sealer): Results[keyof Results] {
  switch (job.kind) {
    case 'trees':
      return openTrees(job, sealer)
    case 'compare':
      return compareFiles(job)
    case 'write':
      return writeFiles(job, sealer)
    case 'settle':
      return settle(job)
    case 'sync':
      for (const folder of job.folders) syncFilesystem(folder)
      return { synced: job.folders.length }
    default:
      return job satisfies never
  }
}
