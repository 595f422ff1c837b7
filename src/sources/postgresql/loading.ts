import type { LoadContext, LoadOptions } from '../load-contract.ts'
import type { Scene } from './ask.ts'

/** A load that is under way. */
export interface Loading {
  readonly scene: Scene
  readonly dump: AsyncIterable<Uint8Array>
  readonly options: LoadOptions
  readonly context: LoadContext
}
