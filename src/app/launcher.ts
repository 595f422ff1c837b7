import { openForeign } from '#base'

const setParentDeathSignal = 1
const kill = 9

/**
 * Ends this process together with the launcher that started it, where the launcher could not become this process: who
 * kills the one that the shell knows means the work too. Only on Linux; elsewhere the work goes on to its end.
 *
 * @param launcher - id of its process, as it told.
 */
export function endWithLauncher(launcher: string | undefined): void {
  if (launcher === undefined || process.platform !== 'linux') return
  const libc = openForeign(null, { prctl: { return: 'i32', arguments: ['i32', 'u64'] } })
  libc?.prctl(setParentDeathSignal, BigInt(kill))
  // because it may have gone before the call
  if (process.ppid !== Number(launcher)) process.kill(process.pid, 'SIGKILL')
}
