/**
 * Restic asks whether the holder of a lock is alive by sending it SIGHUP, which ends a process that does not listen.
 * Signals are the process's, so the number of holders is too.
 */
let holders = 0
const ignore = (): void => {}

/** From here until the returned function is called (once), SIGHUP does no harm. Handlers of others work as before. */
export function holdHangup(): () => void {
  if (holders++ === 0) process.on('SIGHUP', ignore)
  let isHeld = true
  return () => {
    if (!isHeld) return
    isHeld = false
    if (--holders === 0) process.off('SIGHUP', ignore)
  }
}
