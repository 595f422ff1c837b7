import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const worked = ['havunadmin/storage/app/invoices', 'herdenkingsportaal/storage/app', 'havuncore/src', 'havun-mcp']

/** Something in each application is another thing than the day before. */
export function workOn(folder: string, day: string): void {
  for (const name of worked) {
    const path = join(folder, 'www', name)
    mkdirSync(path, { recursive: true })
    writeFileSync(join(path, 'work.txt'), `${day}\n`.repeat(50))
  }
}
