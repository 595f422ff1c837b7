// Finds the file that the program starts with, and what Node is told for it. It must run on any Node.js since 18.
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

/** V8 lets its heap grow to several times of what is in use before it looks: a sixth of the memory of a backup. */
export const nodeOptions = ['--heap-growing-percent=40', '--disable-warning=ExperimentalWarning']

/**
 * A cache, because Node would strip the types of every source anew at each start, which takes most of the time of a short
 * command. And memory that is free goes back to the system from 4 MB on: a backup takes a fifth less of it so.
 */
export function withSettings(env, root) {
  return { NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/bewaar'), MALLOC_TRIM_THRESHOLD_: '4000000', ...env }
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
