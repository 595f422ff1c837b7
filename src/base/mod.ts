/**
 * Words without a domain, used by every room: errors, time, chance, streams, programs, sizes, secrets.
 * It imports nothing of ours and must never know a word of backups.
 */
export { pause, systemClock, timezoneHere, type Clock } from './clock.ts'
export { AppError, defineErrors, systemCode, textOf, type ErrorEntry, type ErrorKind, type Raise } from './errors.ts'
export { feedProgram, isStream, type FeedFault } from './feed.ts'
export { openForeign, type ForeignDefinitions, type ForeignLibrary } from './foreign-functions.ts'
export { collectSeldom } from './heap.ts'
export { lazily } from './lazily.ts'
export { getHttp, type HttpAnswer } from './get-http.ts'
export type { Log, LogFacts } from './log.ts'
export { nearest } from './nearest.ts'
export { randomBytes, randomHex } from './random.ts'
export { Secret } from './secret.ts'
export { collect, mapInOrder, untilDrained } from './streams.ts'
export {
  runProgram,
  startDuplex,
  streamProgram,
  subprocessError,
  type DuplexProgram,
  type ProgramEnd,
  type ProgramOptions,
} from './subprocess.ts'
export { throughProgram } from './through-program.ts'
export { formatBytes, formatCount, formatSeconds, parseBytes } from './units.ts'
