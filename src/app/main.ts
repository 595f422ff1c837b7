import packageFile from '../../package.json' with { type: 'json' }
import { commandTable, createTerminal, runCommandLine } from '#cli'
import { composeServices } from './compose.ts'
import { interruptions } from './signals.ts'

if (process.env['BEWAAR_LAUNCHER']) {
  const launcher = process.env['BEWAAR_LAUNCHER']
  void import('./launcher.ts').then(({ endWithLauncher }) => endWithLauncher(launcher))
}
// Because the launcher means them for this process, and not for the programs that a run starts.
delete process.env['BEWAAR_LAUNCHER']
delete process.env['NODE_COMPILE_CACHE']
delete process.env['MALLOC_TRIM_THRESHOLD_']

const terminal = createTerminal(process)
// Because a process ends when nothing is left to wait for, and that must not look as if all was done. Node gives the same
// where a module waits, which this one cannot do in the bundle.
process.exitCode = 13
void runCommandLine(
  process.argv.slice(2),
  { entries: commandTable, terminal, version: packageFile.version, services: composeServices },
  interruptions(),
).then((code) => (process.exitCode = code))
