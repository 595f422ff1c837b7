/**
 * The sources' door for tests: the contract of a source as a suite, and a way to read parts without an engine.
 */
export { drainParts, type Drained } from './suite/drain-parts.ts'
export { startScript, type RunningScript } from './suite/start-script.ts'
export { temporaryFolder, type TemporaryFolder } from './suite/temporary-folder.ts'
export { recordingContext, sourceSuite, type RecordingContext, type SourceCase } from './suite/source-suite.ts'
