/** Vaults in which single bits have turned over. */
import { chmod, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** Turns it back again. */
export type Mending = () => Promise<void>

/** In the first blob of each pack. @param folder - absolute, of packs. */
export async function damageEachPack(folder: string): Promise<void> {
  for (const { path } of await packsIn(folder)) await flipBit(path, 20)
}

/** In the first blob of the largest pack. @param folder - absolute, of packs. */
export async function damageLargestPack(folder: string): Promise<Mending> {
  const [largest] = (await packsIn(folder)).toSorted((a, b) => b.size - a.size)
  await flipBit(largest!.path, 20)
  return () => flipBit(largest!.path, 20)
}

async function packsIn(folder: string): Promise<{ path: string; size: number }[]> {
  const files = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile())
  return await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name)
      return { path, size: (await stat(path)).size }
    }),
  )
}

async function flipBit(path: string, at: number): Promise<void> {
  await chmod(path, 0o600)
  const file = await open(path, 'r+')
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, at)
  await file.write(Buffer.of(buffer[0]! ^ 1), 0, 1, at)
  await file.close()
}
