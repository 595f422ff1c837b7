import type { FinishedPack } from '../repository/pack-buffer.ts'
import type { BadBlob, Rest, SealedRun } from './reseal.ts'

export interface RunJob extends SealedRun {
  readonly kind: 'run'
  /** Memory of packs that have been saved. */
  readonly recycled: SharedArrayBuffer[]
}

/** Nothing more will come: hand over the packs that are not full. */
export interface FlushJob {
  readonly kind: 'flush'
}

export type CopyJob = RunJob | FlushJob

export interface CopyJobResult {
  readonly packs: FinishedPack[]
  readonly bad: BadBlob[]
  readonly rests: Rest[]
  /** The bytes of the run, so that their memory can be used again. */
  readonly bytes?: Uint8Array<SharedArrayBuffer>
}
