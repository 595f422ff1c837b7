// Finds the file that the program starts with. It must run on any Node.js since 18.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Where `scripts/bundle.js` puts bundles, below the root; and the file there that names the newest and what it was made of. */
export const bundlesFolder = 'node_modules/.cache/bewaar/program'
export const bundleNote = 'newest.json'

/** The bundle when it was made of what is there; else the sources; else what `npm run build` emits. Absolute. */
export function findMain(root) {
  const bundle = findBundle(root)
  if (bundle !== undefined) return bundle
  const source = join(root, 'src/app/main.ts')
  return existsSync(source) ? source : join(root, 'dist/app/main.js')
}

/** Undefined when there is none, or a file that it was made of is not what it was. */
export function findBundle(root) {
  try {
    const { name, sources } = JSON.parse(readFileSync(join(root, bundlesFolder, bundleNote), 'utf8'))
    const there = noteOf(root, Object.keys(sources))
    if (Object.entries(sources).some(([path, noted]) => there[path] !== noted)) return undefined
    const main = join(root, bundlesFolder, name, 'main.mjs')
    return existsSync(main) ? main : undefined
  } catch {
    return undefined // because then something is missing, and the sources say better what it is
  }
}

/** Size and time of each file, of which one differs when its content does. */
export function noteOf(root, paths) {
  return Object.fromEntries(
    paths.map((path) => {
      const { size, mtimeMs } = statSync(join(root, path))
      return [path, `${size} ${Math.trunc(mtimeMs)}`]
    }),
  )
}
