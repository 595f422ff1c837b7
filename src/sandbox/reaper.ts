/**
 * Waits until the process that started it is gone, however that ended, and removes the folder it is given with whatever works in
 * it. Its standard input is a pipe of that process, which the system closes when nobody else can.
 */
import { removeWithProcesses } from './remove-workplace.ts'

const folder = process.argv[2]!
// because an interrupt from a terminal goes to all processes of a command at once
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const) process.on(signal, () => {})
process.stdin.on('error', () => {})
process.stdin.resume()
await new Promise((resolve) => process.stdin.once('close', resolve))
await removeWithProcesses(folder)
