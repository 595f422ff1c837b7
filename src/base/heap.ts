import { setFlagsFromString } from 'node:v8'

/**
 * From now on garbage is looked for when the heap, and the buffers that hang on it, have grown by 300%, and no more by the 100% or
 * less that V8 takes for a heap of at most 2 GB, as the program is started with. Whoever streams much through a small heap would do so
 * every few megabytes, which takes a tenth of its time. What Node itself loads from here on it compiles anew, because that
 * option counts for compiled code.
 */
export function collectSeldom(): void {
  setFlagsFromString('--heap-growing-percent=300')
}
