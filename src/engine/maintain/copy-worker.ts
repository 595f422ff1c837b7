/** A copying thread: opens and verifies blobs of the source, seals them for the target and fills packs of its own. */
import { workerData } from 'node:worker_threads'

import { serveJobs } from '../threads/serve.ts'
import type { CopyJob, CopyJobResult } from './copy-job.ts'
import { Resealer, type ResealSetup } from './reseal.ts'

const resealer = new Resealer(workerData as ResealSetup)

serveJobs<CopyJob, CopyJobResult>((job) => {
  if (job.kind === 'flush') {
    return { result: { packs: [], bad: [], rests: resealer.takeRests() } }
  }
  resealer.recycle(job.recycled)
  const bad = resealer.take(job)
  const packs = resealer.takeFull()
  return { result: { packs, bad, rests: [], bytes: job.bytes } }
})
