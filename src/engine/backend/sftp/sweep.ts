import { joinPath, type Path, type SftpClient } from '#remote'
import { isTemporaryName } from '../local/write-file.ts'

/**
 * Removes what killed writers left in a folder: temporary files whose last write is more than a day older than a file that
 * was just saved there, because only the server's own clock says how old its files are.
 *
 * It cannot hurt a writer that still runs: an unfinished file that is swept away makes the writer begin anew.
 */
export async function sweep(sftp: SftpClient, folder: Path, justSaved: Path): Promise<void> {
  const dayNs = 24n * 60n * 60n * 1_000_000_000n
  try {
    const { mtimeNs } = await sftp.lstat(justSaved)
    for (const entry of await sftp.list(folder)) {
      const name = Buffer.from(entry.name).toString('latin1')
      if (isTemporaryName(name) && mtimeNs - entry.mtimeNs > dayNs) await sftp.remove(joinPath(folder, name))
    }
  } catch {
    // because sweeping is a courtesy: the next run tries again
  }
}
