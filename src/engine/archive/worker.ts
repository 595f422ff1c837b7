/** A sealing thread: serves the jobs of `Sealing`. Only results, and packs that are full, leave it. */
import { workerData } from 'node:worker_threads'

import { BlobIndex } from '../repository/blob-index.ts'
import { serveJobs, type Done } from '../threads/serve.ts'
import { BlobSealer } from './blob-sealer.ts'
import { decodeFileList } from './file-list.ts'
import type { SealJob, SealResult, SealSetup, StretchEnd } from './job.ts'

const setup = workerData as SealSetup
const slots = setup.slots.map((slot) => new Uint8Array(slot))
const sealer = new BlobSealer(setup.key, setup.config, new BlobIndex(setup.index))

serveJobs<SealJob, SealResult, StretchEnd>((job, tell) => {
  using _ = sealer.hold()
  if ('recycled' in job) sealer.recycle(job.recycled)
  switch (job.kind) {
    case 'files':
      return done({ files: decodeFileList(job.list).map((file) => sealer.sealFile(file)) })
    case 'stretch':
      return done({ files: [sealer.sealStretch(job.fd, job.from, tell)] })
    case 'chunks':
      return done({ ids: sealer.sealChunks(slots[job.slot]!, job.lengths, job.cut) })
    case 'trees': {
      let at = 0
      for (const [nth, id] of job.ids.entries()) {
        sealer.sealTree(id, job.bytes.subarray(at, at + job.lengths[nth]!))
        at += job.lengths[nth]!
      }
      return done({})
    }
    case 'index':
      sealer.index = new BlobIndex(job.index)
      return done({})
    case 'flush':
      return done({ rests: sealer.takeRests() })
    default:
      return job satisfies never
  }
})

function done(more: Pick<SealResult, 'files' | 'ids' | 'rests'>): Done<SealResult> {
  return { result: { ...sealer.takeResult(), ...more } }
}
