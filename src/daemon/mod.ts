/**
 * Does by itself, for years, what the schedules ask for: runs, copies, verifications, clean-ups, watching, reports. It asks
 * for the time by its clock alone, and must never hold a rule: what is due is for the model to say.
 *
 * It is driven by what it is given, so that a test can lead it through a year in one process: `new Daemon(options)`, then
 * `await daemon.serve(signal)`. Its whole notion of time is `options.clock` and `options.pause(ms, signal)`. It pauses until the next
 * thing is due, and at most `watchEveryMs`; a pause is aborted as soon as something ends or changes. A test's pause moves
 * its clock on by `ms` and resolves, but while `daemon.atWork` is not 0 it waits for its signal, so that no time passes
 * over what is being done. `tests/daemon/simulated-time.ts` does this.
 */
export { Daemon, type DaemonOptions, type DaemonState, type Opened } from './daemon.ts'
export { daemonError } from './errors.ts'
