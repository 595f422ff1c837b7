import { systemCode } from '#base'
import { joinPath, type Path, type SftpClient } from '#remote'
import { folders, packFolders } from '../layout.ts'

/**
 * Makes the folders of a repository, with all that lead to it. Folders that are there already stay as they are.
 *
 * @throws the system's error, `ENOTDIR` when something else has the name of a folder.
 */
export async function makeRepository(sftp: SftpClient, root: Path, mode: number): Promise<void> {
  await makeFolder(sftp, root, mode, 'with all above')
  await Promise.all(Object.values(folders).map((name) => makeFolder(sftp, joinPath(root, name), mode)))
  const data = joinPath(root, folders.pack)
  await Promise.all(packFolders.map((name) => makeFolder(sftp, joinPath(data, name), mode)))
}

/** Makes one folder, unless it is there. @throws `ENOENT` when the folder above is not there. */
export async function makeFolder(
  sftp: SftpClient,
  path: Path,
  mode: number,
  above: 'with all above' | 'alone' = 'alone',
): Promise<void> {
  try {
    await sftp.mkdir(path, mode)
  } catch (thrown) {
    const parent = path.slice(0, path.lastIndexOf('/'))
    if (systemCode(thrown) === 'ENOENT' && above === 'with all above' && parent !== '' && parent !== '.') {
      await makeFolder(sftp, parent, mode, above)
      return await makeFolder(sftp, path, mode)
    }
    // because a folder that is there is refused with the words for any trouble, or as what the user may not make
    if (['ENOENT', 'ENOSPC'].includes(systemCode(thrown) ?? '') || !(await isThere(sftp, path))) throw thrown
  }
}

/** @throws `ENOTDIR` when it is something else. */
async function isThere(sftp: SftpClient, path: Path): Promise<boolean> {
  const type = await sftp.stat(path).then(
    (facts) => facts.type,
    () => undefined,
  )
  if (type === undefined || type === 'dir') return type === 'dir'
  throw Object.assign(new Error(`ENOTDIR: ${path}`), { code: 'ENOTDIR' })
}
