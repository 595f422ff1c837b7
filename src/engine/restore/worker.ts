/** A thread of a restore: opens blobs, and writes files that the main thread names by open folders. */
import { workerData } from 'node:worker_threads'

import { Sealer } from '../crypto/seal.ts'
import { serveJobs } from '../threads/serve.ts'
import type { CrewSetup, RestoreJob, Results } from './job.ts'
import { performJob } from './perform-job.ts'

const sealer = new Sealer((workerData as CrewSetup).key)

serveJobs<RestoreJob, Results[keyof Results]>((job) => {
  const result = performJob(job, sealer)
  return { result, transfer: 'records' in result ? [result.records.buffer] : [] }
})
