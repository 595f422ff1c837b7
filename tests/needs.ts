import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

interface SystemPackage {
  readonly package: string
  readonly program: string
}

const packages = JSON.parse(
  readFileSync(new URL('../scripts/system-packages.json', import.meta.url), 'utf8'),
) as SystemPackage[]

/**
 * Why a test that drives these programs must be skipped here, in words that name the Debian packages; false when all of
 * them are there. Made for `test(title, { skip: needs('restic') }, …)`. `root` stands for running as root.
 *
 * @throws when a program is not in scripts/system-packages.json, which is what `npm test` installs.
 */
export function needs(...programs: readonly string[]): string | false {
  const missing = programs.filter((program) => !isThere(program)).map(nameOf)
  return missing.length > 0 && `needs ${missing.join(' and ')}`
}

function isThere(program: string): boolean {
  if (program === 'root') return process.getuid?.() === 0
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

function nameOf(program: string): string {
  if (program === 'root') return 'to run as root'
  const known = packages.find((entry) => entry.program === program)
  if (!known) throw new Error(`${program} is not in scripts/system-packages.json`)
  return `the package ${known.package}`
}
