/**
 * A daemon in a process of its own, to be killed: `node kept.ts bewaar.yaml 2026-11-02T02:00:00Z 60`. Its clock begins at that
 * moment, and is so many times as fast as the real one.
 */
import { composeServices } from '#app'
import { pause, systemClock, type Clock } from '#base'
import { Daemon } from '#daemon'
import { loadDuties } from '#usecases'

const [file, from, factor] = process.argv.slice(2) as [string, string, string]
const speed = Number(factor)
const began = systemClock.monotonic()
const passed = (): number => (systemClock.monotonic() - began) * speed
const clock: Clock = { now: () => Math.round(Date.parse(from) + passed()), monotonic: passed }

const commands = composeServices({ config: file, json: false, quiet: true, verbose: false }, clock)
const stop = new AbortController()
process.on('SIGTERM', () => stop.abort())
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const log = {
  debug: () => {},
  info: say,
  warn: say,
  error: (text: string, facts = {}) => say(text + JSON.stringify(facts)),
}

const daemon = new Daemon({
  clock,
  pause: (ms, signal) => pause(ms / speed, signal),
  log,
  duties: (await loadDuties()).filter(({ kind }) => kind === 'run' || kind === 'copy'),
  load: () => commands.loadConfiguration(),
  open: (configuration) => commands.open(configuration, { progress: () => {}, warn: say }),
  watchEveryMs: 60_000,
})
await daemon.serve(stop.signal)
