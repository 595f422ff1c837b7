/** A verifying thread: judges the packs that the main thread has read. */
import { workerData } from 'node:worker_threads'

import { Sealer } from '../crypto/seal.ts'
import { BlobIndex } from '../repository/blob-index.ts'
import { serveJobs } from '../threads/serve.ts'
import type { VerifyJob, VerifyResult, VerifySetup } from './verify-job.ts'
import { verifyPack } from './verify-pack.ts'

const setup = workerData as VerifySetup
const sealer = new Sealer(setup.key)
const blobs = new BlobIndex(setup.index)
let lost: ReadonlySet<string> = new Set()

serveJobs<VerifyJob, VerifyResult>((job) => {
  if ('lost' in job) {
    lost = new Set(job.lost)
    return { result: undefined }
  }
  return { result: verifyPack(job, { sealer, blobs, lost }) }
})
