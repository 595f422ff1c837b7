import { spawn } from 'node:child_process'

/** A script in a process of its own. */
export interface RunningScript extends AsyncDisposable {
  /** Resolves when the script prints a line that begins so. */
  said(start: string): Promise<string>
  /** Ends it with SIGTERM, and gives what it printed. */
  stop(): Promise<string>
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
}

/** Runs JavaScript (a module's text) in another Node.js process, as another program that uses the project. */
export function startScript(text: string, ...args: string[]): RunningScript {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', text, '--', ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  let printed = ''
  const waiting: (() => void)[] = []
  child.stdout.on('data', (bytes: Buffer) => {
    printed += bytes.toString()
    for (const look of waiting.splice(0)) look()
  })
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      for (const look of waiting.splice(0)) look()
      resolve()
    })
  })
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await ended
  }
  return {
    async said(start) {
      for (;;) {
        const line = printed.split('\n').find((one) => one.startsWith(start))
        if (line !== undefined) return line
        if (child.exitCode !== null) throw new Error(`the script ended without saying ${start}`)
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
    },
    async stop() {
      await end('SIGTERM')
      return printed
    },
    kill: () => end('SIGKILL'),
    [Symbol.asyncDispose]: () => end('SIGKILL'),
  }
}
