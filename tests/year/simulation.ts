/**
 * A daemon that works through a stretch of time that is simulated, with real projects, servers, vaults and channels: what
 * happens around it, and when it is cut off, is for who started it. Its lines on standard output say how late it is.
 *
 * Arguments: the folder of the world, and the moments at which it begins and ends, in milliseconds since 1970.
 */
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Log } from '#base'
import { composeServices } from '#app'
import { Daemon } from '#daemon'
import { initialise, loadDuties } from '#usecases'
import { SimulatedTime } from '../daemon/simulated-time.ts'
import { workOn } from './work.ts'

const dayMs = 86_400_000
const watchEveryMs = 60 * 60_000

const [folder = '', from = '', until = ''] = process.argv.slice(2)
const time = new SimulatedTime(Number(from))
const commands = composeServices(
  { config: join(folder, 'bewaar.yaml'), json: false, quiet: true, verbose: false },
  time.clock,
)
const context = { progress: () => {}, warn: (text: string) => log.warn(text) }

const stop = new AbortController()
for (let noon = Number(from) + dayMs / 2; noon < Number(until); noon += dayMs) {
  time.at(noon, () => workOn(folder, new Date(noon).toISOString().slice(0, 10)))
}
time.at(Number(until), () => stop.abort())

const open: ConstructorParameters<typeof Daemon>[0]['open'] = (configuration) => commands.open(configuration, context)

function say(level: string): Log['error'] {
  return (text, facts = {}, thrown?: unknown) => {
    const reason = thrown === undefined ? '' : ` ${String((thrown as Error).stack)}`
    const line = `${new Date(time.clock.now()).toISOString()} ${level} ${Math.round(performance.now())} ${text} ${JSON.stringify(facts)}${reason}\n`
    appendFileSync(join(folder, 'daemon.log'), line)
  }
}
const log: Log = { debug: () => {}, info: say('info'), warn: say('warn'), error: say('error') }

if (process.argv.includes('init')) {
  await using opened = await open(await commands.loadConfiguration())
  await initialise(opened.services, opened.services.configuration.projects)
}
const pause = time.pause(() => daemon)
const daemon: Daemon = new Daemon({
  clock: time.clock,
  pause: async (ms, signal) => {
    await pause(ms, signal)
    process.stdout.write(`${time.clock.now()}\n`)
  },
  log,
  duties: await loadDuties(),
  load: () => commands.loadConfiguration(),
  open,
  watchEveryMs,
})
await daemon.serve(stop.signal)
