import packageFile from '../../package.json' with { type: 'json' }
import { commandTable, createTerminal, runCommandLine } from '#cli'
import { composeServices } from './compose.ts'
import { interruptions } from './signals.ts'

if (process.env['BEWAAR_LAUNCHER']) {
  const { endWithLauncher } = await import('./launcher.ts')
  endWithLauncher(process.env['BEWAAR_LAUNCHER'])
}
// Because the launcher means them for this process, and not for the programs that a run starts.
delete process.env['BEWAAR_LAUNCHER']
delete process.env['NODE_COMPILE_CACHE']
delete process.env['MALLOC_TRIM_THRESHOLD_']

const terminal = createTerminal(process)
process.exitCode = await runCommandLine(
  process.argv.slice(2),
  { entries: commandTable, terminal, version: packageFile.version, services: composeServices },
  interruptions(),
)
